"""From a study's metrics to its tables, those of its tests and of its retrieval printed too."""


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


rule tabulate_significance:
    """Test what perturbations do to the accuracy, seed by seed, as published and corrected."""
    input:
        table=f"{PRESET}/tables/{{study}}.csv",
    output:
        train=report(
            f"{PRESET}/tables/{{study}}.significance.csv",
            **reportmarks.of_study(SETTINGS, "significance", "all tests, training examples"),
        ),
        test=report(
            f"{PRESET}/tables/{{study}}.significance_test_split.csv",
            **reportmarks.of_study(SETTINGS, "significance", "all tests, test examples"),
        ),
        unperturbed=f"{PRESET}/tables/{{study}}.unperturbed.csv",
    log:
        f"logs/tabulate_significance/{SETTINGS.preset}/{{study}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_significance/{SETTINGS.preset}/{{study}}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        factors=lambda wildcards: SETTINGS.studies[wildcards.study].factors,
        kinds=list(SETTINGS.accuracy_levels.levels),
        code=code_of("tabulate_significance"),
    script:
        "../workflow/scripts/tabulate_significance.py"


rule typeset_significance:
    """Print the tests as tables in CSV, Markdown and LaTeX, the published values beside ours."""
    input:
        train=rules.tabulate_significance.output.train,
        unperturbed=rules.tabulate_significance.output.unperturbed,
        published=published_of_study,
    output:
        [
            report(each, **reportmarks.of_tests(SETTINGS, each)) if each.endswith(".csv") else each
            for each in layout.typeset_files(f"{PRESET}/tables/{{study}}", SETTINGS.tests)
        ],
    log:
        f"logs/typeset_significance/{SETTINGS.preset}/{{study}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/typeset_significance/{SETTINGS.preset}/{{study}}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        kinds=list(SETTINGS.accuracy_levels.levels),
        captions=lambda wildcards: layout.captions(SETTINGS, SETTINGS.studies[wildcards.study]),
        code=code_of("typeset_significance"),
    script:
        "../workflow/scripts/typeset_significance.py"


rule typeset_retrieval:
    """Print a study's retrieval as one table in CSV, Markdown and LaTeX."""
    input:
        summary=f"{PRESET}/tables/{{study}}.summary.csv",
    output:
        report(
            f"{PRESET}/tables/{{study}}.retrieval.csv",
            **reportmarks.of_study(SETTINGS, "retrieval", "retrieval"),
        ),
        multiext(f"{PRESET}/tables/{{study}}.retrieval.", "md", "tex"),
    log:
        f"logs/typeset_retrieval/{SETTINGS.preset}/{{study}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/typeset_retrieval/{SETTINGS.preset}/{{study}}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=750,
        runtime=10,
    params:
        factors=lambda wildcards: SETTINGS.studies[wildcards.study].factors,
        dataset=lambda wildcards: SETTINGS.labels[SETTINGS.studies[wildcards.study].dataset],
        group=lambda wildcards: layout.searched_group(SETTINGS.studies[wildcards.study]),
        code=code_of("typeset_retrieval"),
    script:
        "../workflow/scripts/typeset_retrieval.py"
