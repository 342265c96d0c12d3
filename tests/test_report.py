import pandas as pd

from lstm_ae.report import Page, fed_back, read_page, render, results_table

METRICS = {
    "mse": 0.01, "mean_mse": 0.08, "pca_mse": 0.02, "pca_clipped_mse": 0.019, "code_size": 32, "hidden_size": 48, "data_source": "generated",
}  # fmt: skip


def test_the_page_is_self_contained_and_shows_every_figure(tmp_path) -> None:
    for name in ("loss", "examples", "unknown"):
        (tmp_path / f"{name}.png").write_bytes(b"png")
    page = read_page("toy", METRICS, pd.DataFrame({"trial": [0], "loss": [0.5]}), tmp_path)
    assert [caption for caption, _ in page.figures] == ["Examples from each split", "Losses by epoch", "unknown"]
    html = render([page], [("Compared", "data:image/png;base64,AA==")])
    assert html.count("<img ") == 4 and "http" not in html
    assert html.count("alt=") == 4


def test_text_from_data_is_escaped() -> None:
    hostile = "REDUCED <script>alert('&')</script>"
    page = Page("toy", METRICS | {"data_source": hostile}, [(hostile, "data:,")], pd.DataFrame({"state": [hostile], hostile: [1]}))
    html = render([page], [(hostile, "data:,")])
    assert "<script>" not in html and html.count("REDUCED &lt;script&gt;") == 7


def test_the_table_stands_beside_pca_and_the_report() -> None:
    row = results_table({"toy": METRICS}).iloc[0]
    assert (row["MSE"], row["PCA"], row["PCA, clipped"], row["the original report"]) == ("0.01000", "0.02000", "0.01900", "MSE 0.0655")


def test_the_page_says_where_a_forecast_has_no_skill() -> None:
    horizons = [{"horizon": day, "skill": skill} for day, skill in enumerate((0.2, 0.01, -0.02, 0.0), start=1)]
    assert "no skill over" in fed_back(horizons) and "2 of 4 horizons (steps 3, 4); the worst is -0.020 at step 3" in fed_back(horizons)
    assert "at every horizon up to 2 steps; the least at step 2, by a skill of 0.010" in fed_back(horizons[:2])
    page = Page("snp_forecast", METRICS | {"multi_step": {"by_horizon": horizons}}, [], pd.DataFrame())
    assert "2 of 4 horizons" in render([page], [])
