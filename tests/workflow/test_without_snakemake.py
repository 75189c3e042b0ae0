"""The workflow without snakemake: `python -m neuralcodes run` makes the files that it makes."""

import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
from projects import PRESET, ROOT, copy_project
from test_conventions import RULES

from neuralcodes.networks import modelfiles
from neuralcodes.pipeline import configuration, pieces, runner
from neuralcodes.studies import layout

pytestmark = pytest.mark.workflow

# Removes packages from what can be found, for this process; then runs the command line.
WITHOUT = """
import runpy, sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in {packages!r}:
            return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
runpy.run_module("neuralcodes", run_name="__main__", alter_sys=True)
"""
# What a machine with torch, NumPy and scikit-learn alone lacks.
LACKING = (
    *("snakemake", "pandas", "matplotlib", "jsonschema", "faiss", "PIL", "torchvision", "yaml"),
    *("safetensors", "tabulate"),
)
DIVERGING = ("learning_rate=1.0e+30", "batch_norm=false", "optimizer=sgd")
DIVERGING = [f"recipes.tiny.{each}" for each in DIVERGING]
DEPENDS_ON_THE_MACHINE = "queries_per_second"


def command_line(project, *arguments, without=()):
    program = ["-c", WITHOUT.format(packages=without)] if without else ["-m", "neuralcodes"]
    return [sys.executable, *program, *arguments]


def call(project, *arguments, without=(), **options):
    """Run the command line in a project; what it printed, and its exit code."""
    return subprocess.run(
        command_line(project, *arguments, without=without),
        cwd=project.folder,
        env=project.environment(PYTHONPATH=str(project.folder / "src")),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


def run(project, *arguments, **options):
    """Run studies, which must succeed; what it printed."""
    done = call(project, "run", "--threads", "1", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A copy in which all but figures was made without snakemake, and what that printed."""
    project = copy_project(tmp_path_factory.mktemp("runner") / "made")
    return project, run(project, without=("matplotlib",))


def files_below(folder, *patterns):
    found = {path.relative_to(folder) for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if (folder / path).is_file())


def lines_of(path):
    return [line for line in path.read_text().splitlines() if DEPENDS_ON_THE_MACHINE not in line]


def test_all_files_are_those_of_the_workflow(finished, made):
    ours, theirs = made[0].folder, finished.folder
    patterns = [
        *("results/models/**/*", "results/codes/**/*", "results/codes_of_random_inputs/**/*"),
        *("results/metrics/**/*", "results/tiny/tables/*", "results/runs.csv"),
        "resources/data/**/*",
    ]
    listed = [
        path
        for path in files_below(theirs, *patterns)
        if not path.name.startswith((".", "scorecard."))  # of all studies together
    ]
    assert files_below(ours, *patterns) == listed
    assert len(listed) > 150
    for path in listed:
        if path.match("tables/*.retrieval.*"):  # with times in every line
            continue
        if path.suffix == ".safetensors":  # with the checksums of all parameters
            found, expected = (modelfiles.read_metadata(each / path) for each in (ours, theirs))
            assert found == expected, path
        elif path.suffix == ".csv":
            assert lines_of(ours / path) == lines_of(theirs / path), path
        else:
            assert (ours / path).read_bytes() == (theirs / path).read_bytes(), path


def test_snakemake_has_nothing_left_to_do_but_figures_and_the_report(made):
    planned = made[0].planned()
    assert {job.split()[0] for job in planned} == {
        *("plot_study", "plot_schematic", "score_published", "render_report"),
    }


def test_what_was_done_is_printed_and_timed(made):
    project, printed = made
    assert "widths: 24 pieces to make in results" not in printed, "digits are prepared by then"
    assert "widths: 21 pieces to make in results" in printed
    line = r"^\[21/21\] tabulate_study widths: \d+\.\d s$"
    assert re.search(line, printed, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d s +12 measure_codes$", printed, re.MULTILINE)
    assert "12 model-epochs were trained" in printed
    assert "All is measured. Left out for lack of matplotlib: plot_study." in printed
    assert "Left out for lack of matplotlib: plot_study, plot_schematic." in printed
    times = pd.read_csv(project.folder / "results/tiny/timings/widths.csv")
    assert list(times.columns) == list(runner.TIMINGS)
    trained = times[times["rule"] == "train_ensemble"].iloc[0]
    assert (trained["device"], trained["pieces"], trained["model_epochs"]) == ("cpu", 4, 12)
    log = project.only("results/logs/train_ensemble/digits-mlp1x4-*/seeds1-1.log").read_text()
    assert "epoch 3 of 3" in log
    assert "peak memory" in log


def test_a_second_call_makes_tables_alone(made):
    before = {path: path.stat().st_mtime_ns for path in made[0].folder.glob("results/m*/**/*.*")}
    printed = run(made[0], "--study", "widths", without=("matplotlib",))
    assert "widths: 1 piece to make" in printed
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_what_is_missing_is_made_again_and_nothing_else(made, tmp_path):
    project = made[0].clone(tmp_path / "project")
    missing = project.only("results/metrics/digits-mlp1x4-*/seeds1-1/epoch2.csv")
    content = missing.read_bytes()
    missing.unlink()
    shutil.rmtree(project.folder / "results/models")
    shutil.rmtree(project.only("results/codes/digits-mlp1x2-*/seeds0-0"))
    printed = run(project, "--study", "widths", without=("matplotlib",))
    assert re.findall(r"^\[\d/\d\] (\w+)", printed, re.MULTILINE) == [
        *("measure_codes", "tabulate_study")
    ]
    assert missing.read_bytes() == content


def test_figures_are_drawn(finished, tmp_path):
    project = finished.clone(tmp_path / "project")
    shutil.rmtree(project.folder / "results/tiny/figures")
    run(project, "--study", "search")
    drawn = project.folder.glob("results/tiny/figures/*")
    assert sorted(path.name for path in drawn) == ["search.pdf", "search.png", "search.svg"]


def test_a_study_needs_torch_numpy_and_scikit_learn_alone(fresh, finished):
    done = call(fresh, "run", "--study", "widths", "--threads", "1", without=LACKING)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ("jsonschema is not installed: the configuration is taken unchecked\n")
    left_out = "Left out for lack of pandas, matplotlib: tabulate_study, plot_study."
    assert left_out in done.stdout
    compared = files_below(fresh.folder, "results/metrics/**/*.csv", "results/models/**/*.csv")
    assert len(compared) == 16
    for path in compared:
        assert (fresh.folder / path).read_bytes() == (finished.folder / path).read_bytes(), path
    assert [job.split()[0] for job in fresh.planned("results/tiny/tables/widths.csv")] == [
        "tabulate_study"
    ]


def test_packed_runs_give_the_numbers_of_runs_trained_alone(fresh, finished):
    printed = run(fresh, "--study", "widths", "--pack", "always", without=("matplotlib",))
    assert re.search(r"\] train_ensemble digits-mlp1x4-\w+ seeds0-0 and 3 more together: ", printed)
    assert "12 model-epochs" in printed
    for path in files_below(fresh.folder, "results/models/**/*.safetensors"):
        found, expected = (
            modelfiles.load(each.folder / path, "final") for each in (fresh, finished)
        )
        for name, value in expected.parameters.items():
            assert torch.allclose(found.parameters[name], value, rtol=1e-3, atol=1e-4), name
    table = "results/tiny/tables/widths.csv"
    together, alone = (pd.read_csv(each.folder / table) for each in (fresh, finished))
    # some examples of 1,149 and 360 lie so close to a border that rounding decides
    pd.testing.assert_frame_equal(together, alone, check_exact=False, rtol=0, atol=0.01)
    assert fresh.only("results/logs/train_ensemble/packs/*.log").read_text().count("epoch 3 of 3")
    assert not list(fresh.folder.glob("results/.resume/**/*.safetensors"))


@pytest.mark.parametrize("pack", ["never", "always"])
def test_a_training_that_was_ended_goes_on_with_the_same_command(fresh, tmp_path, pack):
    arguments = ["run", "--study", "widths", "--seeds", "0-0", "--pack", pack, "--threads", "1"]
    arguments += ["--config", "recipes.tiny.epochs=200"]
    with subprocess.Popen(
        command_line(fresh, *arguments, without=("matplotlib",)),
        cwd=fresh.folder,
        env=fresh.environment(PYTHONPATH=str(fresh.folder / "src")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        folder, end = fresh.folder / "results/logs/train_ensemble", time.monotonic() + 60
        while "epoch 3 of 200" not in "".join(log.read_text() for log in folder.rglob("*.log")):
            assert time.monotonic() < end
            time.sleep(0.01)
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=60)
    assert running.returncode == 143, output
    assert not list(fresh.folder.glob("results/models/**/*.*"))
    assert len(list(fresh.folder.glob("results/.resume/**/*.safetensors"))) == 1
    done = call(fresh, *arguments, without=("matplotlib",))
    assert done.returncode == 0, done.stderr
    logs = "".join(log.read_text() for log in folder.rglob("*.log"))
    assert logs.count("going on after epoch") == 1
    assert len(list(fresh.folder.glob("results/metrics/**/epochfinal.csv"))) == 2


# What goes wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--preset", "tini"],
            r'ConfigError: preset: "tini" is no known preset; did you mean tiny',
        ),
        (
            ["--study", "width"],
            r'ConfigError: study: "width" is no known study; did you mean width',
        ),
        (["--config", "recipes.tiny.width=-1"], r"ConfigError: recipes\.tiny\.width: -1 is not"),
        (["--config", "device"], r"ConfigError: --config: device is not allowed: KEY=VALUE"),
        (["--device", "cuda:9"], r"DeviceError: device: cuda:9 was asked for, but torch sees 0"),
        (
            ["--study", "widths", "--config", *DIVERGING],
            r"DivergenceError: run digits-mlp1x2-\w{8}, seed 0: the training loss is nan",
        ),
    ],
)
def test_a_problem_is_one_message_and_exit_code_1(made, tmp_path, arguments, message):
    done = call(made[0], "run", "--out", str(tmp_path / "out"), *arguments)
    assert done.returncode == 1
    assert re.match(message, done.stderr), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert not list(tmp_path.glob("out/metrics/**/*.csv"))


@pytest.mark.parametrize("option", [["--seeds", "3-"], ["--threads", "0"], ["--pack", "yes"]])
def test_wrong_options_are_refused_with_exit_code_2(made, option):
    done = call(made[0], "run", *option)
    assert done.returncode == 2
    assert f"argument {option[0]}" in done.stderr


def test_a_study_that_searches_needs_faiss_and_says_so_first(fresh):
    done = call(fresh, "run", "--study", "widths", "--study", "search", without=LACKING)
    assert done.returncode == 1
    assert (
        "ConfigError: search: measure_hash_retrieval needs faiss-cpu, which is not installed here"
        in done.stderr
    )
    assert not (fresh.folder / "results").exists()


def test_official_data_must_be_prepared_where_torchvision_is(fresh):
    arguments = ["--study", "widths", "--config", "studies.widths.dataset=mnist"]
    arguments += ["datasets.mnist.source=mnist"]
    done = call(fresh, "run", *arguments, without=LACKING)
    assert done.returncode == 1
    assert "DataError: resources/data/mnist is missing, and preparing it takes torchvision" in (
        done.stderr
    )
    assert "snakemake --cores 1 resources/data/mnist/dataset.json" in done.stderr


def test_the_options_reach_the_configuration(fresh):
    arguments = ["run", "--dry-run", "--study", "widths", "--seeds", "3", "--out", "elsewhere"]
    arguments += ["--config", "studies.widths.factors.width=[2,", "3]"]
    assert call(fresh, *arguments).returncode == 1
    arguments[-2:] = ["studies.widths.factors.width=[2, 3, 5]", "seeds_per_chunk=2"]
    done = call(fresh, *arguments)
    assert done.stdout.startswith("widths: 34 pieces to make in elsewhere\n")
    assert "\n     6 train_ensemble\n     6 encode_ensemble\n    18 measure_codes\n" in done.stdout
    assert not (fresh.folder / "elsewhere").exists()


# What the runner says of the rules


def names_in(directive, depth=8):
    return set(re.findall(rf"^ {{{depth}}}(?: {{4}})?(\w+)=", f"        {directive}", re.MULTILINE))


@pytest.fixture(scope="module")
def of_rules(made):
    """The pieces of the tiny preset by rule."""
    settings = configuration.load({"preset": str(made[0].folder / PRESET)}, ROOT, {})
    every, known = pieces.Pieces(settings, ROOT), {}

    def visit(piece):
        known.setdefault(piece.rule, piece)
        for each in piece.needs:
            assert runner.RULES.index(each.rule) < runner.RULES.index(piece.rule)
            visit(each)

    for study in settings.studies.values():
        for piece in (*every.metrics(study), *every.printed(study), *every.figures(study)):
            visit(piece)
    return known


OF_ALL_STUDIES = {"score_published", "render_report"}  # need what snakemake knows
OF_STUDIES = sorted(set(RULES) - OF_ALL_STUDIES)


def test_every_rule_of_a_study_has_its_pieces(of_rules):
    assert sorted(of_rules) == sorted(runner.RULES) == OF_STUDIES


@pytest.mark.parametrize("name", OF_STUDIES)
def test_a_piece_is_given_what_its_rule_gives(of_rules, name):
    piece, directives = of_rules[name], RULES[name][1]
    fingerprints = {"code", "content"} if "code" not in piece.params else {"content"}
    assert set(piece.params) == names_in(directives["params"]) - fingerprints
    assert ("code" in piece.params) == name.startswith("train_")
    named = names_in(directives.get("input", ""))
    assert set(piece.inputs) == named or not named
    named = names_in(directives["output"])
    assert set(piece.outputs) == named or not named
    assert bool(piece.inputs) == ("input" in directives)
    used = set(re.findall(r"\{\{?(\w+)\}\}?", directives["log"])) & {
        *("run", "hash_run", "first", "last", "epoch", "dataset", "study")
    }
    assert set(piece.wildcards) == used


def test_everything_that_can_be_measured_has_its_rule():
    assert pieces.MEASURES.keys() == pieces.OF_HASH_NETWORKS.keys() == layout.ENDINGS.keys()
    for table in (pieces.MEASURES, pieces.OF_HASH_NETWORKS):
        assert {rule for rule, _ in table.values()} <= set(RULES)


@pytest.mark.parametrize("preset", ["digits", "mnist", "paper"])
def test_the_files_measured_are_those_that_the_workflow_asks_for(preset):
    settings = configuration.load({"preset": preset}, ROOT, {})
    every = pieces.Pieces(settings, ROOT)
    for study in settings.studies.values():
        measured = [piece.outputs["metrics"] for piece in every.metrics(study)]
        assert measured == layout.metric_files(settings, study)
        printed = [path for piece in every.printed(study) for path in piece.outputs["files"]]
        assert sorted(printed) == sorted(layout.printed_tables(settings, [study.name]))
        drawn = [path for piece in every.figures(study) for path in piece.outputs.values()]
        assert drawn == layout.figure_files(settings, [study.name])
