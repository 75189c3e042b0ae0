from neuralcodes.report import durations
from neuralcodes.report.durations import Duration


def benchmark(results, name, *seconds):
    path = results / "benchmarks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("s\th:m:s\n" + "".join(f"{each}\t0:00:01\n" for each in seconds))


def log(logs, name, seconds):
    path = logs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"9:00:00 took {seconds} s, 1 s of a processor; peak memory: 80 MB\n")


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


def test_rules_without_benchmark_are_timed_by_their_logs(tmp_path):
    logs = tmp_path / "logs"
    log(logs, "train_ensemble/run-a/seeds0-1.log", 10.5)
    log(logs, "train_ensemble/run-b/seeds0-1.log", 3)
    log(logs, "train_ensemble/run-of-others/seeds0-1.log", 1000)
    log(logs, "prepare_data/digits.log", 2)
    found = durations.of_rules(tmp_path, ["run-a", "run-b", "digits"], logs)
    assert found == [
        Duration("train_ensemble", 2, 13.5, 10.5),
        Duration("prepare_data", 1, 2.0, 2.0),
    ]


def test_a_rule_with_benchmarks_is_not_counted_twice(tmp_path):
    benchmark(tmp_path, "measure_codes/run-a/seeds0-1/epochfinal.tsv", 2)
    log(tmp_path / "logs", "measure_codes/run-a/seeds0-1/epochfinal.log", 50)
    found = durations.of_rules(tmp_path, ["run-a"], tmp_path / "logs")
    assert found == [Duration("measure_codes", 1, 2.0, 2.0)]


def test_nothing_was_timed(tmp_path):
    assert durations.of_rules(tmp_path, ["run-a"], tmp_path / "logs") == []
