"""Search by neural codes: recall and speed beside SimHash and exact search."""


rule measure_hash_retrieval:
    """Search unseen manifolds by the binary codes of a hash network."""
    input:
        data=data_of_hash_run,
        model=rules.train_hash_ensemble.output.model,
    output:
        f"{HASH_METRICS}.retrieval.csv",
    log:
        "logs/measure_hash_retrieval/{hash_run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_hash_retrieval/{{hash_run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("measure_hash_retrieval"),
        mem_mb=1500,
        runtime=60,
    params:
        settings=SETTINGS.retrieval,
        code=code_of("measure_hash_retrieval"),
    script:
        "../workflow/scripts/measure_hash_retrieval.py"


rule measure_retrieval:
    """Search the training examples of a network by its neural codes."""
    input:
        data=data_of_run,
        codes=rules.encode_ensemble.output[0],
    output:
        f"{METRICS}.retrieval.csv",
    log:
        "logs/measure_retrieval/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_retrieval/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1250,
        runtime=60,
    params:
        run=lambda wildcards: SETTINGS.runs[wildcards.run].to_dict(),
        queries=SETTINGS.retrieval["queries"],
        code=code_of("measure_retrieval"),
    script:
        "../workflow/scripts/measure_retrieval.py"


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
