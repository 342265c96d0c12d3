"""docs/benchmarks.jsonl becomes docs/benchmarks.md and docs/benchmarks.png.

python benchmarks/bench_report.py
"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib.pyplot as plt
import numpy as np

from lstm_ae.core.files import write_text
from lstm_ae.evaluation import figures

MEASURED, PAGE, FIGURE = (
    Path("docs/benchmarks.jsonl"),
    Path("docs/benchmarks.md"),
    Path("docs/benchmarks.png"),
)
TEMPLATE = Path(__file__).with_name("benchmarks.md.jinja")
LOOKS = {
    "this project": (figures.MODEL, "-"),
    "PyTorch": (figures.ORIGINAL, "--"),
    "Keras": (figures.SECOND, "-."),
    "sequitur": (figures.FOURTH, ":"),
}

Row = dict[str, Any]


def spread(values: Sequence[float], number: str) -> str:
    """The median, and the lowest and highest beside it."""
    return (
        f"{statistics.median(values):{number}} ({min(values):{number}} - {max(values):{number}})"
        if values
        else "-"
    )


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(line(cells) for cells in (header, ["---"] * len(header), *rows))


def taken(rows: list[Row], **wanted: Any) -> list[Row]:
    """The measurements whose fields have these values."""
    return [row for row in rows if wanted.items() <= row.items()]


def distinct(rows: list[Row], name: str) -> list[Any]:
    """The values of a field in the order of their first appearance."""
    return list(dict.fromkeys(row[name] for row in rows))


def lowest(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of the laps, and the lowest loss up to each."""
    return np.array([lap["seconds"] for lap in row["laps"]]), np.minimum.accumulate(
        [lap["loss"] for lap in row["laps"]]
    )


def loss_after(row: Row, seconds: float) -> float:
    """The lowest loss so far, between two laps along a line."""
    return float(np.interp(seconds, *lowest(row)))


def seconds_to(row: Row, loss: float) -> float | None:
    """When the lowest loss first came down to this one, between two laps along a line; None where it did not."""
    seconds, losses = lowest(row)
    if losses[-1] > loss:
        return None
    after = int(np.argmax(losses <= loss))
    return float(np.interp(-loss, -losses[: after + 1], seconds[: after + 1]))


def rate(row: Row) -> float:
    """Sequences a second after the first epoch."""
    first, last = row["laps"][1], row["laps"][-1]
    return (last["sequences"] - first["sequences"]) / (last["seconds"] - first["seconds"])


def flops(row: Row) -> float:
    """Floating-point operations of the matrix products of one training sequence: forward, and backward to weights and to inputs that are
    trained; of the product of a matrix with itself.
    """
    if row["peer"] == "matrix product":
        return 2.0 * row["sequences"] ** 3
    hidden, features = row["hidden_size"], row["features"]
    code = (
        hidden if row["peer"] in ("PyTorch", "Keras") else 0
    )  # that the decoder reads at every step
    readout = 0 if row["peer"] == "bare nn.LSTM" else hidden * features
    forward = 4 * hidden * (features + hidden) + 4 * hidden * ((code or 1) + hidden) + readout
    to_inputs = 4 * hidden * hidden + 4 * hidden * (code + hidden) + readout
    return 2.0 * row["steps"] * (2 * forward + to_inputs)


def size(row: Row) -> str:
    return f"{row['task']}, {row['steps']} x {row['features']}, hidden {row['hidden_size']}"


def race(rows: list[Row], rates: list[Row]) -> dict[str, str]:
    """One task's losses, each run beside PyTorch's of the same number."""
    seconds, lines = rows[0]["seconds"], []
    best = {
        row["run"]: min(lap["loss"] for lap in row["laps"] if lap["seconds"] <= seconds)
        for row in taken(rows, peer="PyTorch")
    }
    for peer in distinct(rows, "peer"):
        runs = [row for row in taken(rows, peer=peer) if row["run"] in best]
        reached = [
            moment
            for row in runs
            if (moment := seconds_to(row, best[row["run"]])) is not None and moment <= seconds
        ]
        lines.append(
            [
                peer,
                f"{runs[0]['lr']:g}",
                spread([row["laps"][0]["seconds"] for row in runs], ".2f"),
                spread(reached, ".2f")
                if len(reached) == len(runs)
                else f"reached in {len(reached)} of {len(runs)} runs",
                spread([loss_after(row, seconds) for row in runs], ".3g"),
            ]
        )
    header = [
        "peer",
        "learning rate",
        "building, s",
        "seconds to PyTorch's best loss",
        f"loss after {seconds:g} s",
    ]
    return {
        "title": f"{size(rows[0])}: {rows[0]['sequences']} sequences, batch {rows[0]['batch_size']}",
        "table": table(header, lines),
        "tried": ", ".join(f"{lowest(row)[1][-1]:.3g} at {row['lr']:g}" for row in rates),
        "tried_seconds": f"{rates[0]['seconds']:g}",
    }


def by_task(rows: list[Row], number: Callable[[Row], float]) -> str:
    """A line a peer, a column a task."""
    tasks = {row["task"]: row for row in rows if row["peer"] in LOOKS}
    lines = [
        [
            peer,
            *(
                spread([number(row) for row in taken(rows, task=task, peer=peer)], ".0f")
                for task in tasks
            ),
        ]
        for peer in LOOKS
    ]
    return table(["peer", *map(size, tasks.values())], lines)


def loop(rows: list[Row]) -> dict[str, Any]:
    """This project's step beside that of the bare loop and the bare LSTM; shares of the machine's matrix product."""
    products = taken(rows, peer="matrix product")
    peak = {row["run"]: rate(row) * flops(row) for row in products}
    steps, shares = [], []
    for task in [name for name in distinct(rows, "task") if name != "product"]:
        runs = {
            peer: {row["run"]: row for row in taken(rows, task=task, peer=peer)}
            for peer in distinct(rows, "peer")
        }
        ours, *bare = (runs[peer] for peer in ("this project", "bare loop", "bare nn.LSTM"))
        step = [
            spread([1e3 * row["batch_size"] / rate(row) for row in found.values()], ".1f")
            for found in (ours, *bare)
        ]
        more = [
            spread(
                [100 * (rate(found[run]) / rate(ours[run]) - 1) for run in ours if run in found],
                ".0f",
            )
            for found in bare
        ]
        steps.append([size(next(iter(ours.values()))), *step, *more])
        share = [
            spread(
                [
                    100 * rate(row) * flops(row) / peak[run]
                    for run, row in runs[peer].items()
                    if run in peak
                ],
                ".0f",
            )
            for peer in ("this project", "bare nn.LSTM", "PyTorch", "Keras")
        ]
        shares.append([task, *share])
    header = [
        "task",
        "a step here, ms",
        "bare loop, ms",
        "bare `nn.LSTM`, ms",
        "more than the loop, %",
        "more than `nn.LSTM`, %",
    ]
    return {
        "loop": table(header, steps),
        "shares": "\n".join(map(line, shares)),
        "product": products[0]["sequences"],
        "peak": spread([value / 1e9 for value in peak.values()], ".0f"),
    }


def epoch(row: Row) -> float:
    """Seconds of one pass over the training sequences."""
    return row["sequences"] / rate(row)


def scaling(rows: list[Row]) -> dict[str, str]:
    """Building, an epoch and memory as one of three grows, and the exponent of the epoch's growth."""
    lines, exponents = [], []
    for grown in distinct(rows, "grown"):
        values = distinct(taken(rows, grown=grown), "to")
        for value in values:
            runs = taken(rows, grown=grown, to=value)
            lines.append(
                [
                    grown,
                    str(value),
                    spread([row["laps"][0]["seconds"] for row in runs], ".2f"),
                    spread([epoch(row) for row in runs], ".3g"),
                    spread([row["peak_mib"] for row in runs], ".0f"),
                ]
            )
        first, last = (
            statistics.median(epoch(row) for row in taken(rows, grown=grown, to=value))
            for value in (values[0], values[-1])
        )
        exponents.append(
            f"{grown} to the power of {np.log(last / first) / np.log(values[-1] / values[0]):.2f}"
        )
    header = ["what grows", "to", "building, s", "an epoch, s", "peak MiB"]
    return {"scaling": table(header, lines), "exponents": ", ".join(exponents)}


def page(rows: list[Row]) -> str:
    """The text of docs/benchmarks.md; a part that was not measured is left out."""
    rates, raced, fast, scaled, repeated = (
        taken(rows, part=part) for part in ("rates", "race", "speed", "scaling", "repro")
    )
    versions = {name: number for row in rows for name, number in row.get("versions", {}).items()}
    content: dict[str, Any] = {
        "machine": rows[0]["machine"],
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "runs": 1 + max(row.get("run", 0) for row in rows),
    }
    if raced:
        tasks = distinct(raced, "task")
        content |= {
            "scored": raced[0]["scored"],
            "race": [race(taken(raced, task=task), taken(rates, task=task)) for task in tasks],
        }
    if fast:
        content |= {
            "speed": by_task(fast, rate),
            "memory": by_task(fast, lambda row: row["peak_mib"]),
            **loop(fast),
        }
    if scaled:
        content |= {"stay": scaled[0]["others"], **scaling(scaled)}
    if repeated:
        content |= {
            "repro": spread(repeated[0]["seconds"], ".2f"),
            "repro_runs": len(repeated[0]["seconds"]),
        }
    template = jinja2.Template(
        TEMPLATE.read_text(),
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return template.render(content)


def draw(rows: list[Row]) -> plt.Figure:
    """Loss by seconds of every run, a panel a task."""
    tasks = distinct(rows, "task")
    figure, grid = plt.subplots(1, len(tasks), figsize=(4.0 * len(tasks), 3.6), squeeze=False)
    for axes, task in zip(grid[0], tasks, strict=True):
        for peer, (colour, style) in LOOKS.items():
            for row in taken(rows, task=task, peer=peer):
                axes.plot(
                    *lowest(row),
                    color=colour,
                    linestyle=style,
                    label=peer if row["run"] == 0 else None,
                )
        known = taken(rows, task=task)[0]
        axes.set(
            xlabel="seconds",
            ylabel="lowest validation MSE so far",
            yscale="log",
            xlim=(0, known["seconds"]),
            title=size(known),
        )
        figures.plain_log(axes)
    figure.legend(
        *grid[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(LOOKS)
    )
    return figures.titled(figure, "Validation loss by seconds of training, every run")


def main() -> None:
    rows = [json.loads(line) for line in MEASURED.read_text().splitlines()]
    write_text(PAGE, page(rows))
    raced = taken(rows, part="race")
    if raced:
        figures.save(draw(raced), FIGURE)


if __name__ == "__main__":
    main()
