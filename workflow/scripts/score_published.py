"""Set every published value beside ours, and count which are reproduced."""

from typing import TYPE_CHECKING

from neuralcodes.papers import scorecard
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    scorecard.write(
        files=snakemake.input.tables,
        values=snakemake.input.values,
        facts=snakemake.params.facts,
        card=snakemake.output.scorecard,
        total=snakemake.output.totals,
    )
