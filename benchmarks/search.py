"""A search by two workers against the same search by one: whole seconds, the start of the processes included.

python benchmarks/search.py [section]

Works on the prepared data of `dvc repro`. One and two take turns, so that a machine that slows down does so for both; two cores and nothing
beside it are needed.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from lstm_ae.core import paths
from lstm_ae.params import load_params
from lstm_ae.search.local import search, trials_table
from lstm_ae.search.trial import Task

ROUNDS = 3


def measured(task: Task, workers: int) -> tuple[float, str]:
    """Seconds of a search, and its table."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        study = search(task, Path(folder), workers)
        return time.perf_counter() - begun, trials_table(study).to_csv()


def main() -> None:
    task = Task.of(load_params(paths.PARAMS), sys.argv[1] if len(sys.argv) > 1 else "toy", "cpu")
    one, two, tables = [], [], set()
    for _ in range(ROUNDS):
        for seconds, workers in ((one, 1), (two, 2)):
            found, table = measured(task, workers)
            seconds.append(found)
            tables.add(table)
        print(
            f"one worker {one[-1]:.1f} s, two {two[-1]:.1f} s: {one[-1] / two[-1]:.2f} times as fast",
            flush=True,
        )
    ratio = statistics.median(one) / statistics.median(two)
    print(
        f"medians {statistics.median(one):.1f} s and {statistics.median(two):.1f} s: {ratio:.2f} times as fast, tables {len(tables)}"
    )


if __name__ == "__main__":
    main()
