"""rivals@<section>: simpler models of the same data, for the section's model to stand beside.

python stages/rivals.py toy
"""

from lstm_ae.stage import run

from lstm_ae.core import paths
from lstm_ae.model.runtime import start
from lstm_ae.params import Params
from lstm_ae.rivals.boosting import fit_boosting, save_boosting
from lstm_ae.rivals.fitting import Task, fit_network, save_network
from lstm_ae.rivals.logistic import fit_logistic, save_logistic
from lstm_ae.training.processes import accelerate
from lstm_ae.training.scratch import scratch
from lstm_ae.training.section import prepared_files


def rivals(params: Params, name: str) -> None:
    directory = paths.rivals(name)
    device = start(params.device, params.threads)
    task = Task.of(params, name)
    inputs = prepared_files(paths.prepared(name))
    with scratch(f"rivals-{name}", task.settings(), inputs) as unfinished:
        for kind, shape in task.shapes().items():
            trained = fit_network(
                accelerate(device, params.precision),
                task,
                shape,
                unfinished / f"{kind}.safetensors",
                f"{name}, {kind}",
            )
            save_network(trained, directory / kind)
    if task.classes is not None and task.code_size is not None:
        logistic = fit_logistic(task.train, task.validation, task.code_size)
        save_logistic(logistic, directory / "logistic.safetensors")
    if task.train.following is not None:
        boosting = fit_boosting(task.train, task.validation, task.seed)
        save_boosting(boosting, directory / "boosting")


if __name__ == "__main__":
    run(rivals)
