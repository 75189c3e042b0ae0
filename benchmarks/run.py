"""`make bench`: every benchmark beside its baseline, as ratios; JSON beside the table."""

import json
import os
import platform
from pathlib import Path

import metric_suite
import overhead
import torch
import training

from neuralcodes import jobs

OUTPUT = Path(__file__).parents[1] / "results/benchmarks/bench.json"


def main() -> None:
    """Run all, print a table, write results/benchmarks/bench.json."""
    records = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "overhead": overhead.run(),
        "training": training.run(),
        "metric_suite": metric_suite.run(),
    }
    with jobs.atomic(OUTPUT) as temporary:
        temporary.write_text(json.dumps(records, indent=2, default=float) + "\n")
    for row in records["overhead"]:
        print(f"{row['benchmark']:52} {row['ours_s']:8.2f} s")
    for row in records["training"]:
        print(
            f"{row['benchmark']:52} {row['baseline_s_per_model_epoch']:8.3f} s a model-epoch, "
            f"ours {row['ours_s_per_model_epoch']:.3f} s: {row['ratio']:.1f}x (goal {row['goal']}x)"
        )
    for row in records["metric_suite"]:
        name = f"{row['metric']}, {row['units']} units"
        print(
            f"{name:52} {row['released_s']:8.2f} s, ours {row['ours_s']:.2f} s: {row['ratio']:.1f}x"
        )
        if "packed_bytes" in row:
            size = row["int8_bytes"] / row["packed_bytes"]
            print(f"{'':52} codes {size:.1f}x smaller; peak memory {row['peak_mib']:.0f} MiB")
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
