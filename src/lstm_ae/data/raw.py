"""What the pipeline gives a kind of data set beside its block of params.yaml."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RawData:
    """Where the raw data of a section lie, and what they are.

    Parameters
    ----------
    name
        The name of the section.
    directory
        The folder of its raw data.
    seed
        For whatever is drawn at random.
    data_source
        What the data are, for results and figures; "" before they are acquired.
    """

    name: str
    directory: Path
    seed: int
    data_source: str = ""
