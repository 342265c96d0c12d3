"""lstm-ae: the commands of the project beside `dvc`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstm_ae import __version__
from lstm_ae.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_ae.package.package import Package

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


MODEL = Annotated[Path, typer.Argument(metavar="MODEL", help="A folder under models/.")]
INPUT = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        help="A .csv, .csv.gz or .parquet table of the form the model was trained on.",
    ),
]
OUT = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        help="The .csv, .csv.gz or .parquet table that is written.",
        callback=lambda path: _table(path),
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lstm-ae {__version__}")
        raise typer.Exit


@app.callback()
def commands(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """LSTM autoencoders: a section of the study from your own table, and what a trained model can be used for."""


@app.command("new-section")
def new_section(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="A .csv, .csv.gz or .parquet file: a row a step, or a row a series and step.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Of the section; else the file's.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="The columns of values, with commas between; else all that hold numbers."
        ),
    ] = None,
    predict: Annotated[
        bool, typer.Option("--predict", help="Predict the step after each step as well.")
    ] = False,
    wide: Annotated[
        bool,
        typer.Option(
            "--wide", help="Each column is a series of its own; else a variable of one series."
        ),
    ] = False,
    add: Annotated[
        bool, typer.Option("--add", help="Add the section; else it is only shown.")
    ] = False,
) -> None:
    """Propose a section for your table, and add it.

    Looks at the table, and shows a block for params.yaml and lines for dvc.yaml. With `--add` the table is copied to data/tables and given
    to DVC, and both files get their lines; all else in them stays as it is. Every value of the block can be changed afterwards.
    """
    # pandas takes a second
    from lstm_ae.core.yaml import to_text
    from lstm_ae.use.new_section import (
        add_section,
        extend_files,
        pipeline_items,
        section_name,
        section_text,
    )
    from lstm_ae.use.proposal import propose_section
    from lstm_ae.use.table_summary import summarize_table

    wanted = list(dict.fromkeys(columns.split(","))) if columns else None
    summary = summarize_table(path, wanted)
    name = section_name(path, name)
    proposal = propose_section(path, summary, predict, "series" if wide else "variables")
    texts = extend_files(name, proposal.section)
    typer.echo("\n".join([f"{path}: {summary.rows} rows", *summary.lines(), *proposal.reasons]))
    typer.echo(f"\nparams.yaml\n\n{section_text(name, proposal.section)}\ndvc.yaml")
    for key, items in pipeline_items(name, predict).items():
        typer.echo(f"\n{to_text({key: items}).rstrip()}")
    if not add:
        typer.echo("\nNothing is written yet; --add adds it.")
        return
    place = add_section(path, name, texts)
    typer.echo(
        f"\nAdded. Next:\n  dvc repro evaluate@{name}\n  git add {place}.dvc {place.parent}/.gitignore params.yaml dvc.yaml dvc.lock"
    )


@app.command()
def reconstruct(model: MODEL, table: INPUT, out: OUT) -> None:
    """Pass a table through the code of a model.

    What comes back is in the columns and units of the table.
    """
    from lstm_ae.use import inference

    package = _load(model)
    _write(inference.reconstruct(package, table), out, package)


@app.command()
def encode(model: MODEL, table: INPUT, out: OUT) -> None:
    """Write the code of each window.

    A row a window: its series, the times of its first and last step, the numbers of its code; and its class where the model tells one.
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
            help="Steps after the end of each series; else as far as the intervals reach."
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Of the prediction intervals.")] = 0.9,
) -> None:
    """Forecast the steps after the end of each series.

    The model reads the last window of a series and then its own predictions. The intervals are calibrated on the validation split.
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
        typer.Option(
            help="The share of windows like those of the validation split that are alarms."
        ),
    ] = 0.01,
    figure: Annotated[Path | None, typer.Option(help="A .png file: the alarms over time.")] = None,
) -> None:
    """Tell the windows that the model does not know: their reconstruction error, and alarms.

    A row a window: its series, the times of its first and last step, its error, the share of validation windows with an error as large
    (p-value), and whether that makes it an alarm.
    """
    from lstm_ae.use import inference

    package = _load(model)
    scored = inference.score(package, table, false_alarms, figure)
    _write(scored, out, package)
    threshold = scored.attrs["threshold"]
    alarms = f"{scored['alarm'].sum()} of {len(scored)} windows are alarms"
    typer.echo(
        f"{alarms}: an error above {threshold:.4g}, as {false_alarms:.2%} of windows like those of validation have"
    )


@app.command()
def export(
    model: MODEL,
    out: Annotated[Path, typer.Option("--out", "-o", help="The .onnx file that is written.")],
) -> None:
    """Write a model as ONNX.

    `sequences` (batch, steps, variables), scaled, to `reconstruction`, `code` and what else the model says. The metadata `layout` tells
    how values are scaled.
    """
    from lstm_ae.use import inference

    if out.suffix != ".onnx":
        raise InputError(f"{out}: found the suffix {out.suffix!r}; .onnx is allowed")
    inference.export(_load(model), out)
    typer.echo(f"wrote {out}")


def _load(directory: Path) -> "Package":
    """The model, on the device that is there."""
    import torch

    from lstm_ae.model import runtime
    from lstm_ae.use import inference

    return inference.load_model(directory, str(runtime.start("auto", torch.get_num_threads())))


def _table(path: Path) -> Path:
    """The path of a table, its suffix checked before anything is computed."""
    from lstm_ae.data.reading import table_suffix

    table_suffix(path)
    return path


def _write(frame: "pd.DataFrame", path: Path, model: "Package") -> None:
    """Write a table in the format of its suffix. In text, times have all their digits and other numbers nine."""
    from lstm_ae.core.files import replacing
    from lstm_ae.data.reading import table_suffix

    kind = table_suffix(path)
    with replacing(path) as temporary:
        if kind == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            times = [
                name
                for name in (model.layout.time, "time", "start", "end")
                if name in frame and frame[name].dtype.kind == "f"
            ]
            frame = frame.assign(**{str(name): frame[name].map(repr) for name in times})
            compression: Any = {"method": "gzip", "mtime": 0} if kind == ".csv.gz" else None
            frame.to_csv(
                temporary,
                index=False,
                lineterminator="\n",
                float_format="%.9g",
                compression=compression,
            )
    typer.echo(f"wrote {path}: {len(frame)} rows")


def main() -> None:
    """Run a command. What the user can mend ends it with one line and exit status 2."""
    try:
        app()
    except (InputError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
