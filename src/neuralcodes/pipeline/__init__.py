"""From YAML to jobs: configuration, checks, fingerprints, and what each job does."""
