"""How a stage script starts: its section, its log, its errors.

Stages import it before NumPy, which reads the caps of `lstm_ae.core.processor` once.
"""

import argparse
import logging
import sys
from collections.abc import Callable

from lstm_ae.core.errors import InputError
from lstm_ae.core.paths import PARAMS
from lstm_ae.params import load_params


def run(stage: Callable[..., None], with_section: bool = True, **switches: str) -> None:
    """Run a stage on the validated params.

    An error that the user can mend ends it with one line and exit status 2; `--debug` shows the
    traceback instead.

    Parameters
    ----------
    stage
        Called with the params, the section's name where there is one, and each switch by its name.
    switches
        Further options of the command line by name, each with its help; they are on or off.
    """
    arguments = _parser(with_section, switches).parse_args()
    logging.basicConfig(
        level=logging.INFO,
        format="%(message)s",
        stream=sys.stderr,
    )
    options = {name: getattr(arguments, name) for name in switches}
    try:
        params = load_params(PARAMS)
        if with_section:
            params.section(arguments.section)
            stage(params, arguments.section, **options)
        else:
            stage(params, **options)
    except (InputError, OSError) as error:
        if arguments.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _parser(with_section: bool, switches: dict[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=sys.modules["__main__"].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if with_section:
        parser.add_argument("section", help="a name under sections in params.yaml")
    for name, meaning in switches.items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    parser.add_argument(
        "--debug",
        action="store_true",
        help="show the traceback of an error",
    )
    return parser
