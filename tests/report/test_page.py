"""The page in a browser: a Chromium on this machine, or none of this is tested."""

import shutil
from collections.abc import Iterator
from operator import ne
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from lstm_ae.report.page import render
from tests.results import all_results

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
WIDTHS = (360, 768, 1280)
STUDIES = list(all_results())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    paths = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    path = next(paths, None)
    if path is None:
        pytest.skip("no Chromium on the path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(render(all_results(), {"seed": 0}), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    """The page; what the browser complains of, or asks the network for, fails the test."""
    page = browser.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert not complaints
    assert not [url for url in requests if url.startswith("http")]


def explorer(page: Page, section: str) -> Locator:
    return page.locator(f"#{section} [data-explorer]")


def test_every_image_loads_and_has_words(page: Page) -> None:
    images = page.evaluate(
        "[...document.images].map(image => [image.complete && image.naturalWidth > 0, image.alt])"
    )
    assert len(images) > 10
    assert all(loaded and alt for loaded, alt in images)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run().then(result => result.violations)")
    assert not [(violation["id"], violation["nodes"]) for violation in violations]


def test_a_chosen_sequence_takes_the_place_of_the_first(page: Page) -> None:
    explored = explorer(page, "mnist_rows")
    first = explored.get_by_alt_text("original of 0, test image 0")
    second = explored.get_by_alt_text("original of 1, test image 1")
    assert first.is_visible() and not second.is_visible()
    explored.get_by_label("Sequence of the test split").select_option("1, test image 1")
    assert second.is_visible() and not first.is_visible()


def test_an_image_answers_to_the_slider_and_the_direction(page: Page) -> None:
    explored = explorer(page, "mnist_rows")
    window = explored.locator("div.moved").first
    seen = [window.screenshot()]
    explored.get_by_role("slider").press("ArrowRight")
    assert explored.locator("output").text_content() == "+1 standard deviations"
    seen.append(window.screenshot())
    explored.get_by_label("Move its code along").select_option("1")
    seen.append(window.screenshot())
    assert len(set(seen)) == 3


def test_every_column_of_a_series_answers_to_the_slider(page: Page) -> None:
    explored = explorer(page, "snp_forecast")
    explored.get_by_label("Sequence of the test split").select_option("sequence 2")
    lines = explored.locator('[data-item="2"] .panels .moved')
    before = [line.get_attribute("d") for line in lines.all()]
    explored.get_by_role("slider").press("ArrowLeft")
    after = [line.get_attribute("d") for line in lines.all()]
    assert len(before) == 2 and all(map(ne, before, after))
    assert (
        explored.get_by_role("slider").get_attribute("aria-valuetext")
        == "\N{MINUS SIGN}1 standard deviations"
    )


def test_the_first_key_leads_past_the_navigation(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_without_scripts_the_first_sequence_is_shown_and_nothing_that_would_not_work(
    browser: Browser, path: Path
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(path.as_uri())
    assert page.get_by_alt_text("original of 0, test image 0").first.is_visible()
    assert not page.get_by_role("slider").first.is_visible()
    page.close()


def test_every_section_has_what_it_owes(page: Page) -> None:
    studies = page.evaluate(
        "[...document.querySelectorAll('section.study')].map(section => section.id)"
    )
    assert studies == STUDIES
    for section in STUDIES:
        assert page.locator(f"#{section} h2").count() == 1
        assert page.locator(f"#{section} figure figcaption").count() > 1


def text_height(page: Page) -> list[float]:
    """The height in pixels of text of 9 points in each figure."""
    return page.evaluate(
        "[...document.querySelectorAll('img.drawn')].map(image => "
        "9 * image.clientWidth / image.style.getPropertyValue('--points'))"
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_text_of_figures_is_legible(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    heights = text_height(page)
    assert min(heights) > 10 and max(heights) < 15
