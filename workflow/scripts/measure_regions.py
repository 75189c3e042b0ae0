"""Measure the linear regions around examples under one checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import surroundings
from neuralcodes.storage import jobs, rows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = surroundings.measure_regions(
        model=Path(snakemake.input.model),
        epoch=snakemake.wildcards.epoch,
        data=Path(snakemake.input.data).parent,
        examples=snakemake.params.examples,
        device=jobs.start_torch(snakemake.threads, snakemake.resources.device),
    )
    rows.write(Path(snakemake.output[0]), measured)
