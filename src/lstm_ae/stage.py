"""How a stage script starts: its section, its log, its errors."""

import argparse
import logging
import sys
from collections.abc import Callable

from lstm_ae.errors import InputError
from lstm_ae.params import Params, load_params
from lstm_ae.paths import PARAMS


def run(stage: Callable[[Params, str], None] | Callable[[Params], None], with_section: bool = True) -> None:
    """Run a stage on the validated params. What the user can mend ends it with one line and exit status 2; --debug shows the traceback."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    if with_section:
        parser.add_argument("section", help="a name under sections in params.yaml")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        params = load_params(PARAMS)
        if with_section:
            params.section(arguments.section)
            stage(params, arguments.section)  # type: ignore[call-arg]
        else:
            stage(params)  # type: ignore[call-arg]
    except InputError as error:
        if arguments.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
