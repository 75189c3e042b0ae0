"""`make bench`: every benchmark beside its baseline, as ratios; JSON beside the table."""

import json
import os
import platform
from pathlib import Path

import hashing
import metric_suite
import overhead
import torch
import training

import perturbation
from neuralcodes.storage import jobs

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
        "perturbation": perturbation.run(),
        "hashing": hashing.run(),
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
    sweep, full_batch = records["perturbation"]
    print(
        f"{sweep['benchmark']:52} {sweep['baseline_s']:8.2f} s, ours {sweep['ours_s']:.2f} s: "
        f"{sweep['ratio']:.1f}x (goal {sweep['goal']}x), {sweep['levels_that_differ']} levels "
        f"differ, by {sweep['largest_difference_in_correct_examples']} examples at most"
    )
    print(
        f"{full_batch['benchmark']:52} {full_batch['baseline_epochs_per_s']:8.2f} epochs/s a "
        f"network, ours {full_batch['ours_epochs_per_s']:.2f}: {full_batch['ratio']:.1f}x; "
        f"{full_batch['share_of_peak']:.0%} of {full_batch['peak_gflop_per_s']:.0f} GFLOP/s "
        f"(plain {full_batch['baseline_share_of_peak']:.0%}, goal "
        f"{full_batch['goal_share_of_peak']:.0%})"
    )
    for row in records["hashing"]:
        print(
            f"{row['benchmark']:52} {row['baseline_time']:8.2f}, ours {row['ours_time']:.2f}: "
            f"{row['ratio']:.1f}x"
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
