"""Extract the codes of random inputs under every checkpoint of an ensemble."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import encoding
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with (
    jobs.logged(snakemake.log[0], snakemake.threads),
    jobs.atomic(snakemake.output[0]) as folder,
):
    encoding.write_random_checkpoints(
        model=Path(snakemake.input.model),
        data=Path(snakemake.input.data).parent,
        examples=snakemake.params.examples,
        folder=folder,
        device=jobs.start_torch(snakemake.threads, snakemake.resources.device),
    )
