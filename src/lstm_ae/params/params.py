"""The whole of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from lstm_ae.core.errors import InputError
from lstm_ae.params.blocks import Block, Count, Positive
from lstm_ae.params.section import Section


class Budget(Block):
    """Upper bounds of what a run may cost; None is no bound."""

    sequences: Annotated[int, Field(ge=32)] | None
    epochs: Count | None
    trials: Annotated[int, Field(ge=0)] | None


class Rivals(Block):
    """How the networks that stand beside the models are trained, for as many epochs as those.

    Parameters
    ----------
    hidden_size
        Of their dense layers.
    """

    hidden_size: Count
    lr: Positive
    gradient_clip: Positive


class Params(Block):
    """Every number a result depends on.

    Parameters
    ----------
    sections
        The names of the sections that the pipeline runs.
    lr
        Overrides the learning rate of every section; None leaves it to them.
    threads
        How many compute at once on the CPU; the one number here that no result depends on.
    blocks
        The sections by name, each with the defaults it does not set itself; also those not listed.
    """

    sections: Annotated[list[str], Field(min_length=1)]
    budget: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    training_seed: Annotated[int, Field(ge=0, lt=2**32)]
    lr: Positive | None
    device: Literal["auto", "cuda", "mps", "cpu"]
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "64-true"]
    devices: Count
    threads: Count | Literal["auto"]
    rivals: Rivals
    budgets: dict[str, Budget]
    blocks: dict[str, Section]

    def section(self, name: str) -> Section:
        """The section of that name.

        Raises
        ------
        InputError
            params.yaml has no such section.
        """
        if name not in self.blocks:
            names = ", ".join(self.sections)
            raise InputError(f"section {name}: not listed; params.yaml lists {names}")
        return self.blocks[name]

    @property
    def caps(self) -> Budget:
        """The upper bounds in force."""
        return self.budgets[self.budget]


# The keys beside the sections.
TOP_LEVEL = (set(Params.model_fields) - {"blocks"}) | {"defaults"}
