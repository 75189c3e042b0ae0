"""Dikkala et al. 2021: its question is asked, but it prints no numbers that ours could meet."""

from neuralcodes.papers.declaration import Paper

PAPER = Paper(
    name="dikkala2021",
    title="For manifold learning, deep neural networks can be locality sensitive hash functions",
    people=("Nishanth Dikkala", "Gal Kaplun", "Rina Panigrahy"),
    year=2021,
    arxiv="2103.06875",
)
