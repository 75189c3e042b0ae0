"""Search the training examples of a network by its neural codes."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import coderetrieval
from neuralcodes.storage import jobs, rows
from neuralcodes.studies import runs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = coderetrieval.measure_retrieval(
        run=runs.from_mapping(snakemake.params.run),
        seeds=range(int(snakemake.wildcards.first), int(snakemake.wildcards.last) + 1),
        epoch=snakemake.wildcards.epoch,
        folder=Path(snakemake.input.codes),
        data=Path(snakemake.input.data).parent,
        most_queries=snakemake.params.queries,
    )
    rows.write(Path(snakemake.output[0]), measured, rows.RETRIEVAL_COLUMNS)
