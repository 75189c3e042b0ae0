"""Jobs and snakemake are killed: the same command goes on, and every number stays the same."""

import random
import re
import shutil
import signal
import subprocess
from collections import Counter

import pytest
from disturbing import Snakemake, contents, remove, results_of, unfinished, wait_for

from neuralcodes.networks.training import statefiles

pytestmark = pytest.mark.workflow

SEED = 2021
ROUNDS = 8
# How often each is killed at least. Each round kills every kind once, or misses it.
KILLS = Counter({"train": 2, "encode": 2, "measure": 2, "plot": 2, "snakemake": 2})
KILLED = re.compile(r"tmp\w+\.([a-z]+)_\w+\.py'* died with <Signals.SIGKILL")


def test_jobs_and_snakemake_killed_at_random_moments_lose_nothing(undisturbed, tmp_path):
    project = undisturbed.project.clone(tmp_path / "project")
    results, seconds = results_of(project), dict(undisturbed.seconds)
    generator = random.Random(SEED)
    kills = Counter()
    for number in range(ROUNDS):
        wanted = set(KILLS - kills)
        if not wanted:
            break
        told = f"seed {SEED}, round {number}, killed until then: {dict(kills)}"
        gone = remove(results, *chosen(results, generator, wanted, hashing=number % 2 == 1))
        if "snakemake" in wanted:
            kills += kill_snakemake(project, generator, seconds)
            assert_nothing_is_wrong(results, undisturbed.contents, told)
        kills += kill_jobs(project, generator, seconds, wanted, told)
        assert_nothing_is_wrong(results, undisturbed.contents, told)
        with Snakemake(project, cores=2) as running:
            learn(seconds, running.watch())
        assert running.returncode == 0, f"{told}\n{running.said}"
        assert contents(results) == undisturbed.contents, f"{told}, removed before: {gone}"
        assert not unfinished(results), told
    assert kills >= KILLS
    assert project.planned() == []


def chosen(results, generator, wanted, *, hashing):
    """What is removed, so that a job of each kind has to run and none waits for another."""
    runs = sorted(path.name for path in results.glob("codes/*"))
    first, second, third = generator.sample(runs, 3)
    if "train" in wanted and hashing:
        run = generator.choice(sorted(path.name for path in results.glob("models/manifolds-*")))
        yield from (f"models/{run}/*", f"metrics/{run}/*/*", "tiny/*/manifolds*")
    elif "train" in wanted:
        yield from (f"models/{first}/*", f"codes/{first}/*", f"metrics/{first}/*/*")
    if "encode" in wanted:
        yield from (f"codes/{second}/*", f"metrics/{second}/*/*")
    if "measure" in wanted:
        yield f"metrics/{third}/*/*"
    yield from ("tiny/*/widths*", generator.choice(["tiny/figures/fea*", "tiny/figures/pert*"]))


def kill_snakemake(project, generator, seconds):
    """Kill snakemake at a random moment, in half of the cases with all of its jobs."""
    moment = generator.uniform(0.1, seconds["start"] + 2 * seconds["train_ensemble"])
    with Snakemake(project, cores=2) as running:
        try:
            running.wait(moment)
        except subprocess.TimeoutExpired:
            orphans = running.jobs()
            running.kill()
            if generator.random() < 0.5:
                for job in orphans:
                    job.kill()
    return Counter(snakemake=int(running.returncode == -signal.SIGKILL))


def kill_jobs(project, generator, seconds, wanted, told):
    """Kill one job of each kind at a random moment; one that was over by then does not count."""
    moments = {kind: generator.uniform(0, 0.9) for kind in sorted(wanted - {"snakemake"})}
    victims = {}

    def look(jobs):
        for job in jobs:
            kind = job.rule.split("_")[0]
            first = kind in moments and victims.setdefault(kind, job) is job
            if first and job.age >= moments[kind] * seconds[job.rule]:
                job.kill()

    with Snakemake(project, "--keep-going", cores=2) as running:
        running.watch(look)
    killed = Counter(set(KILLED.findall(running.said)))
    assert running.returncode == (1 if killed else 0), f"{told}\n{running.said}"
    return killed


def learn(seconds, jobs):
    """Take note of how long jobs live now: the machine may have more time than before, or less."""
    for job in jobs:
        seconds[job.rule] = job.age


def assert_nothing_is_wrong(results, expected, told):
    """Whatever is there under its final name is whole."""
    found = contents(results)
    assert {name for name in found if found[name] != expected.get(name)} == set(), told


# A long training


TRAININGS = {
    "codes": ("models/digits-mlp1x2-*", r"going on after epoch (\d+)", "epoch 1 of 150"),
    "hash": ("models/manifolds-hash20x8-*", r"going on after step (\d+)", "step 50 of 800"),
}


@pytest.fixture(params=TRAININGS)
def training(request, undisturbed, tmp_path):
    """A project in which one training is to be done, its model, and what its log says."""
    project = undisturbed.project.clone(tmp_path / "project")
    results = results_of(project)
    pattern, going_on, begun = TRAININGS[request.param]
    folder = sorted(results.glob(pattern))[0]
    (model,) = [name for name in remove(results, f"models/{folder.name}/*") if "csv" not in name]
    logs = f"logs/train*/{folder.name}/*.log"
    shutil.rmtree(project.folder / "logs")

    def log():
        return "".join(path.read_text() for path in project.folder.glob(logs))

    return project, model, log, going_on, begun


def saved(project, model):
    return statefiles.state_path(results_of(project) / model)


def assert_it_went_on(undisturbed, training):
    project, _, log, going_on, begun = training
    after = re.search(going_on, log())
    assert after, log()
    assert int(after[1]) > 0
    assert begun not in log(), "not from its beginning"
    found = contents(results_of(project))
    assert len(found) == len(undisturbed.contents)
    assert found == undisturbed.contents, "bit by bit: model, history and all else"
    assert not unfinished(results_of(project))


def test_a_killed_training_goes_on_from_its_saved_state_to_the_same_bits(undisturbed, training):
    project, model, *_ = training
    target = str((results_of(project) / model).relative_to(project.folder))
    with Snakemake(project, target) as running:
        wait_for(saved(project, model).exists)
        (job,) = running.jobs()
        job.kill()
    assert running.returncode == 1, running.said
    assert "died with <Signals.SIGKILL" in running.said
    assert saved(project, model).exists()
    project.run(target)
    assert_it_went_on(undisturbed, training)


def test_when_snakemake_is_killed_its_training_saves_its_state_and_ends(undisturbed, training):
    project, model, log, _, begun = training
    target = str((results_of(project) / model).relative_to(project.folder))
    with Snakemake(project, target) as running:
        wait_for(lambda: begun in log())
        (job,) = running.jobs()
        running.kill()
    job.process.wait(timeout=30)
    assert "snakemake has died" in log()
    assert saved(project, model).exists()
    assert not (results_of(project) / model).exists()
    done = project.snakemake(target)
    assert done.returncode == 0, done.stdout
    assert "The lock of a snakemake that was killed is removed." in done.stdout
    assert_it_went_on(undisturbed, training)


# Two in one folder


def test_a_second_snakemake_is_refused_and_the_first_completes(undisturbed, tmp_path):
    project = undisturbed.project.clone(tmp_path / "project")
    results = results_of(project)
    remove(results, "tiny/figures/feature_selection*")
    with Snakemake(project) as running:
        wait_for(lambda: running.jobs())
        (job,) = running.jobs()
        job.process.suspend()
        try:
            second = project.snakemake(stderr=subprocess.PIPE)
            planned = project.planned()
        finally:
            job.process.resume()
    assert second.returncode == 1
    assert "Error: Directory cannot be locked." in second.stderr
    assert "It can be removed with the --unlock argument." in second.stderr
    assert "is removed" not in second.stderr
    assert planned == ["plot_schematic", "render_report"]
    assert running.returncode == 0, running.said
    assert contents(results) == undisturbed.contents
