"""From metrics to tables and figures, marked for Snakemake's own report."""


report: "../workflow/report/workflow.rst"


rule tabulate_study:
    """Join a study's metrics with its factors, and summarize them over the seeds."""
    input:
        data=data_of_study,
        metrics=metrics_of_study,
    output:
        table=f"{PRESET}/tables/{{study}}.csv",
        summary=report(
            f"{PRESET}/tables/{{study}}.summary.csv",
            **reportmarks.of_study(SETTINGS, "summary", "summary over seeds"),
        ),
    log:
        f"logs/tabulate_study/{SETTINGS.preset}/{{study}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_study/{SETTINGS.preset}/{{study}}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=750,
        runtime=10,
    params:
        points=lambda wildcards: layout.grid(SETTINGS.studies[wildcards.study]),
        held_out=lambda wildcards: layout.held_out(SETTINGS.studies[wildcards.study]),
        code=code_of("tabulate_study"),
    script:
        "../workflow/scripts/tabulate_study.py"


rule plot_schematic:
    """Draw how ReLU and Abs units select features (oursland2024), from parameters alone."""
    input:
        style=STYLE,
    output:
        pdf=f"{PRESET}/figures/{expansion.SCHEMATIC}.pdf",
        png=report(
            f"{PRESET}/figures/{expansion.SCHEMATIC}.png",
            **reportmarks.of_schematic(),
        ),
        svg=f"{PRESET}/figures/{expansion.SCHEMATIC}.svg",
    log:
        f"logs/plot_schematic/{SETTINGS.preset}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_schematic/{SETTINGS.preset}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=750,
        runtime=10,
    params:
        code=code_of("plot_schematic"),
    script:
        "../workflow/scripts/plot_schematic.py"


rule plot_study:
    """Draw a study's figure, the published values over ours where there are any."""
    input:
        summary=rules.tabulate_study.output.summary,
        published=published_of_study,
        style=STYLE,
    output:
        pdf=f"{PRESET}/figures/{{study}}.pdf",
        png=report(
            f"{PRESET}/figures/{{study}}.png",
            **reportmarks.of_study(SETTINGS, "figure", "figure"),
        ),
        svg=f"{PRESET}/figures/{{study}}.svg",
    log:
        f"logs/plot_study/{SETTINGS.preset}/{{study}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_study/{SETTINGS.preset}/{{study}}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=750,
        runtime=10,
    params:
        title=lambda wildcards: layout.title_of(SETTINGS, SETTINGS.studies[wildcards.study]),
        figure=lambda wildcards: SETTINGS.studies[wildcards.study].figure,
        factors=lambda wildcards: SETTINGS.studies[wildcards.study].factors,
        code=code_of("plot_study"),
    script:
        "../workflow/scripts/plot_study.py"
