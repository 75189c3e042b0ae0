"""Time and peak memory of jobs."""

import time
from pathlib import Path

import numpy as np

from neuralcodes.storage import jobs, usage


def test_the_peak_grows_with_what_is_held_and_stays_when_it_is_freed():
    size = 400_000_000
    assert usage.peak_mb() > 10
    held = np.ones(size // 8)
    assert usage.peak_mb() >= size / 1e6
    del held
    assert usage.peak_mb() >= size / 1e6


def test_a_log_ends_with_the_time_and_the_peak_of_its_job(tmp_path):
    with jobs.logged(tmp_path / "measure/run/seeds0-0.log") as logger:
        logger.info("at work")
        time.sleep(0.1)
    ((path, (seconds, peak)),) = usage.of_logs(tmp_path).items()
    assert path == Path("measure/run/seeds0-0.log")
    assert 0.1 <= seconds < 10
    assert 0 < peak <= usage.peak_mb()


def test_the_last_end_in_each_log_counts_and_a_killed_job_has_none(tmp_path):
    end = "took {} s, 1.00 s of a processor; peak memory: {} MB\n"
    lines = {
        "train/a.log": f"10:00:00 {end.format(3, 7)}10:00:01 {end.format('2.50', 300)}",
        "train/b/c.log": f"10:00:00 epoch 1\n10:00:01 {end.format('1.25', 200)}",
        "plot/d.log": "10:00:00 killed before its end\n",
    }
    for name, text in lines.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert usage.of_logs(tmp_path) == {
        Path("train/a.log"): (2.5, 300),
        Path("train/b/c.log"): (1.25, 200),
    }
