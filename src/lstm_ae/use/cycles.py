"""How long the cycle of a table is, which a window should hold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_ae.units.windows import Series
from lstm_ae.use.table_cells import SHORTEST_CYCLE
from lstm_ae.use.table_summary import TableSummary

CYCLES = {
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "month": 30 * 86_400,
    "year": 365 * 86_400,
}  # seconds
WITHOUT_CYCLE = 48
LONGEST_CYCLE = 400  # steps
CYCLIC = 0.3  # autocorrelation of a cycle


def cycle_of(summary: TableSummary, series: Sequence[Series]) -> tuple[int, str]:
    """The steps of a window, and why: the shortest cycle of enough steps."""
    if summary.has_dates and summary.interval:
        for name, seconds in CYCLES.items():
            steps = round(seconds / summary.interval)
            if SHORTEST_CYCLE <= steps <= LONGEST_CYCLE:
                return steps, f"{'an' if name == 'hour' else 'a'} {name}"
    longest = max(series, key=lambda each: len(each))
    peak = _autocorrelation_peak(longest.values[:, 0])
    if peak is not None:
        return peak, "the autocorrelation of the first column is highest at that distance"
    return WITHOUT_CYCLE, "nothing tells how long a cycle is"


def _autocorrelation_peak(values: NDArray[np.float64]) -> int | None:
    """The distance of the highest peak of the autocorrelation, if it tells a cycle."""
    known = np.where(np.isfinite(values), values, np.nanmean(values))
    centred = known - known.mean()
    size = 2 * len(centred)
    power = np.square(np.abs(np.fft.rfft(centred, size)))
    correlation = np.fft.irfft(power, size)[: len(centred)]
    if not correlation[0] > 0:
        return None
    correlation = correlation / correlation[0]
    most = min(LONGEST_CYCLE, len(centred) // 10)
    inside = correlation[1:-1]
    is_peak = (inside > correlation[:-2]) & (inside >= correlation[2:]) & (inside > CYCLIC)
    peaks = np.flatnonzero(is_peak) + 1
    peaks = peaks[(peaks >= SHORTEST_CYCLE) & (peaks <= most)]
    return int(peaks[correlation[peaks].argmax()]) if len(peaks) else None
