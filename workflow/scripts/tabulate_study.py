"""Join a study's metrics with its factors, and summarize them over the seeds."""

from typing import TYPE_CHECKING

from neuralcodes.pipeline import tabulating
from neuralcodes.storage import jobs
from neuralcodes.studies import layout, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    files = layout.with_factors(
        snakemake.input.metrics,
        snakemake.params.points,
        tabulating.training_examples(snakemake.input.data),
        snakemake.params.held_out,
    )
    table = tables.join(list(files))
    tables.write(table, snakemake.output.table)
    tables.write(tables.summarize(table), snakemake.output.summary)
