import base64
import json

import pytest

from neuralcodes.report import durations
from neuralcodes.report.durations import Duration


def benchmark(results, name, *seconds):
    path = results / "benchmarks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("s\th:m:s\n" + "".join(f"{each}\t0:00:01\n" for each in seconds))


def record(records, file, rule, begin, end, log="log", width=None):
    coded = base64.urlsafe_b64encode(file.encode()).decode()
    parts = [coded]
    if width:
        parts = [coded[i : i + width] for i in range(0, len(coded), width)]
        parts = [f"@{each}" for each in parts[:-1]] + [parts[-1]]
    path = records.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rule": rule, "log": [log], "starttime": begin, "endtime": end}))


def test_benchmarks_of_the_preset_add_up_longest_first(tmp_path):
    benchmark(tmp_path, "measure_codes/run-a/seeds0-1/epochfinal.tsv", 2.5)
    benchmark(tmp_path, "measure_codes/run-b/seeds0-1/epoch3.tsv", 1.5)
    benchmark(tmp_path, "measure_codes/run-of-others/seeds0-1/epochfinal.tsv", 100)
    benchmark(tmp_path, "plot_study/tiny/model_size.tsv", 7)
    benchmark(tmp_path, "plot_study/other/model_size.tsv", 100)
    benchmark(tmp_path, "download_data/digits.tsv", 0.25)
    found = durations.of_rules(tmp_path, ["run-a", "run-b", "tiny", "digits"], tmp_path / "none")
    assert found == [
        Duration("plot_study", 1, 7.0, 7.0),
        Duration("measure_codes", 2, 4.0, 2.5),
        Duration("download_data", 1, 0.25, 0.25),
    ]


def test_rules_without_benchmark_are_asked_of_snakemakes_records(tmp_path):
    records = tmp_path / "records"
    for ending, begin in ((".safetensors", 100.0), (".history.csv", 100.5)):
        record(records, f"results/models/run-a/seeds0-1{ending}", "train_ensemble", begin, 110.5)
    record(records, "results/models/run-b/s", "train_ensemble", 5, 8, log="other", width=10)
    record(records, "results/models/run-of-others/s", "train_ensemble", 0, 1000, log="third")
    found = durations.of_rules(tmp_path, ["run-a", "run-b"], records)
    assert found == [Duration("train_ensemble", 2, 13.5, 10.5)]


def test_a_rule_with_benchmarks_is_not_counted_twice(tmp_path):
    records = tmp_path / "records"
    benchmark(tmp_path, "measure_codes/run-a/seeds0-1/epochfinal.tsv", 2)
    record(records, "results/metrics/run-a/seeds0-1/epochfinal.csv", "measure_codes", 0, 50)
    assert durations.of_rules(tmp_path, ["run-a"], records) == [
        Duration("measure_codes", 1, 2.0, 2.0)
    ]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"rule": "train_ensemble", "starttime": null, "endtime": 1}']
)
def test_records_of_another_kind_are_passed_over(tmp_path, content):
    records = tmp_path / "records"
    records.mkdir()
    (records / base64.urlsafe_b64encode(b"results/run-a/x").decode()).write_text(content)
    (records / "no base64!").write_text("{}")
    assert durations.of_rules(tmp_path, ["run-a"], records) == []


def test_nothing_was_timed(tmp_path):
    assert durations.of_rules(tmp_path, ["run-a"], tmp_path / "records") == []
