"""Every bad input that was tried and the line it gets, which is docs/errors.md.

`python -m tests.test_bad_input` writes that page.
"""

import gzip
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_json
from lstm_ae.core.splits import Description, load_description, load_split
from lstm_ae.data import mnist, stock_windows
from lstm_ae.data.prices import FILE
from lstm_ae.data.raw import RawData
from lstm_ae.data.reading import find_table
from lstm_ae.data.registry import kind_of
from lstm_ae.data.table import prepare_table
from lstm_ae.evaluation.studies import study_of
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.model.saving import save_autoencoder
from lstm_ae.package.loading import load_autoencoder, load_package
from lstm_ae.params import Fractions, Params, TableData, load_params
from lstm_ae.units.layout import Layout, load_layout, save_layout

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "errors.md"
FOLDER = "FOLDER"  # stands for the folder of a file in the lines

# Text of params.yaml, and what is written in its place.
PARAMS = [
    ("seed: 0 ", "sead: 0 "),
    ("    batch_size: 64\n", ""),
    ("batch_size: 64", "batch_size: 64\n    batch_sise: 64"),
    ("epochs: 30", "epochs: 30.5"),
    ("epochs: 30", "epochs: many"),
    ("epochs: 30", "epochs: 0"),
    ("lr: ", "lr: .nan"),
    ("lr: ", "lr: -1.0"),
    ("lr: ", "lr: .inf"),
    ("threads: auto", "threads: 0"),
    ("device: auto", "device: tpu"),
    ("precision: 32-true", "precision: 8-bit"),
    ("budget: full", "budget: ful"),
    ("dataset: toy", "dataset: toys"),
    ("code_size: 32", "code_size: 64"),
    ("trials: 16", "trials: 0"),
    ("low: 32", "low: 50"),
    ("decoding: backward", "decoding: forward"),
    ("period: 1\n    lags: 10", "period: 4\n    lags: 10"),
    ("error_correlation: 0.0", "error_correlation: 0.3"),
    ("lags: 10", "lags: 10\n    initialization: chrono"),
    ("optimizer: adamw", "optimiser: adamw"),
    ("optimizer: adamw", "optimizer: adamm"),
    ("storage: ", "trials: 4\n    storage: "),
    ("trials: 16", "storage: sqlite:///study.db\n    trials: 16"),
    ("shift: 0", "shift: 2"),
    ("shift: 0", "shift: -1"),
    ("error_correlation: 0.3", "error_correlation: 1.0"),
    ("classification: 0.0", "classification: 0.5"),
    ("- toy\n", "- toys\n"),
    ("- toy\n", "- toy\n- toy\n"),
    ("- toy\n", "- ../toy\n"),
    ("- toy\n", "- seed\n"),
    ("high: 30", "high: 60"),
    ("last_train_day: '2016-12-30'", "last_train_day: '2018-12-30'"),
    ("fed: 40", "fed: 79"),
    ("reconstruction: 1.0", "reconstruction: 0.0"),
    ("seed: 0 ", "seed: 0\nseed: 1 "),
    ("sections:", "sections: ]"),
]


def first(column: str, value: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.assign(**{column: [value, *table[column][1:]]})


TABLES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a column is missing": lambda table: table.drop(columns="high"),
    "a column stands twice": lambda table: table.assign(copy="9").rename(columns={"copy": "high"}),
    "a day stands twice": lambda table: pd.concat([table, table.iloc[:1]]),
    "text among numbers": first("high", "abc"),
    "a decimal comma": first("high", "6,5"),
    "a truth value among numbers": lambda table: table.assign(high="True"),
    "an infinite price": first("low", "inf"),
    "a price below zero": first("close", "-1"),
    "a price of zero": first("open", "0"),
    "a volume below zero": first("volume", "-5"),
    "an infinite volume": first("volume", "1e999"),
    "a day that is no date": first("date", "tomorrow"),
    "a day of another form": first("date", "2014-1-2"),
    "a row without a day": first("date", ""),
    "a row without a symbol": first("Name", ""),
    "no day of the period": lambda table: table.assign(date="1999-01-04"),
    "prices that never change": lambda table: table.assign(high="6"),
    "one symbol": lambda table: table[table["Name"] == "BBB"],
    "no complete symbol": lambda table: table[
        table.groupby("Name").cumcount() != pd.factorize(table["Name"])[0]
    ],
    "fewer days than a window": lambda table: table[table["date"] <= "2014-01-20"],
}
HEADER = b"date,open,high,low,close,volume,Name\n"
RAW_TABLES = {
    "0 bytes": b"",
    "only a header": HEADER,
    "a row of fewer fields than the header": HEADER + b"2014-01-02,1,2\n",
    "a row of more fields than the header": HEADER
    + b"2014-01-02,1,2,1,2,3,A\n2014-01-03,1,5,2,1,2,3,A\n",
    "bytes that are no text": b"\x00\xff\xfe\x00",
    "first rows of more fields than the header": b"date,open\n2014-01-02,1,2,3\n2014-01-03,1,2,3\n",
    "columns apart by semicolons": HEADER.replace(b",", b";") + b"2014-01-02;1;2;1;2;3;A\n",
    "a gzip archive under the name of a CSV": gzip.compress(b"date,open\n", mtime=0),
}
LABELS: dict[str, Callable[[bytes], bytes]] = {
    "labels of a wrong magic number": lambda content: b"\0\0\x08\x02" + content[4:],
    "truncated labels": lambda content: content[:-1],
    "fewer labels than images": lambda content: content[:7] + b"\x0a" + content[8:18],
    "a label of 10": lambda content: content[:-1] + b"\x0a",
    "images that are too few for the validation asked for": lambda content: content,
}
IMAGES: dict[str, Callable[[bytes], bytes]] = {
    "0 bytes": lambda _: b"",
    "truncated": lambda content: content[:5000],
    "a wrong magic number": lambda content: b"\0\0\x09\x03" + content[4:],
    "a count that is not that of the bytes": lambda content: content[:7] + b"\x07" + content[8:],
    "rows of 32 pixels": lambda content: content[:8] + b"\0\0\0\x20" + content[12:],
    "images of 14 x 56": lambda content: content[:8] + b"\0\0\0\x0e\0\0\0\x38" + content[16:],
}
MODELS: dict[str, Callable[[Path], object]] = {
    "weights.safetensors is missing": lambda folder: (folder / "weights.safetensors").unlink(),
    "model.json is missing": lambda folder: (folder / "model.json").unlink(),
    "weights cut short": lambda folder: shortened(folder / "weights.safetensors"),
    "weights of another model": lambda folder: save_file(
        {"weight": np.zeros(3)}, folder / "weights.safetensors"
    ),
    "weights of another format": lambda folder: (folder / "weights.safetensors").write_bytes(
        b"not a model"
    ),
    "a pickle under the name of safetensors": lambda folder: (
        folder / "weights.safetensors"
    ).write_bytes(b"\x80\x04\x95\x0b\x00\x00\x00"),
    "model.json is no JSON": lambda folder: (folder / "model.json").write_text("{"),
    "model.json is a list": lambda folder: (folder / "model.json").write_text("[1]"),
    "model.json has a key too many": lambda folder: renamed(
        folder, '"features"', '"more": 1, "features"'
    ),
    "model.json holds text for a number": lambda folder: renamed(
        folder, '"hidden_size": 4', '"hidden_size": "4"'
    ),
    "model.json names a decoding that there is not": lambda folder: renamed(
        folder, '"backward"', '"sideways"'
    ),
    "model.json has a size of 0": lambda folder: renamed(
        folder, '"hidden_size": 4', '"hidden_size": 0'
    ),
    "model.json has a period that does not divide the sequence": lambda folder: renamed(
        folder, '"period": 1', '"period": 4'
    ),
    "model.json lacks a key": lambda folder: (folder / "model.json").write_text("{}"),
    "weights of other sizes": lambda folder: renamed(
        folder, '"sequence_length": 6', '"sequence_length": 7'
    ),
}
SPLITS = {"a split is missing": None, "a split of another format": b"junk"}
# What is wrong in description.json and in layout.json, and the keys that say it.
DESCRIPTIONS: dict[str, dict[str, object]] = {
    "description.json has a key too many": {"anchor": 1},
    "description.json holds text for a number": {"classes": "10"},
    "description.json holds a number for text": {"data_source": 5},
    "description.json names one series, not a list": {"series": "a"},
}
LAYOUTS: dict[str, dict[str, object]] = {
    "layout.json has a key too many": {"anchor": 1},
    "layout.json holds text for a number": {"window": "4"},
    "layout.json has a window of 0": {"window": 0},
    "layout.json names a scaling that there is not": {"scaling": "log"},
    "layout.json has a scale of 0": {"scale": [0.0]},
    "layout.json has a centre that is no number": {"centre": [None]},
}

SHOPS = TableData(
    dataset="table",
    columns=["sold"],
    columns_are="variables",
    series="shop",
    time="hour",
    window=4,
    stride=1,
    split_by="time",
    split=Fractions(train=0.6, validation=0.2, test=0.2),
    scaling="zscore",
    predict=False,
    group_by_time=False,
)
# What is wrong with a person's table, what is changed in the layout, and in the rows.
OWN_TABLES: dict[str, tuple[dict[str, object], Callable[[list[str]], list[str]]]] = {
    "a column is missing": ({"columns": ["sales"]}, lambda rows: rows),
    "two columns of one name": ({}, lambda rows: ["shop,hour,hour", *rows[1:]]),
    "a column without a name": ({}, lambda rows: ["shop,hour,", *rows[1:]]),
    "rows of more fields than the header": (
        {},
        lambda rows: [rows[0], *(f"{row},1" for row in rows[1:])],
    ),
    "text among numbers": ({}, lambda rows: [*rows[:5], "a,5,many", *rows[6:]]),
    "a decimal comma beside commas": ({}, lambda rows: [*rows[:5], 'a,5,"1,5"', *rows[6:]]),
    "a number that means that nothing was measured": (
        {},
        lambda rows: [rows[0], *(f"a,{hour},{hour}.5" for hour in range(40)), "a,40,-9999"],
    ),
    "infinity": ({}, lambda rows: [*rows[:5], "a,5,inf", *rows[6:]]),
    "an empty line between others": ({}, lambda rows: [*rows[:5], "", *rows[5:]]),
    "a time stands twice": ({}, lambda rows: [*rows[:6], rows[5], *rows[6:]]),
    "times fall": ({}, lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]]),
    "a time that is none": ({}, lambda rows: [*rows[:5], "a,noon,2", *rows[6:]]),
    "a series without a name": ({}, lambda rows: [*rows[:5], ",5,2", *rows[6:]]),
    "log returns of zero": (
        {"scaling": "log_return"},
        lambda rows: [*rows[:5], "a,5,0", *rows[6:]],
    ),
    "values that never change": (
        {},
        lambda rows: [rows[0], *(f"{row.rsplit(',', 1)[0]},7" for row in rows[1:])],
    ),
    "a header alone": ({}, lambda rows: rows[:1]),
    "series shorter than a window": ({"window": 30}, lambda rows: rows),
    "fewer series than parts": ({"split_by": "series"}, lambda rows: rows),
    "a part of no times": (
        {"split": {"train": 0.6, "validation": 0.399, "test": 0.001}},
        lambda rows: rows,
    ),
}
OWN_RAW_TABLES = {
    "0 bytes": ("table.csv", b""),
    "bytes that are no text": ("table.csv", b"\x00\xff\xfe\x00"),
    "a gzip archive that ends early": (
        "table.csv.gz",
        gzip.compress(b"shop,hour,sold\n", mtime=0)[:-4],
    ),
    "a CSV under the name of Parquet": ("table.parquet", b"shop,hour,sold\n"),
    "a format that is not read": ("table.pdf", b"%PDF"),
    "UTF-16": ("table.csv", "shop,hour,sold".encode("utf-16")),
    "Latin-1": ("table.csv", "shop,heure,été\n".encode("latin-1")),
    "numbers instead of names": ("table.csv", b"1,2.5,3\n2,2.6,4\n"),
}


def prices(symbols: tuple[str, ...] = ("BBB", "CCC", "DDD", "EEE", "FFF")) -> pd.DataFrame:
    days = pd.bdate_range("2014-01-02", "2014-06-30").strftime("%Y-%m-%d")
    frames = []
    for number, name in enumerate(symbols):
        frame = pd.DataFrame(
            {
                "date": days,
                "open": "5",
                "high": [f"{6 + number * day / 100}" for day in range(len(days))],
                "low": "4",
            }
        )
        frames.append(frame.assign(close="5", volume="10", Name=name))
    return pd.concat(frames, ignore_index=True)


def model() -> LSTMAutoencoder:
    return LSTMAutoencoder(
        Architecture(1, 6, 4, 4, 4, 1, 1, "state", "backward", "linear", None, 8, False)
    )


def renamed(folder: Path, old: str, new: str) -> None:
    content = (folder / "model.json").read_text()
    assert old in content
    (folder / "model.json").write_text(content.replace(old, new))


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def digits(
    folder: Path,
    damage: Callable[[bytes], bytes] = bytes,
    damage_labels: Callable[[bytes], bytes] = bytes,
) -> None:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem in ("train", "t10k"):
        (raw / f"{stem}-labels-idx1-ubyte").write_bytes(
            damage_labels(np.array([0x801, 20], ">i4").tobytes() + bytes(range(10)) * 2)
        )
        (raw / f"{stem}-images-idx3-ubyte").write_bytes(
            damage(np.array([0x803, 20, 28, 28], ">i4").tobytes() + bytes(20 * 784))
        )


Case = tuple[str, str, Callable[[Path], object]]


def cases() -> Iterator[Case]:
    """Title, what is wrong, and what reads it in an empty folder."""
    params = load_params(ROOT / "params.yaml")
    yield from params_cases()
    yield from price_cases(params)
    yield from image_cases(params)
    yield from model_cases()
    yield from prepared_cases()
    yield from table_cases()
    yield from kind_cases()


def params_cases() -> Iterator[Case]:
    text = (ROOT / "params.yaml").read_text()

    def read(folder: Path, old: str, new: str) -> object:
        assert old in text, old
        (folder / "params.yaml").write_text(text.replace(old, new, 1))
        return load_params(folder / "params.yaml")

    for old, new in PARAMS:
        before, after = (" ".join(part.split()) for part in (old, new))
        wrong = f"`{before}` becomes `{after}`" if new else f"`{before}` is left out"
        yield "params.yaml", wrong, partial(read, old=old, new=new)


def price_cases(params: Params) -> Iterator[Case]:
    def read(folder: Path, content: bytes) -> object:
        (folder / FILE).write_bytes(content)
        return stock_windows.prepare(params.section("snp").data, RawData("snp", folder, 0))

    for wrong, change in TABLES.items():
        content = change(prices()).to_csv(index=False).encode()
        yield "Prices", wrong, partial(read, content=content)
    for wrong, content in RAW_TABLES.items():
        yield "Prices", wrong, partial(read, content=content)


def image_cases(params: Params) -> Iterator[Case]:
    def read(folder: Path, **damage: Callable[[bytes], bytes]) -> object:
        digits(folder, **damage)
        data = params.section("mnist_rows_class").data
        return mnist.prepare(data, RawData("mnist_rows_class", folder, 0))

    for wrong, damage in IMAGES.items():
        yield "Images", wrong, partial(read, damage=damage)
    for wrong, damage in LABELS.items():
        yield "Images", wrong, partial(read, damage_labels=damage)


def model_cases() -> Iterator[Case]:
    def read(folder: Path, damage: Callable[[Path], object]) -> object:
        save_autoencoder(model(), folder)
        damage(folder)
        return load_autoencoder(folder)

    def read_with_layout(folder: Path, layout: Layout) -> object:
        save_autoencoder(model(), folder)
        save_layout(layout, folder)
        return load_package(folder, torch.device("cpu"))

    for wrong, damage in MODELS.items():
        yield "Models", wrong, partial(read, damage=damage)
    for wrong, layout in {
        "layout.json of a longer sequence": Layout.of_sequences(7, features=1),
        "layout.json of more variables": Layout.of_sequences(6, features=2),
        "layout.json of a table whose next step is predicted": predicting_layout(),
    }.items():
        yield "Models", wrong, partial(read_with_layout, layout=layout)


def predicting_layout() -> Layout:
    changed = {"window": 6, "predict": True}
    return Layout.of_table(TableData.model_validate(SHOPS.model_dump() | changed))


def prepared_cases() -> Iterator[Case]:
    def read_split(folder: Path, content: bytes | None) -> object:
        if content is not None:
            (folder / "train.safetensors").write_bytes(content)
        return load_split(folder, "train")

    def read_description(folder: Path, content: dict[str, object]) -> object:
        write_json(folder / "description.json", content)
        return load_description(folder)

    def read_layout(folder: Path, content: dict[str, object]) -> object:
        write_json(folder / "layout.json", content)
        return load_layout(folder)

    for wrong, junk in SPLITS.items():
        yield "Prepared data", wrong, partial(read_split, content=junk)
    yield "Prepared data", "the description is missing", load_description
    description = asdict(Description("shops", unit_interval=False))
    lacking = {"unit_interval": False}
    wrong = "description.json lacks a key"
    yield "Prepared data", wrong, partial(read_description, content=lacking)
    for wrong, changed in DESCRIPTIONS.items():
        yield "Prepared data", wrong, partial(read_description, content=description | changed)
    yield "Prepared data", "the layout is missing", load_layout
    layout = asdict(Layout.of_table(SHOPS))
    lacking = {key: value for key, value in layout.items() if key != "window"}
    yield "Prepared data", "layout.json lacks a key", partial(read_layout, content=lacking)
    for wrong, changed in LAYOUTS.items():
        yield "Prepared data", wrong, partial(read_layout, content=layout | changed)


def table_cases() -> Iterator[Case]:
    def read(folder: Path, name: str, content: bytes, changed: dict[str, object]) -> object:
        (folder / name).write_bytes(content)
        data = TableData.model_validate(SHOPS.model_dump() | changed)
        return prepare_table(folder / name, data, 0, "")

    rows = ["shop,hour,sold"]
    for shop in "ab":
        rows += [f"{shop},{hour},{hour % 7}.5" for hour in range(1, 41)]
    for wrong, (changed, alter) in OWN_TABLES.items():
        content = "\n".join(alter(rows)).encode()
        yield "Tables", wrong, partial(read, name="table.csv", content=content, changed=changed)
    for wrong, (name, content) in OWN_RAW_TABLES.items():
        yield "Tables", wrong, partial(read, name=name, content=content, changed={})
    yield "Tables", "there is none of the section", lambda _: find_table("mine")


def kind_cases() -> Iterator[Case]:
    """Of a kind that has its block in params alone."""
    wrong = "a kind that is declared in params and registered nowhere"
    yield "Kinds of data sets", f"{wrong}, as it is acquired", lambda _: kind_of("sine")
    yield "Kinds of data sets", f"{wrong}, as it is evaluated", lambda _: study_of("sine")


def page() -> str:
    """The whole of docs/errors.md."""
    text = (
        "# Bad inputs, and the line each gets\n\n"
        "A stage that finds one of these prints `error: ` and the line, and ends with status 2.\n"
        "`PYTHONPATH=src python stages/train.py toy --debug` and `lstm-ae --debug score ...` show\n"
        "the traceback. What DVC refuses itself keeps DVC's words. "
        f"`{FOLDER}` is the folder of the\n"
        "file. A test compares this page with what is said.\n"
    )
    title = ""
    for part, wrong, read in cases():
        if part != title:
            text += f"\n## {part}\n\n| what is wrong | the line |\n|---|---|\n"
        title = part
        with tempfile.TemporaryDirectory() as folder:
            try:
                read(Path(folder))
                line = "(accepted)"
            except InputError as error:
                line = str(error).replace(folder, FOLDER)
        assert "\n" not in line and line != "(accepted)", (wrong, line)
        text += f"| {cell(wrong)} | {cell(line)} |\n"
    return text


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def test_the_page_of_errors_holds_what_is_said() -> None:
    assert PAGE.read_text() == page(), (
        "docs/errors.md is not what is said now: python -m tests.test_bad_input"
    )


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]).encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: text.replace("\n", ",a note\n").replace("Name,a note", "Name,note").encode(),
    ],
    ids=["byte-order mark", "CRLF", "unsorted", "empty lines", "a further column"],
)
def test_other_ways_to_write_the_same_table_are_read(tmp_path, params: Params, encode) -> None:
    data = params.section("snp").data
    text = prices().to_csv(index=False)
    raw = RawData("snp", tmp_path, 0)
    (tmp_path / FILE).write_bytes(text.encode())
    plain = stock_windows.prepare(data, raw)
    (tmp_path / FILE).write_bytes(encode(text))
    other = stock_windows.prepare(data, raw)
    assert np.array_equal(plain.splits["train"].sequences, other.splits["train"].sequences)
    assert (plain.description, plain.layout) == (other.description, other.layout)


if __name__ == "__main__":
    PAGE.write_text(page())
