"""Measure how many random inputs share a code under one checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import measuring
from neuralcodes.storage import jobs, rows
from neuralcodes.studies import runs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = measuring.measure_random_inputs(
        run=runs.from_mapping(snakemake.params.run),
        seeds=range(int(snakemake.wildcards.first), int(snakemake.wildcards.last) + 1),
        epoch=snakemake.wildcards.epoch,
        folder=Path(snakemake.input.codes),
    )
    rows.write(Path(snakemake.output[0]), measured)
