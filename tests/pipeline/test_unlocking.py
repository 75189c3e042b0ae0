import os
import signal
import socket
import subprocess
import sys

import pytest

from neuralcodes.pipeline import unlocking

PROGRAM = """
import subprocess, sys
from neuralcodes.pipeline import unlocking
print(unlocking.take_part(sys.argv[1]), flush=True)
for _ in sys.stdin:
    print(subprocess.Popen(["sleep", "60"], stdin=-3, stdout=-3).pid, flush=True)
"""


@pytest.fixture
def start(tmp_path):
    """Starts processes that take part, and tell whether they removed a lock."""
    running = []

    def started():
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process, process.stdout.readline() == "True\n"

    yield started
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def lock(tmp_path):
    """Snakemake's lock, as a function that makes it."""
    path = tmp_path / "locks" / "0.output.lock"

    def made():
        path.parent.mkdir(exist_ok=True)
        path.write_text("results/runs.csv\n")
        return path

    return made


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def end(process):
    process.communicate()
    assert process.returncode == 0


def test_the_lock_of_a_killed_one_is_removed(start, lock):
    process, removed = start()
    assert not removed, "there was none"
    left = lock()
    kill(process)
    _, removed = start()
    assert removed
    assert not left.exists()


def test_the_lock_of_a_living_one_stays(start, lock):
    start()
    held = lock()
    for _ in range(2):
        _, removed = start()
        assert not removed
        assert held.exists()


def test_a_lock_stays_as_long_as_one_of_several_lives(start, lock):
    (first, _), (second, _) = start(), start()
    left = lock()
    kill(first)
    third, removed = start()
    assert not removed
    kill(second)
    kill(third)
    _, removed = start()
    assert removed
    assert not left.exists()


def test_the_lock_of_one_that_does_not_take_part_stays(start, lock):
    process, _ = start()
    end(process)
    foreign = lock()
    for _ in range(2):
        process, removed = start()
        assert not removed
        assert foreign.exists()
        kill(process)


def test_the_lock_of_another_machine_stays(start, lock, tmp_path):
    (tmp_path / unlocking.FILE).write_text(f"not-{socket.gethostname()}")
    foreign = lock()
    _, removed = start()
    assert not removed
    assert foreign.exists()


def test_who_ends_in_order_leaves_no_signature(start, tmp_path):
    process, _ = start()
    assert (tmp_path / unlocking.FILE).read_text() == socket.gethostname()
    end(process)
    assert (tmp_path / unlocking.FILE).read_text() == ""


def test_children_do_not_hold_what_their_parent_held(start, lock):
    process, _ = start()
    process.stdin.write("\n")
    process.stdin.flush()
    child = int(process.stdout.readline())
    left = lock()
    kill(process)
    try:
        os.kill(child, 0)
        _, removed = start()
        assert removed
        assert not left.exists()
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_folder_that_cannot_be_written_is_left_to_snakemake(tmp_path):
    (tmp_path / "file").touch()
    assert not unlocking.take_part(tmp_path / "file")
