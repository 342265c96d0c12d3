"""lstm-ae: the commands of the project beside `dvc`."""

import sys

import typer

from lstm_ae.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.callback()
def commands() -> None:
    """LSTM autoencoders: a section of the study from your own table, and what a trained model can be used for."""


def main() -> None:
    """Run a command. What the user can mend ends it with one line and exit status 2."""
    try:
        app()
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
