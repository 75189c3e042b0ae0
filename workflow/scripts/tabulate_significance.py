"""Test what perturbations do to the accuracy, seed by seed."""

from typing import TYPE_CHECKING

from neuralcodes.papers import significance
from neuralcodes.storage import jobs
from neuralcodes.studies import tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    table, factors = tables.read(snakemake.input.table), snakemake.params.factors
    for_all = {"table": table, "factors": factors, "kinds": snakemake.params.kinds}
    tables.write(significance.compare(**for_all, split="train"), snakemake.output.train)
    tables.write(significance.compare(**for_all, split="test"), snakemake.output.test)
    tables.write(significance.baseline(table, factors), snakemake.output.unperturbed)
