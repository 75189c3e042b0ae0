"""From trained networks to their pre-activations, and what perturbations do to them."""


rule perturb_ensemble:
    """Measure the accuracy of a checkpoint under every level of every perturbation."""
    input:
        data=data_of_run,
        model=rules.train_ensemble.output.model,
    output:
        f"{METRICS}.perturbations.csv",
    log:
        "logs/perturb_ensemble/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/perturb_ensemble/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("perturb_ensemble"),
        mem_mb=1500,
        runtime=60,
    params:
        perturbations=asdict(SETTINGS.accuracy_levels),
        code=code_of("perturb_ensemble"),
    script:
        "../workflow/scripts/perturb_ensemble.py"


rule perturb_codes:
    """Measure what perturbations do to the neural codes of a checkpoint."""
    input:
        data=data_of_run,
        model=rules.train_ensemble.output.model,
    output:
        f"{METRICS}.perturbed_codes.csv",
    log:
        "logs/perturb_codes/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/perturb_codes/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("perturb_codes"),
        mem_mb=1250,
        runtime=120,
    params:
        perturbations=asdict(SETTINGS.code_levels),
        code=code_of("perturb_codes"),
    script:
        "../workflow/scripts/perturb_codes.py"


rule measure_preactivations:
    """Measure how pre-activations are distributed around the border of each unit."""
    input:
        data=data_of_run,
        model=rules.train_ensemble.output.model,
    output:
        f"{METRICS}.preactivations.csv",
    log:
        "logs/measure_preactivations/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_preactivations/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("measure_preactivations"),
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("measure_preactivations"),
    script:
        "../workflow/scripts/measure_preactivations.py"


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
