"""docs/benchmarks.jsonl becomes docs/benchmarks.md and docs/benchmarks.png.

python -m benchmarks.bench_report
"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.measuring import BARE, LOADED, LOADED_STEPS, MEASURED, RIVALS, SCRIPTS
from lstm_ae.core.files import write_text
from lstm_ae.evaluation import figures

PAGE = Path("docs/benchmarks.md")
FIGURE = Path("docs/benchmarks.png")
TEMPLATE = Path(__file__).with_name("benchmarks.md.jinja")
LOOKS = {
    "this project": (figures.MODEL, "-"),
    "PyTorch": (figures.ORIGINAL, "--"),
    "Keras": (figures.SECOND, "-."),
    "sequitur": (figures.FOURTH, ":"),
}
LOADS = ((2, False), (1, False), (2, True), (1, True))  # threads, and whether beside other work

Row = dict[str, Any]


def spread(values: Sequence[float], number: str) -> str:
    """The median, and where there are several the lowest and highest beside it."""
    if not values:
        return "-"
    median = statistics.median(values)
    if len(values) == 1:
        return f"{median:{number}}"
    return f"{median:{number}} ({min(values):{number}} - {max(values):{number}})"


def line(cells: Iterable[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    rule = ["---"] * len(header)
    return "\n".join(line(cells) for cells in (header, rule, *rows))


def taken(rows: list[Row], **wanted: Any) -> list[Row]:
    """The measurements whose fields have these values."""
    return [row for row in rows if wanted.items() <= row.items()]


def distinct(rows: list[Row], name: str) -> list[Any]:
    """The values of a field in the order of their first appearance."""
    return list(dict.fromkeys(row[name] for row in rows))


def lowest(row: Row) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds of the laps, and the lowest loss up to each."""
    seconds = np.array([lap["seconds"] for lap in row["laps"]])
    losses = np.array([lap["loss"] for lap in row["laps"]])
    return seconds, np.minimum.accumulate(losses)


def loss_after(row: Row, seconds: float) -> float:
    """The lowest loss so far, between two laps along a line."""
    return float(np.interp(seconds, *lowest(row)))


def seconds_to(row: Row, loss: float) -> float | None:
    """When the lowest loss first came down to this one, between two laps along a line.

    Returns
    -------
    Seconds; None where it did not.
    """
    seconds, losses = lowest(row)
    if losses[-1] > loss:
        return None
    end = int(np.argmax(losses <= loss)) + 1
    return float(np.interp(-loss, -losses[:end], seconds[:end]))


def rate(row: Row) -> float:
    """Sequences a second after the first epoch."""
    first = row["laps"][1]
    last = row["laps"][-1]
    return (last["sequences"] - first["sequences"]) / (last["seconds"] - first["seconds"])


def epoch(row: Row) -> float:
    """Seconds of one pass over the training sequences."""
    return row["sequences"] / rate(row)


def building(row: Row) -> float:
    """Seconds until the first lap: the model at its start."""
    return float(row["laps"][0]["seconds"])


def flops(row: Row) -> float:
    """Floating-point operations of the matrix products of one training sequence.

    They are those of the forward pass, and of the backward pass to the weights and to the inputs
    that are trained. Of the matrix product, those of the product of a matrix with itself.
    """
    if row["peer"] == "matrix product":
        return 2.0 * row["sequences"] ** 3
    hidden = row["hidden_size"]
    layers = row["layers"]
    features = row["features"]
    upper = (layers - 1) * 8 * hidden * hidden
    encoder = 4 * hidden * (features + hidden) + upper
    if row["peer"] == "darts":
        forward = encoder * (row["steps"] - 1) / row["steps"]
        to_inputs = forward - 4 * hidden * features
        return 2.0 * row["steps"] * (2 * forward + to_inputs)
    # The plain form's decoder reads the code at every step.
    code = hidden if row["peer"] in ("PyTorch", "Keras") else 0
    decoder = 4 * hidden * ((code or 1) + hidden) + upper
    readouts = 1 if layers == 1 or code else 2  # the memory and the layers above are both read
    readout = 0 if row["peer"] in BARE else readouts * hidden * features
    forward = encoder + decoder + readout
    to_inputs = forward - 4 * hidden * features - (0 if code else 4 * hidden)
    return 2.0 * row["steps"] * (2 * forward + to_inputs)


def size(row: Row) -> str:
    """A task and how large it is."""
    layers = "" if row["layers"] == 1 else f"{row['layers']} x "
    numbers = f"{row['steps']} x {row['features']}"
    return f"{row['task']}, {numbers}, hidden {layers}{row['hidden_size']}"


def race(rows: list[Row], rates: list[Row]) -> dict[str, str]:
    """One task's losses, each run beside PyTorch's of the same number."""
    seconds = rows[0]["seconds"]
    best: dict[int, float] = {}
    for row in taken(rows, peer="PyTorch"):
        losses = [lap["loss"] for lap in row["laps"] if lap["seconds"] <= seconds]
        best[row["run"]] = min(losses)
    lines = []
    for peer in RIVALS:
        runs = [row for row in taken(rows, peer=peer) if row["run"] in best]
        cells = [
            peer,
            f"{runs[0]['lr']:g}",
            spread([building(row) for row in runs], ".2f"),
            reached(runs, best, seconds),
            spread([loss_after(row, seconds) for row in runs], ".3g"),
        ]
        lines.append(cells)
    header = [
        "peer",
        "learning rate",
        "building, s",
        "seconds to PyTorch's best loss",
        f"loss after {seconds:g} s",
    ]
    tried = [f"{lowest(row)[1][-1]:.3g} at {row['lr']:g}" for row in rates]
    sequences = f"{rows[0]['sequences']} sequences, batch {rows[0]['batch_size']}"
    return {
        "title": f"{size(rows[0])}: {sequences}",
        "table": table(header, lines),
        "tried": ", ".join(tried),
        "tried_seconds": f"{rates[0]['seconds']:g}",
    }


def reached(runs: list[Row], best: dict[int, float], seconds: float) -> str:
    """Seconds to the best loss of the PyTorch run of the same number, or how many runs reach it."""
    moments = []
    for row in runs:
        moment = seconds_to(row, best[row["run"]])
        if moment is not None and moment <= seconds:
            moments.append(moment)
    if len(moments) < len(runs):
        return f"reached in {len(moments)} of {len(runs)} runs"
    return spread(moments, ".2f")


def by_task(rows: list[Row], number: Callable[[Row], float]) -> str:
    """A line a task, a column a peer."""
    peers = [peer for peer in SCRIPTS if taken(rows, peer=peer)]
    lines = []
    for task in distinct(rows, "task"):
        of_task = taken(rows, task=task)
        cells = [size(of_task[0])]
        for peer in peers:
            values = [number(row) for row in taken(of_task, peer=peer)]
            cells.append(spread(values, ".0f"))
        lines.append(cells)
    return table(["task", *peers], lines)


def shares(rows: list[Row], products: list[Row]) -> dict[str, str]:
    """The share of the matrix product's operations a second, in per cent, and these."""
    peak = {row["run"]: rate(row) * flops(row) for row in products}
    with_peak = [row for row in rows if row["run"] in peak]
    return {
        "shares": by_task(with_peak, lambda row: 100 * rate(row) * flops(row) / peak[row["run"]]),
        "peak": spread([value / 1e9 for value in peak.values()], ".0f"),
    }


def loads(rows: list[Row]) -> str:
    """Milliseconds of a step on one thread and two, beside another process and without."""
    lines = []
    for task in distinct(rows, "task"):
        for peer in LOADED:
            of_peer = taken(rows, task=task, peer=peer)
            cells = [task, peer]
            for threads, busy in LOADS:
                measured = taken(of_peer, threads=threads, busy=busy)
                cells.append(spread([step_ms(row) for row in measured], ".0f"))
            cells.append(spread(kept(of_peer), ".0f"))
            lines.append(cells)
    header = [
        "task",
        "peer",
        "2 threads, ms",
        "1 thread, ms",
        "2 threads beside, ms",
        "1 thread beside, ms",
        "2 threads keep, %",
    ]
    return table(header, lines)


def step_ms(row: Row) -> float:
    """Milliseconds of a training step."""
    return 1e3 * row["batch_size"] / rate(row)


def kept(rows: list[Row]) -> list[float]:
    """Of each run, the share of its speed that two threads keep beside another process."""
    alone = {row["run"]: rate(row) for row in taken(rows, threads=2, busy=False)}
    beside = taken(rows, threads=2, busy=True)
    return [100 * rate(row) / alone[row["run"]] for row in beside if row["run"] in alone]


def scaling(rows: list[Row]) -> dict[str, str]:
    """Building, an epoch and memory as one of three grows.

    Beside them the exponent of the epoch's growth.
    """
    lines = []
    exponents = []
    for quantity in distinct(rows, "grown"):
        of_quantity = taken(rows, grown=quantity)
        values = distinct(of_quantity, "to")
        epochs = []
        for value in values:
            runs = taken(of_quantity, to=value)
            seconds = [epoch(row) for row in runs]
            epochs.append(statistics.median(seconds))
            cells = [
                quantity,
                str(value),
                spread([building(row) for row in runs], ".2f"),
                spread(seconds, ".3g"),
                spread([row["peak_mib"] for row in runs], ".0f"),
            ]
            lines.append(cells)
        exponent = np.log(epochs[-1] / epochs[0]) / np.log(values[-1] / values[0])
        exponents.append(f"{quantity} to the power of {exponent:.2f}")
    header = ["what grows", "to", "building, s", "an epoch, s", "peak MiB"]
    return {"scaling": table(header, lines), "exponents": ", ".join(exponents)}


def page(rows: list[Row]) -> str:
    """The text of docs/benchmarks.md; a part that was not measured is left out."""
    race_rows = taken(rows, part="race")
    speed_rows = taken(rows, part="speed")
    layer_rows = taken(rows, part="layers")
    scaling_rows = taken(rows, part="scaling")
    repro_rows = taken(rows, part="repro")
    content = heading(rows)
    if race_rows:
        rate_rows = taken(rows, part="rates")
        content["scored"] = race_rows[0]["scored"]
        content["race"] = [
            race(taken(race_rows, task=task), taken(rate_rows, task=task))
            for task in distinct(race_rows, "task")
        ]
    if speed_rows:
        products = taken(speed_rows, task="product")
        with_peers = [row for row in speed_rows if row not in products]
        alone = taken(with_peers, threads=2, busy=False)
        content["speed"] = by_task(alone, rate)
        content["memory"] = by_task(alone, lambda row: row["peak_mib"])
        content["loads"] = loads(with_peers)
        content["loaded_steps"] = LOADED_STEPS
        content["steps"] = shares(alone, products)
    if layer_rows:
        products = taken(layer_rows, task="product")
        bare = [row for row in layer_rows if row not in products]
        content["layers"] = shares(bare, products)
    if scaling_rows:
        content["stay"] = scaling_rows[0]["others"]
        content |= scaling(scaling_rows)
    if repro_rows:
        seconds = repro_rows[0]["seconds"]
        content["repro"] = spread(seconds, ".2f")
        content["repro_runs"] = len(seconds)
    template = jinja2.Template(
        TEMPLATE.read_text(),
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return template.render(content)


def heading(rows: list[Row]) -> Row:
    """The machine, the versions and the number of runs."""
    versions: dict[str, str] = {}
    for row in rows:
        versions |= row.get("versions", {})
    return {
        "machine": rows[0]["machine"],
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "runs": 1 + max(row.get("run", 0) for row in rows),
    }


def draw(rows: list[Row]) -> Figure:
    """Loss by seconds of every run, a panel a task."""
    tasks = distinct(rows, "task")
    figure, grid = plt.subplots(1, len(tasks), figsize=(4.0 * len(tasks), 3.6), squeeze=False)
    for axes, task in zip(grid[0], tasks, strict=True):
        draw_task(axes, taken(rows, task=task))
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(LOOKS))
    return figures.titled(figure, "Validation loss by seconds of training, every run")


def draw_task(axes: Axes, rows: list[Row]) -> None:
    """The curves of each peer's runs; the first run's has the label."""
    for peer, (colour, style) in LOOKS.items():
        for row in taken(rows, peer=peer):
            label = peer if row["run"] == 0 else None
            axes.plot(*lowest(row), color=colour, linestyle=style, label=label)
    axes.set(xlabel="seconds", ylabel="lowest validation MSE so far", yscale="log")
    axes.set(xlim=(0, rows[0]["seconds"]), title=size(rows[0]))
    figures.plain_log(axes)


def main() -> None:
    rows = [json.loads(line) for line in MEASURED.read_text().splitlines()]
    write_text(PAGE, page(rows))
    race_rows = taken(rows, part="race")
    if race_rows:
        figures.save(draw(race_rows), FIGURE)


if __name__ == "__main__":
    main()
