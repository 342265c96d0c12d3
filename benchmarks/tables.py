"""Time and memory of a proposal for large tables: a row of the table in docs/scaling.md each.

python -m benchmarks.tables

The tables are made in a temporary folder, 1 GB in all. One thread; memory is the process's peak.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

MEGABYTE = 1000.0  # in the kilobytes of getrusage


def steps(rows: int, columns: int) -> pd.DataFrame:
    """A row a second, whose columns have the cycle of an hour and noise."""
    random = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * np.arange(rows) / 3600)[:, None]
    values = (wave + random.normal(0, 0.3, (rows, columns))).astype(np.float32)
    table = pd.DataFrame(values, columns=[f"x{number}y" for number in range(columns)])
    table.insert(0, "time", pd.date_range("2000-01-01", periods=rows, freq="s"))
    return table


def panel(series: int, days: int) -> pd.DataFrame:
    """Random walks of many series, a row a day each."""
    random = np.random.default_rng(0)
    names = [f"s{number:05d}" for number in range(series)]
    return pd.DataFrame(
        {
            "time": np.tile(pd.date_range("2000-01-01", periods=days), series),
            "name": np.repeat(names, days),
            "x": random.normal(size=series * days).cumsum(),
        }
    )


def as_csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, float_format="%.5f")


def as_parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path)


Write = Callable[[pd.DataFrame, Path], None]
TABLES: dict[str, tuple[str, Callable[[], pd.DataFrame], Write]] = {
    "1,000,000 rows of 10 columns, CSV": ("a.csv", lambda: steps(1_000_000, 10), as_csv),
    "10,000,000 rows of 10, Parquet": ("b.parquet", lambda: steps(10_000_000, 10), as_parquet),
    "100,000 rows of 500, Parquet": ("c.parquet", lambda: steps(100_000, 500), as_parquet),
    "10,000 series of 60 rows, CSV": ("d.csv", lambda: panel(10_000, 60), as_csv),
}


def measure(path: Path) -> None:
    """Propose a section, and print the processor's seconds and the peak memory."""
    from lstm_ae.use.proposal import Shape, propose_section
    from lstm_ae.use.table_summary import summarize_table

    begun = time.process_time()
    propose_section(path, summarize_table(path), Shape())
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    print(f"{seconds:.0f} s | {peak:.0f} MB")


def main() -> None:
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
        return
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as directory:
        for name, (file, make, write) in TABLES.items():
            path = Path(directory) / file
            write(make(), path)
            command = [sys.executable, "-m", "benchmarks.tables", str(path)]
            print(f"| {name} | {path.stat().st_size / 1e6:.0f} MB |", end=" ", flush=True)
            subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
