"""Join a study's metrics with its factors, and summarize them over the seeds."""

from typing import TYPE_CHECKING

from neuralcodes import jobs, layout, tables, tabulating

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
