"""neuralcodes: data -> models -> codes -> metrics -> tables -> figures, for every study.

results/models/{run}/      trained ensembles and their histories
results/codes/{run}/       neural codes of every checkpoint
results/metrics/{run}/     tidy metric files
results/{preset}/tables/   a study's measurements and their summary
results/{preset}/figures/  a study's figure
results/{preset}/report.html   all of it on one page, beside the published values
"""

from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/encode.smk"
include: "rules/measure.smk"
include: "rules/tabulate.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


localrules:
    all,
    download_data,
    render_report,


rule all:
    """Draw every figure of the preset, with the tables behind it and the report over them."""
    default_target: True
    input:
        layout.figure_files(SETTINGS, SETTINGS.selected),
        layout.printed_tables(SETTINGS, SETTINGS.selected),
        rules.render_report.output,
