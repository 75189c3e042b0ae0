"""Decode a dataset's files into arrays."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.datasets import prepared
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    prepared.prepare(
        prepared.DatasetSpec(**snakemake.params.dataset),
        raw_directory=Path(snakemake.input[0]).parent,
        directory=Path(snakemake.output[0]).parent,
    )
