"""Render the report: every figure, table and published value of the preset on one page."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import configuration
from neuralcodes.report import page
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    project = Path(snakemake.params.project)
    settings = configuration.load(snakemake.config, project)
    options = configuration.options(snakemake.config, project)
    page.write(settings, project, Path(snakemake.output[0]), options)
