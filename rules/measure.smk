"""From checkpoints to metrics: a rule for each measure that the library declares."""

for measure in registry.all_measures():

    rule:
        """Measure one checkpoint, as the declaration of the measure says."""
        name:
            measure.rule
        input:
            **needs_of(measure),
        output:
            f"{RESULTS}/metrics/{{{measure.of}}}/seeds{{first}}-{{last}}/epoch{{epoch}}{measure.ending}",
        log:
            f"logs/{measure.rule}/{{{measure.of}}}/seeds{{first}}-{{last}}/epoch{{epoch}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/{measure.rule}/{{{measure.of}}}/seeds{{first}}-{{last}}/epoch{{epoch}}.tsv"
        conda:
            "../envs/cpu.yaml"
        threads: measure.threads
        resources:
            **placed_measure(measure),
            mem_mb=lambda wildcards, attempt, measure=measure: measure.memory * attempt,
            runtime=lambda wildcards, attempt, measure=measure: measure.minutes * attempt,
        params:
            run=fields_of_run,
            settings=measure.settings(SETTINGS),
            module=measure.module,
            code=code_of_measure(measure),
        script:
            "../workflow/scripts/measure_checkpoint.py"
