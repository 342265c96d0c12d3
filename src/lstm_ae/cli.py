"""lstm-ae: the commands of the project beside `dvc`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from lstm_ae.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.callback()
def commands() -> None:
    """LSTM autoencoders: a section of the study from your own table, and what a trained model can be used for."""


@app.command("new-section")
def new_section(
    path: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A .csv, .csv.gz or .parquet file: a row a step, or a row a series and step.")
    ],
    name: Annotated[str | None, typer.Option(help="Of the section; else the file's.")] = None,
    columns: Annotated[str | None, typer.Option(help="The columns of values, with commas between; else all that hold numbers.")] = None,
    predict: Annotated[bool, typer.Option("--predict", help="Predict the step after each step as well.")] = False,
    wide: Annotated[bool, typer.Option("--wide", help="Each column is a series of its own; else a variable of one series.")] = False,
    add: Annotated[bool, typer.Option("--add", help="Add the section; else it is only shown.")] = False,
) -> None:
    """Propose a section for your table, and add it.

    Looks at the table, and shows a block for params.yaml and lines for dvc.yaml. With `--add` the table is copied to data/tables and given
    to DVC, and both files get their lines; all else in them stays as it is. Every value of the block can be changed afterwards.
    """
    from lstm_ae import new_section as section  # pandas takes a second

    sight = section.look(path, list(dict.fromkeys(columns.split(","))) if columns else None)
    name = section.section_name(path, name)
    proposal, reasons = section.propose(path, sight, predict, "series" if wide else "variables")
    content = section.extended(name, proposal)
    typer.echo(section.told(path, sight, reasons))
    typer.echo(f"\nparams.yaml\n\n{section.block_text(name, proposal)}\ndvc.yaml")
    for key, lines in section.pipeline_texts(name, predict).items():
        typer.echo(f"\n{key}:\n{lines.rstrip()}")
    if not add:
        typer.echo("\nNothing is written yet; --add adds it.")
        return
    place = section.add(path, name, content)
    typer.echo(
        f"\nAdded. Next:\n  dvc repro evaluate@{name}\n  git add {place}.dvc {place.parent}/.gitignore params.yaml dvc.yaml dvc.lock"
    )


def main() -> None:
    """Run a command. What the user can mend ends it with one line and exit status 2."""
    try:
        app()
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
