"""Peak memory of jobs."""

import numpy as np

from neuralcodes.storage import jobs, memory


def test_the_peak_grows_with_what_is_held_and_stays_when_it_is_freed():
    size = 400_000_000
    assert memory.peak_mb() > 10
    held = np.ones(size // 8)
    assert memory.peak_mb() >= size / 1e6
    del held
    assert memory.peak_mb() >= size / 1e6


def test_a_log_ends_with_the_peak_of_its_job(tmp_path):
    with jobs.logged(tmp_path / "measure/run/seeds0-0.log") as logger:
        logger.info("at work")
    found = memory.peaks(tmp_path)
    assert list(found) == ["measure"]
    assert 0 < found["measure"][0] <= memory.peak_mb()


def test_the_last_peak_of_each_log_is_collected_by_rule(tmp_path):
    lines = {
        "train/a.log": "10:00:00 peak memory: 7 MB\n10:00:01 peak memory: 300 MB\n",
        "train/b/c.log": "10:00:00 epoch 1\n10:00:01 peak memory: 200 MB\n",
        "plot/d.log": "10:00:00 killed before its end\n",
    }
    for name, text in lines.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.peaks(tmp_path) == {"train": [300, 200], "plot": []}
