"""From neural codes to metrics."""

METRICS = f"{RESULTS}/metrics/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}"


rule measure_codes:
    """Measure determinism and categorization of the codes of one checkpoint."""
    input:
        data=data_of_run,
        codes=rules.encode_ensemble.output[0],
    output:
        f"{METRICS}.csv",
    log:
        "logs/measure_codes/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_codes/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=750,
        runtime=60,
    params:
        run=lambda wildcards: SETTINGS.runs[wildcards.run].to_dict(),
        metrics=SETTINGS.metrics,
        code=code_of("measure_codes"),
    script:
        "../workflow/scripts/measure_codes.py"


rule measure_layers:
    """Measure the codes of each hidden layer of one checkpoint apart."""
    input:
        data=data_of_run,
        codes=rules.encode_ensemble.output[0],
    output:
        f"{METRICS}.layers.csv",
    log:
        "logs/measure_layers/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_layers/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=750,
        runtime=120,
    params:
        run=lambda wildcards: SETTINGS.runs[wildcards.run].to_dict(),
        metrics=SETTINGS.metrics,
        code=code_of("measure_layers"),
    script:
        "../workflow/scripts/measure_layers.py"


rule measure_random_inputs:
    """Measure how many random inputs share a code under one checkpoint."""
    input:
        codes=rules.encode_random_inputs.output[0],
    output:
        f"{METRICS}.random_inputs.csv",
    log:
        "logs/measure_random_inputs/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_random_inputs/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        run=lambda wildcards: SETTINGS.runs[wildcards.run].to_dict(),
        code=code_of("measure_random_inputs"),
    script:
        "../workflow/scripts/measure_random_inputs.py"


rule measure_regions:
    """Measure the linear regions around examples under one checkpoint."""
    input:
        data=data_of_run,
        model=rules.train_ensemble.output.model,
    output:
        f"{METRICS}.regions.csv",
    log:
        "logs/measure_regions/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_regions/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("measure_regions"),
        mem_mb=1500,
        runtime=20,
    params:
        examples=SETTINGS.region_examples,
        code=code_of("measure_regions"),
    script:
        "../workflow/scripts/measure_regions.py"


rule measure_history:
    """Thin the history of a training to training curves."""
    input:
        history=rules.train_ensemble.output.history,
    output:
        f"{METRICS}.history.csv",
    log:
        "logs/measure_history/{run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_history/{{run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code_of("measure_history"),
    script:
        "../workflow/scripts/measure_history.py"
