"""From data to trained networks."""


rule train_ensemble:
    """Train all seeds of one run as one ensemble and save its checkpoints."""
    input:
        data=data_of_run,
    output:
        multiext(
            f"{RESULTS}/models/{{run}}/seeds{{first}}-{{last}}",
            model=".safetensors",
            history=".history.csv",
        ),
    log:
        "logs/train_ensemble/{run}/seeds{first}-{last}.log",
    cache: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("train_ensemble"),
        mem_mb=1500,
        runtime=480,
    params:
        run=lambda wildcards: SETTINGS.runs[wildcards.run].to_dict(),
        checkpoints=lambda wildcards: SETTINGS.checkpoints[wildcards.run],
        code=code_of("train_ensemble"),
    script:
        "../workflow/scripts/train_ensemble.py"


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
