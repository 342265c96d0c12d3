"""check: params.yaml is whole and sane.

python stages/check.py
"""

import logging

from lstm_ae.params import Params
from lstm_ae.stage import run


def check(params: Params) -> None:
    logging.info("params.yaml: %d sections, budget %s", len(params.sections), params.budget)


if __name__ == "__main__":
    run(check, with_section=False)
