"""lstm-ae: the commands of the project beside `dvc`."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstm_ae import __version__
from lstm_ae.core.errors import InputError

# pandas and torch take seconds to import: each command imports what it needs.
if TYPE_CHECKING:
    import pandas as pd

    from lstm_ae.package.package import Package
    from lstm_ae.use.proposal import Proposal
    from lstm_ae.use.table_summary import TableSummary

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _checked_suffix(path: Path) -> Path:
    """The path of a table to write, its suffix checked before anything is computed."""
    from lstm_ae.data.reading import WRITTEN_SUFFIXES

    if not path.name.lower().endswith(WRITTEN_SUFFIXES):
        first, *others = WRITTEN_SUFFIXES
        names = f"{first}, {' or '.join(others)}"
        raise InputError(f"{path}: found the suffix {path.suffix!r}; a table is written as {names}")
    return path


def _shares(text: str | None) -> tuple[float, float, float] | None:
    """Shares like 0.6,0.2,0.2 as numbers."""
    if text is None:
        return None
    try:
        train, validation, test = map(float, text.split(","))
    except ValueError as error:
        raise InputError(
            f"--split: found {text!r}; give three shares with commas between, such as 0.6,0.2,0.2"
        ) from error
    return train, validation, test


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lstm-ae {__version__}")
        raise typer.Exit


MODEL = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Folder of a trained model, such as models/toy.")
]
INPUT = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        help="Table of the form the model was trained on, such as a .csv or .parquet file.",
    ),
]
OUT = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        help="Table to write: a .csv, .csv.gz or .parquet file.",
        callback=_checked_suffix,
    ),
]


@app.callback()
def commands(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, not one line.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Make a section of the study from your own table, and use trained LSTM autoencoders."""
    logging.basicConfig(level=logging.WARNING, format="warning: %(message)s")


@app.command("new-section")
def new_section(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Your table, such as a .csv or .parquet file. A row is a step, or a step of one "
            "of several series.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the section. Default: the name of the file.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns of values, with commas between; a name with a comma stands alone, and "
            "the option may be repeated. Default: all columns of numbers that can be values."
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Column of times. Default: found in the table.")
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option(
            help="How times are written: a pattern such as %d/%m/%Y, or s, ms, us or ns since "
            "1970. Default: found in the table."
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(help="Column that names the series of a row. Default: found in the table."),
    ] = None,
    duplicates: Annotated[
        str | None,
        typer.Option(
            help="Row that counts where several have one time: first, last or mean. Default: that "
            "is an error."
        ),
    ] = None,
    missing: Annotated[
        list[float] | None,
        typer.Option(help="Number that means that nothing was measured; may be repeated."),
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=2, help="Steps of a window. Default: a cycle of the table.")
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(
            min=1, help="Steps between two training windows. Default: 1, or more in long tables."
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Shares of training, validation and test. Default: 0.6,0.2,0.2."),
    ] = None,
    predict: Annotated[
        bool, typer.Option("--predict", help="Also learn to predict the step after each step.")
    ] = False,
    wide: Annotated[
        bool,
        typer.Option(
            "--wide",
            help="Read each column as a series of its own. Default: the columns are the variables "
            "of one series.",
        ),
    ] = False,
    add: Annotated[
        bool, typer.Option("--add", help="Add the section. Default: only show it.")
    ] = False,
) -> None:
    """Propose a section for your table, and add it.

    Looks at the table, and shows a block for params.yaml and lines for dvc.yaml. With `--add`, the
    table is copied to data/tables and given to DVC, and both files get their lines; all else in
    them stays as it is. You can change every value of the block afterwards.
    """
    from lstm_ae.use.new_section import add_section, extend_files, section_name, section_text
    from lstm_ae.use.proposal import RefusedError, Shape, propose_section
    from lstm_ae.use.table_summary import summarize_table
    from lstm_ae.use.wishes import Wishes

    wishes = Wishes(
        columns,
        time,
        series,
        time_format,
        duplicates,
        missing,
    )
    shape = Shape(
        predict,
        "series" if wide else "variables",
        window,
        stride,
        _shares(split),
    )
    summary = summarize_table(path, wishes)
    name = section_name(path, name)
    try:
        proposal = propose_section(path, summary, shape)
    except RefusedError as error:
        _show_summary(path, summary)
        block = section_text(name, {"data": error.data})
        typer.echo(f"\nThe block that would be edited\n\n{block}")
        raise
    extend_files(name, proposal.section)
    _show(path, name, summary, proposal)
    if not add:
        typer.echo("\nNothing is written yet; --add adds it.")
        return
    place = add_section(path, name, proposal.section)
    files = f"{place}.dvc {place.parent}/.gitignore params.yaml dvc.yaml dvc.lock"
    typer.echo(f"\nAdded. Next:\n  dvc repro evaluate@{name}\n  git add {files}")


def _show_summary(path: Path, summary: "TableSummary") -> None:
    typer.echo(f"{path}: {len(summary.table)} rows")
    for line in summary.lines():
        typer.echo(line)


def _show(path: Path, name: str, summary: "TableSummary", proposal: "Proposal") -> None:
    """Print what a table holds, and what the two files would get."""
    from lstm_ae.core.yaml import to_text
    from lstm_ae.use.new_section import pipeline_items, section_text

    _show_summary(path, summary)
    for line in proposal.reasons:
        typer.echo(line)
    section = proposal.section
    typer.echo(f"\nparams.yaml\n\n{section_text(name, section)}\ndvc.yaml")
    for key, items in pipeline_items(name, section["data"]["predict"]).items():
        typer.echo(f"\n{to_text({key: items}).rstrip()}")


@app.command()
def reconstruct(model: MODEL, table: INPUT, out: OUT) -> None:
    """Pass a table through the code of a model.

    The reconstruction has the columns and units of the table.
    """
    from lstm_ae.use import inference

    package = _load(model)
    _write(inference.reconstruct(package, table), out, package)


@app.command()
def encode(model: MODEL, table: INPUT, out: OUT) -> None:
    """Write the code of each window.

    A row is a window: its series, the times of its first and last step, and the numbers of its
    code. A model with a class head adds the class and its probability.
    """
    from lstm_ae.use import inference

    package = _load(model)
    _write(inference.encode(package, table), out, package)


@app.command()
def forecast(
    model: MODEL,
    table: INPUT,
    out: OUT,
    horizon: Annotated[
        int | None,
        typer.Option(
            help="Steps to forecast after the end of each series. Default: as many as the "
            "intervals reach."
        ),
    ] = None,
    level: Annotated[
        float, typer.Option(help="Share of future values that the prediction intervals hold.")
    ] = 0.9,
) -> None:
    """Forecast the steps after the end of each series.

    The model reads the last window of a series and then its own predictions. The intervals are
    calibrated on the validation split.
    """
    from lstm_ae.use import inference

    package = _load(model)
    ahead = inference.forecast(package, table, horizon, level)
    _write(ahead, out, package)
    typer.echo(f"{ahead['step'].max()} steps, intervals of {level:.0%}")


@app.command()
def score(
    model: MODEL,
    table: INPUT,
    out: OUT,
    false_alarms: Annotated[
        float,
        typer.Option(help="Share of windows like those of validation that may be alarms."),
    ] = 0.01,
    figure: Annotated[
        Path | None,
        typer.Option(help="Picture of the alarms over time to draw: a .png file. Default: none."),
    ] = None,
) -> None:
    """Find the windows that are unlike the training data.

    A row is a window: its series, the times of its first and last step, its reconstruction error,
    the share of validation windows with an error as large (p-value), and whether it is an alarm.
    """
    from lstm_ae.use import inference

    package = _load(model)
    scores = inference.score(package, table, false_alarms, figure)
    _write(scores, out, package)
    alarms = f"{scores['alarm'].sum()} of {len(scores)} windows are alarms"
    threshold = f"an error above {scores.attrs['threshold']:.4g}"
    share = f"{false_alarms:.2%} of windows like those of validation"
    typer.echo(f"{alarms}: {threshold}, as {share} have")


@app.command()
def export(
    model: MODEL,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, with suffix .onnx.")],
) -> None:
    """Write a model as ONNX.

    It maps `sequences` (batch, steps, variables), scaled, to `reconstruction`, `code` and what else
    the model answers. The metadata `layout` says how values are scaled.
    """
    from lstm_ae.use import inference

    if out.suffix != ".onnx":
        raise InputError(f"{out}: found the suffix {out.suffix!r}; give a .onnx file")
    inference.export(_load(model), out)
    typer.echo(f"wrote {out}")


def _load(directory: Path) -> "Package":
    """Read a model onto the fastest device of this machine."""
    from lstm_ae.model import runtime
    from lstm_ae.use import inference

    device = runtime.start("auto", "auto")
    return inference.load_model(directory, str(device))


def _write(frame: "pd.DataFrame", path: Path, package: "Package") -> None:
    """Write a table in the format of its suffix."""
    from lstm_ae.core.files import replacing
    from lstm_ae.data.reading import table_suffix
    from lstm_ae.use.digits import as_text

    suffix = table_suffix(path)
    compression: Any = {"method": "gzip", "mtime": 0} if suffix == ".csv.gz" else None
    with replacing(path) as temporary:
        if suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            as_text(frame, package.layout.time).to_csv(
                temporary,
                index=False,
                lineterminator="\n",
                compression=compression,
            )
    typer.echo(f"wrote {path}: {len(frame)} rows")


def main() -> None:
    """Run a command. An error that the user can mend ends it with one line and exit status 2."""
    try:
        app()
    except (InputError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
