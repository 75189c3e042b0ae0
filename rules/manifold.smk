"""From manifolds to hash networks, and what these make of manifolds they have not seen."""

HASH_METRICS = f"{RESULTS}/metrics/{{hash_run}}/seeds{{first}}-{{last}}/epoch{{epoch}}"


rule train_hash_ensemble:
    """Train all seeds of one hash network as one ensemble; keep it as it was before, too."""
    input:
        data=data_of_hash_run,
    output:
        multiext(
            f"{RESULTS}/models/{{hash_run}}/seeds{{first}}-{{last}}",
            model=".safetensors",
            history=".history.csv",
        ),
    log:
        "logs/train_hash_ensemble/{hash_run}/seeds{first}-{last}.log",
    cache: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("train_hash_ensemble"),
        mem_mb=1000,
        runtime=240,
    params:
        run=lambda wildcards: SETTINGS.runs[wildcards.hash_run].to_dict(),
        code=code_of("train_hash_ensemble"),
    script:
        "../workflow/scripts/train_hash_ensemble.py"


rule measure_manifolds:
    """Measure invariance, separation and recovery on manifolds that were not trained on."""
    input:
        data=data_of_hash_run,
        model=rules.train_hash_ensemble.output.model,
    output:
        f"{HASH_METRICS}.manifolds.csv",
    log:
        "logs/measure_manifolds/{hash_run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_manifolds/{{hash_run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("measure_manifolds"),
        mem_mb=1500,
        runtime=60,
    params:
        settings=SETTINGS.manifolds,
        code=code_of("measure_manifolds"),
    script:
        "../workflow/scripts/measure_manifolds.py"


rule measure_locality:
    """Measure how alike two unseen manifolds are represented as they grow apart."""
    input:
        data=data_of_hash_run,
        model=rules.train_hash_ensemble.output.model,
    output:
        f"{HASH_METRICS}.locality.csv",
    log:
        "logs/measure_locality/{hash_run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_locality/{{hash_run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("measure_locality"),
        mem_mb=1000,
        runtime=60,
    params:
        settings=SETTINGS.manifolds,
        code=code_of("measure_locality"),
    script:
        "../workflow/scripts/measure_locality.py"


rule measure_embedding:
    """Embed some unseen manifolds in two dimensions, before and after training."""
    input:
        data=data_of_hash_run,
        model=rules.train_hash_ensemble.output.model,
    output:
        f"{HASH_METRICS}.embedding.csv",
    log:
        "logs/measure_embedding/{hash_run}/seeds{first}-{last}/epoch{epoch}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_embedding/{{hash_run}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("measure_embedding"),
        mem_mb=1000,
        runtime=60,
    params:
        settings=SETTINGS.manifolds,
        code=code_of("measure_embedding"),
    script:
        "../workflow/scripts/measure_embedding.py"
