"""A search by two workers against the same search by one.

python -m benchmarks.search [section]

Measures whole seconds, the start of the processes included, on the prepared data of `dvc repro`.
One and two workers take turns, so that a machine that slows down does so for both; two cores and
nothing beside it are needed.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from lstm_ae.core import paths
from lstm_ae.params import load_params
from lstm_ae.search.local import run_trials
from lstm_ae.search.study import trials_table
from lstm_ae.search.trial import Task

ROUNDS = 3


def measured(task: Task, workers: int) -> tuple[float, str]:
    """Seconds of a search, and its table."""
    with tempfile.TemporaryDirectory() as directory:
        begun = time.perf_counter()
        study = run_trials(task, Path(directory), workers)
        seconds = time.perf_counter() - begun
    return seconds, trials_table(study).to_csv()


def comparison(by_one: float, by_two: float) -> str:
    """Both seconds, and how they compare."""
    return f"one worker {by_one:.1f} s, two {by_two:.1f} s: {by_one / by_two:.2f} times as fast"


def main() -> None:
    section = sys.argv[1] if len(sys.argv) > 1 else "toy"
    task = Task.of(load_params(paths.PARAMS), section, "cpu")
    seconds: dict[int, list[float]] = {1: [], 2: []}
    tables = set()
    for _ in range(ROUNDS):
        for workers, of_workers in seconds.items():
            of_search, table = measured(task, workers)
            of_workers.append(of_search)
            tables.add(table)
        print(comparison(seconds[1][-1], seconds[2][-1]), flush=True)
    medians = [statistics.median(of_workers) for of_workers in seconds.values()]
    print(f"medians: {comparison(*medians)}, tables {len(tables)}")


if __name__ == "__main__":
    main()
