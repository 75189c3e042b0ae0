"""Measure the codes of each hidden layer of one checkpoint apart."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.metrics import suite
from neuralcodes.pipeline import measuring
from neuralcodes.storage import jobs, rows
from neuralcodes.studies import runs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = measuring.measure_layers(
        run=runs.from_mapping(snakemake.params.run),
        seeds=range(int(snakemake.wildcards.first), int(snakemake.wildcards.last) + 1),
        epoch=snakemake.wildcards.epoch,
        folder=Path(snakemake.input.codes),
        data=Path(snakemake.input.data).parent,
        settings=suite.MetricSettings(**snakemake.params.metrics),
    )
    rows.write(Path(snakemake.output[0]), measured, rows.LAYER_COLUMNS)
