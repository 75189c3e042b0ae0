"""From tables to what a reader is told: how many published values are reproduced."""

from neuralcodes.papers import conditions
from neuralcodes.report import origins, pagefiles


rule score_published:
    """Set every published value beside ours, and count which are reproduced."""
    input:
        tables=lambda wildcards: layout.study_tables(SETTINGS, conditions.scored_studies(SETTINGS)),
        values=[os.path.join(PUBLISHED, name) for name in conditions.FILES],
    output:
        scorecard=report(
            f"{PRESET}/tables/scorecard.csv",
            caption="../workflow/report/scorecard.rst",
            category="Scorecard",
            labels={"table": "published values beside ours"},
        ),
        totals=report(
            f"{PRESET}/tables/scorecard.totals.csv",
            caption="../workflow/report/scorecard.rst",
            category="Scorecard",
            labels={"table": "totals"},
        ),
    log:
        f"logs/score_published/{SETTINGS.preset}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_published/{SETTINGS.preset}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=750,
        runtime=10,
    params:
        facts=lambda wildcards: conditions.facts(SETTINGS),
        code=code_of("score_published"),
    script:
        "../workflow/scripts/score_published.py"


rule render_report:
    """Render every figure, table and published value of the preset as one page for offline use."""
    input:
        layout.report_files(SETTINGS, SETTINGS.selected),
        published=[os.path.join(PUBLISHED, name) for name in conditions.FILES],
        page=[os.path.relpath(PROJECT / name) for name in pagefiles.FILES],
    output:
        f"{PRESET}/{layout.REPORT}",
    log:
        f"logs/render_report/{SETTINGS.preset}.log",
    benchmark:
        f"{RESULTS}/benchmarks/render_report/{SETTINGS.preset}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        project=os.path.relpath(PROJECT),
        settings=lambda wildcards: origins.fingerprint(SETTINGS),
        code=code_of("render_report", looks=True),
    script:
        "../workflow/scripts/render_report.py"
