"""Render the report: every figure, table and published value of the preset on one page."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes import config, jobs, report

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    project = Path(snakemake.params.project)
    settings = config.load(snakemake.config, project)
    report.write(settings, project, Path(snakemake.output[0]))
