"""Obtain a dataset's files and verify them."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.datasets import prepared
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0]):
    prepared.fetch(
        prepared.DatasetSpec(**snakemake.params.dataset),
        raw_directory=Path(snakemake.output[0]).parent,
        mirror=prepared.mirror_from_environment(),
    )
