"""The papers that the project reproduces: names, titles and where they are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """One paper.

    Attributes:
        short: authors and year, as it is cited in a sentence.
        title: its full title.
        authors: their names, for a sentence.
        year: of the version that is reproduced.
        arxiv: number of the preprint.
    """

    short: str
    title: str
    authors: str
    year: int
    arxiv: str

    @property
    def heading(self) -> str:
        """Citation and title on one line. No colon: it ends a name in Snakemake's report."""
        return f"{self.short}, {self.title}"


# The keys are those that `studies.NAME.paper` allows, in the order in which papers are presented.
PAPERS = {
    "he2021": Paper(
        short="He et al. 2021",
        title="Neural networks behave as hash encoders",
        authors="Fengxiang He, Shiye Lei, Jianmin Ji and Dacheng Tao",
        year=2021,
        arxiv="2101.05490",
    ),
    "oursland2024": Paper(
        short="Oursland 2024",
        title="Neural networks use distance metrics",
        authors="Alan Oursland",
        year=2024,
        arxiv="2411.17932",
    ),
    "dikkala2021": Paper(
        short="Dikkala et al. 2021",
        title=(
            "For manifold learning, deep neural networks can be locality sensitive hash functions"
        ),
        authors="Nishanth Dikkala, Gal Kaplun and Rina Panigrahy",
        year=2021,
        arxiv="2103.06875",
    ),
}
