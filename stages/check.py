"""check: every value of params.yaml is known, allowed and fits the others.

python stages/check.py
"""

import logging

from lstm_ae.stage import run

from lstm_ae.params import Params


def check(params: Params) -> None:
    """Loading has validated the params; what is left is to say so."""
    logging.info("params.yaml: %d sections, budget %s", len(params.sections), params.budget)


if __name__ == "__main__":
    run(check, with_section=False)
