"""Search unseen manifolds by the binary codes of a hash network."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import hashretrieval
from neuralcodes.storage import jobs, rows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = hashretrieval.measure_hash_retrieval(
        model=Path(snakemake.input.model),
        data=snakemake.input.data,
        settings=snakemake.params.settings,
        device=jobs.start_torch(snakemake.threads, snakemake.resources.device),
    )
    rows.write(Path(snakemake.output[0]), measured, rows.RETRIEVAL_COLUMNS)
