"""Print a study's retrieval as one table in CSV, Markdown and LaTeX."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.report import retrievaltables
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    retrievaltables.typeset(
        summary=Path(snakemake.input.summary),
        factors=snakemake.params.factors,
        dataset=snakemake.params.dataset,
        group=snakemake.params.group,
        stem=Path(snakemake.output[0]).with_suffix(""),
    )
