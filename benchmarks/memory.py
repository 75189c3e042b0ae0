"""Peak memory of each rule beside what the SLURM profile asks for (benchmarks/memory.py logs).

With --write the profile, the rules and the measures ask for the measured peaks with headroom.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from neuralcodes.measures import registry
from neuralcodes.storage import usage

ROOT = Path(__file__).parents[1]
PROFILE = ROOT / "profiles/slurm/config.yaml"
# Beside its script a job on a cluster has two small snakemake processes.
FACTOR, BESIDE_MB, STEP_MB = 1.25, 400, 250


def wanted(peak: int) -> int:
    """Memory to ask for, in MB: the peak with headroom, rounded up."""
    return -int(-(FACTOR * peak + BESIDE_MB) // STEP_MB) * STEP_MB


def asked() -> dict[str, int]:
    """What jobs ask for in the first try, in MB: by the profile, or by a measure's declaration."""
    found = re.findall(r"^  (\w+): {mem_mb: (\d+) \* attempt", PROFILE.read_text(), re.MULTILINE)
    measures = {each.rule: each.memory for each in registry.all_measures()}
    return {rule: int(size) for rule, size in found} | measures


def write(sizes: Mapping[str, int]) -> None:
    """Put sizes into the profile, the rules and the declarations of measures."""
    for measure in registry.all_measures():
        if measure.rule in sizes:
            path = Path(sys.modules[measure.module].__file__)
            size = f"    memory={sizes[measure.rule]},"
            path.write_text(re.sub(r"^    memory=\d+,", size, path.read_text(), flags=re.MULTILINE))
    text = PROFILE.read_text()
    for rule, size in sizes.items():
        text = re.sub(rf"^(  {rule}: {{mem_mb: )\d+", rf"\g<1>{size}", text, flags=re.MULTILINE)
    PROFILE.write_text(text)
    for path in (ROOT / "rules").glob("*.smk"):
        blocks = re.split(r"^(?=rule )", path.read_text(), flags=re.MULTILINE)
        for i, block in enumerate(blocks):
            name = re.match(r"rule (\w+):", block)
            if name and name[1] in sizes:
                blocks[i] = re.sub(r"mem_mb=\d+", f"mem_mb={sizes[name[1]]}", block)
        path.write_text("".join(blocks))


def main() -> None:
    """Print one line per rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path, nargs="+", help="folders of logs of finished runs")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    peaks: dict[str, list[int]] = {}
    for folder in options.logs:
        for path, (_, peak) in usage.of_logs(folder).items():
            peaks.setdefault(path.parts[0], []).append(peak)
    measured = {rule: max(values) for rule, values in sorted(peaks.items())}
    before = asked()
    print(f"{'rule':24} {'jobs':>5} {'peak MB':>8} {'asked MB':>9} {'with headroom':>14}")
    for rule, peak in measured.items():
        size = before.get(rule, "-")
        print(f"{rule:24} {len(peaks[rule]):5} {peak:8} {size:>9} {wanted(peak):14}")
    for rule in sorted(before.keys() - measured.keys()):
        print(f"{rule:24} {0:5} {'not run':>8} {before[rule]:9}")
    if options.write:
        write({rule: wanted(peak) for rule, peak in measured.items() if rule in before})


if __name__ == "__main__":
    main()
