"""The papers that are reproduced: what each publishes, and how ours compares with it."""

from neuralcodes.papers import dikkala2021, he2021, oursland2024
from neuralcodes.papers.declaration import Paper

# In the order in which they are presented.
_PAPERS = {module.PAPER.name: module.PAPER for module in (he2021, oursland2024, dikkala2021)}


def names() -> tuple[str, ...]:
    """Name all papers, in the order in which they are presented."""
    return tuple(_PAPERS)


def get(name: str) -> Paper:
    """Give the declaration of a paper.

    Raises:
        ValueError: there is no such paper.
    """
    if name not in _PAPERS:
        raise ValueError(f"{name} is none of the papers {', '.join(_PAPERS)}")
    return _PAPERS[name]


def with_values() -> tuple[Paper, ...]:
    """Give the papers that publish values."""
    return tuple(paper for paper in _PAPERS.values() if paper.published is not None)


def of_figure(figure: str) -> Paper:
    """Give the paper that publishes the values of a figure.

    Args:
        figure: one of `Published.figures`.

    Raises:
        ValueError: no paper does.
    """
    for paper in with_values():
        if figure in paper.published.figures:
            return paper
    known = [each for paper in with_values() for each in paper.published.figures]
    raise ValueError(f"no paper publishes the values of {figure!r}; there are {', '.join(known)}")
