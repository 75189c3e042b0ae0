"""From tables to figures, marked for Snakemake's own report."""


report: "../workflow/report/workflow.rst"


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
        code=code_of("plot_schematic", looks=True),
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
        code=code_of("plot_study", looks=True),
    script:
        "../workflow/scripts/plot_study.py"
