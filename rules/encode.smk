"""From trained networks to neural codes."""


rule encode_ensemble:
    """Extract the neural codes of every checkpoint of an ensemble."""
    input:
        data=data_of_run,
        model=rules.train_ensemble.output.model,
    output:
        directory(f"{RESULTS}/codes/{{run}}/seeds{{first}}-{{last}}"),
    log:
        "logs/encode_ensemble/{run}/seeds{first}-{last}.log",
    benchmark:
        f"{RESULTS}/benchmarks/encode_ensemble/{{run}}/seeds{{first}}-{{last}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("encode_ensemble"),
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("encode_ensemble"),
    script:
        "../workflow/scripts/encode_ensemble.py"


rule encode_random_inputs:
    """Extract the codes of random inputs under every checkpoint of an ensemble."""
    input:
        data=data_of_run,
        model=rules.train_ensemble.output.model,
    output:
        directory(f"{RESULTS}/codes_of_random_inputs/{{run}}/seeds{{first}}-{{last}}"),
    log:
        "logs/encode_random_inputs/{run}/seeds{first}-{last}.log",
    benchmark:
        f"{RESULTS}/benchmarks/encode_random_inputs/{{run}}/seeds{{first}}-{{last}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **placed("encode_random_inputs"),
        mem_mb=1000,
        runtime=30,
    params:
        examples=SETTINGS.random_examples,
        code=code_of("encode_random_inputs"),
    script:
        "../workflow/scripts/encode_random_inputs.py"
