"""What one paper is: where it stands, what it publishes, and the trainings behind its values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.datasets import sources
from neuralcodes.studies import checkpoints, runs
from neuralcodes.studies.runs import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Training:
    """One training whose results are published.

    Attributes:
        paper: name of the paper.
        figure: whose values it gives, as `Published.figures` names it.
        run: its dataset goes by the name of its official source.
        key: what tells it from the paper's other trainings in the files of values.
        axes: fields of the run that the figure varies, the first the one that it is drawn against.
    """

    paper: str
    figure: str
    run: Run
    key: tuple[object, ...]
    axes: tuple[str, ...]

    def checkpoint(self, epoch: str) -> str:
        """Give the name that a checkpoint of the last epoch has in any case: "final".

        Args:
            epoch: name of a checkpoint. Early stopping would make "final" another epoch.
        """
        last = self.run.patience == 0 and epoch == str(self.run.epochs)
        return checkpoints.FINAL if last else epoch

    def unreachable(self, epoch: str) -> str:
        """Say why no run that follows the released code gives a value; "" where one does.

        Args:
            epoch: of the value, or "final".
        """
        run = self.run
        size = sources.get(run.dataset).training_examples
        available = runs.training_part(size, run.validation_fraction)
        if run.sample_size is not None and run.sample_size > available:
            return (
                f"{run.sample_size:,} examples are more than the {available:,} that the released "
                "code trains on (A4)"
            )
        if checkpoints.is_epoch(epoch) and int(epoch) > run.epochs:
            return (
                f"the released code ends at epoch {run.epochs}; the schedule behind epoch "
                f"{int(epoch):,} was not released (A6)"
            )
        return ""


@dataclass(frozen=True)
class Published:
    """What a paper publishes in numbers.

    Attributes:
        files: in the folder of published values; the first one holds them.
        figures: names that a figure of ours gives for those whose values it shows.
        seeds: the authors' repeats of every training.
        measure: of ours, which gives such values.
        trainings: lists those behind the values, each once a figure.
        references: folder -> a row per value, with the columns of `references.Reference` but
            paper and training, and `key`, that of its training.
        shown: folder, figure and dataset -> the values that a figure of ours shows.
        metric_settings: metric -> setting -> values under which it can be compared.
    """

    files: tuple[str, ...]
    figures: tuple[str, ...]
    seeds: int
    measure: str
    trainings: Callable[[], list[Training]]
    references: Callable[[Path], "pd.DataFrame"]
    shown: Callable[[Path, str, str], "pd.DataFrame"]
    metric_settings: Mapping[str, Mapping[str, tuple[object, ...]]]


@dataclass(frozen=True)
class Paper:
    """One paper.

    Attributes:
        name: in the configuration.
        title: its full title.
        people: its authors, given name first.
        year: of the version that is reproduced.
        arxiv: number of the preprint.
        letter: of the ids of its defects in docs/fidelity.md; None where it released no code.
        published: its values; None where there are none that could be compared.
    """

    name: str
    title: str
    people: tuple[str, ...]
    year: int
    arxiv: str
    letter: str | None = None
    published: Published | None = None

    @property
    def authors(self) -> str:
        """Their names, for a sentence."""
        *others, last = self.people
        return f"{', '.join(others)} and {last}" if others else last

    @property
    def short(self) -> str:
        """Authors and year, as it is cited in a sentence."""
        first = self.people[0].split()[-1]
        return f"{first}{' et al.' if len(self.people) > 1 else ''} {self.year}"

    @property
    def heading(self) -> str:
        """Citation and title on one line. No colon: it ends a name in Snakemake's report."""
        return f"{self.short}, {self.title}"

    @property
    def bibtex(self) -> str:
        """Entry for a bibliography."""
        return (
            f"@misc{{{self.name},\n"
            f"  title = {{{self.title}}},\n"
            f"  author = {{{' and '.join(self.people)}}},\n"
            f"  year = {{{self.year}}},\n"
            f"  eprint = {{{self.arxiv}}},\n"
            "  archivePrefix = {arXiv},\n"
            "}\n"
        )


def width_text(width: int, depth: int) -> str:
    """Give a width as the figures do.

    Args:
        width: units per hidden layer.
        depth: hidden layers.
    """
    return f"width {width}" + (" per layer" if depth > 1 else "")
