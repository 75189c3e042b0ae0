import os
import signal
import sys

import pytest
import yaml

from neuralcodes import __main__
from neuralcodes.pipeline import runner
from neuralcodes.pipeline.pieces import Piece

PRESET = {
    "datasets": {"digits": {"source": "digits"}},
    "recipes": {"short": {"epochs": 1, "patience": 0, "width": 2}},
    "metrics": {"names": ["redundancy_ratio"]},
    "studies": {
        "small": {
            "dataset": "digits",
            "recipe": "short",
            "factors": {"depth": [1]},
            "seeds": 1,
            "figure": {"kind": "curves", "x": "depth"},
        }
    },
}


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    """A command line that trains one small network and measures it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(PRESET))
    options = ["--preset", str(tmp_path / "own.yaml"), "--out", str(tmp_path / "results")]
    folders = [f"data.{name}={tmp_path / name}" for name in ("directory", "downloads")]
    return ["run", *options, "--threads", "1", "--config", *folders]


def test_a_run_leaves_sigterm_as_it_was(arguments, tmp_path, capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert __main__.main(arguments) == 0
    assert signal.getsignal(signal.SIGTERM) is before
    assert "own" in {path.name for path in (tmp_path / "results").iterdir()}
    assert capsys.readouterr().out.startswith("small: 6 pieces to make in ")


def test_an_interrupt_is_one_line_and_leaves_what_is_finished(
    arguments, tmp_path, capsys, monkeypatch
):
    original = runner._Runner._run_script

    def interrupted(self, piece):
        if piece.rule == "measure_codes":
            os.kill(os.getpid(), signal.SIGINT)
        original(self, piece)

    with monkeypatch.context() as patch:
        patch.setattr(runner._Runner, "_run_script", interrupted)
        assert __main__.main(arguments) == 130
    assert capsys.readouterr().err == "interrupted; the same command goes on\n"
    times = (tmp_path / "results/own/timings/small.csv").read_text()
    assert ",train_ensemble,1," in times
    assert "measure_codes" not in times
    assert __main__.main(arguments) == 0
    assert capsys.readouterr().out.startswith("small: 2 pieces to make in ")
    later = (tmp_path / "results/own/timings/small.csv").read_text()
    assert later.startswith(times)
    assert ",measure_codes,1," in later


def piece(rule, output, *needs):
    return Piece(rule, {}, needs, {}, {"file": str(output)}, {})


def test_only_what_is_missing_and_what_that_needs_is_planned(tmp_path):
    data = piece("prepare_data", tmp_path / "data")
    model = piece("train_ensemble", tmp_path / "model", data)
    codes = piece("encode_ensemble", tmp_path / "codes", data, model)
    metrics = [piece("measure_codes", tmp_path / name, codes, data) for name in ("a", "b")]
    table = piece("tabulate_study", tmp_path / "table", *metrics)
    assert runner.plan([table]) == [data, model, codes, *metrics, table]
    for name in ("a", "codes", "table"):
        (tmp_path / name).touch()
    assert runner.plan([table]) == [data, metrics[1], table]
    (tmp_path / "b").touch()
    assert runner.plan([table]) == [table]
    assert runner.plan(metrics) == []


def test_packages_that_are_not_installed_are_named_as_they_are_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert runner.lacking(["faiss", "numpy", "PIL"]) == ["faiss-cpu", "pillow"]
    assert runner.lacking([]) == []
