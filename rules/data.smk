"""From the sources to prepared arrays."""


rule download_data:
    """Obtain a dataset's files, from the mirror or the official source, and verify them."""
    output:
        f"{SETTINGS.downloads}/{{dataset}}/manifest.json",
    log:
        "logs/download_data/{dataset}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download_data/{{dataset}}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        dataset=lambda wildcards: asdict(SETTINGS.datasets[wildcards.dataset]),
        content=content_of_source,
        code=code_of("download_data"),
    script:
        "../workflow/scripts/download_data.py"


rule prepare_data:
    """Decode a dataset's files into arrays."""
    input:
        rules.download_data.output[0],
    output:
        multiext(
            f"{DATA}/{{dataset}}/",
            "dataset.json",
            "train-inputs.npy",
            "train-labels.npy",
            "test-inputs.npy",
            "test-labels.npy",
        ),
    log:
        "logs/prepare_data/{dataset}.log",
    cache: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        dataset=lambda wildcards: asdict(SETTINGS.datasets[wildcards.dataset]),
        code=code_of("prepare_data"),
    script:
        "../workflow/scripts/prepare_data.py"
