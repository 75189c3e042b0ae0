"""Jobs whose files cannot be written, or whose snakemake has died."""

import errno
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neuralcodes.errors import DataError
from neuralcodes.storage import jobs

ORPHAN = """
import os, sys, time
os.environ["NEURALCODES_SNAKEMAKE"] = sys.argv[2] and str(os.getppid())
from neuralcodes.storage import jobs
with jobs.logged(sys.argv[1]) as logger:
    logger.info("begun")
    time.sleep(float(sys.argv[3]))
    logger.info("ended by itself")
"""
PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]])
"""


def test_less_written_than_asked_for_is_a_full_disk(tmp_path):
    with (
        pytest.raises(DataError, match=r"no space left to write .*a\.npy"),
        jobs.atomic(tmp_path / "a.npy"),
    ):
        raise OSError("600000 requested and 524160 written")  # numpy's, which has no number


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("size", [10, 10**6])
def test_an_array_on_a_full_device_is_named(tmp_path, size):
    path = tmp_path / "a.npy"
    with (
        pytest.raises(DataError, match=r"no space left to write .*a\.npy \([\d.]+ MB free in .*\)"),
        jobs.atomic(path) as temporary,
    ):
        temporary.symlink_to("/dev/full")
        with temporary.open("wb") as file:
            np.save(file, np.zeros(size))
    assert list(tmp_path.iterdir()) == []


def test_a_file_within_an_unfinished_folder_is_named_as_it_will_be(tmp_path):
    with (
        pytest.raises(DataError) as caught,
        jobs.atomic(tmp_path / "codes") as folder,
        jobs.atomic(folder / "epoch1" / "test.npy"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert f"no space left to write {tmp_path}/codes/epoch1/test.npy (" in str(caught.value)
    assert f" MB free in {tmp_path}/codes/epoch1)" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
@pytest.mark.parametrize("inside", [".", "..", "a.csv", ".a.csv.node-1.1.partial/deep/file"])
def test_a_folder_that_may_not_be_written_is_named_with_a_remedy(tmp_path, number, inside):
    folder = tmp_path / "results"
    refused = os.path.normpath(folder / inside)
    with pytest.raises(DataError) as caught, jobs.atomic(folder / "a.csv"):
        raise OSError(number, os.strerror(number), refused)
    assert str(caught.value) == (
        f"cannot write {folder}/a.csv ({os.strerror(number).lower()}); make the folder {folder} "
        "writable or choose another in config/config.yaml, then run the same command again"
    )


def test_a_file_elsewhere_that_may_not_be_read_is_another_error(tmp_path):
    with (
        pytest.raises(PermissionError, match=r"elsewhere\.npy"),
        jobs.atomic(tmp_path / "results" / "a.csv"),
    ):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "elsewhere.npy"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError), jobs.atomic(tmp_path / "file" / "deep" / "a.csv"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("after", ["nothing", "an error for the user", "another error"])
def test_a_log_that_cannot_be_written_ends_the_job_and_is_named(tmp_path, capsys, after):
    log = tmp_path / "job.log"
    log.symlink_to("/dev/full")
    with pytest.raises(SystemExit) as ended, jobs.logged(log) as logger:
        if after == "an error for the user":
            raise DataError("the file is damaged")
        if after == "another error":
            raise ZeroDivisionError("by nothing")
        logger.info("of the job")
        raise AssertionError("the job went on")
    assert ended.value.code == 1
    told = capsys.readouterr().err
    if after == "nothing":
        assert told.startswith(f"DataError: no space left to write {log} (")
        assert told.count("\n") == 1
    elif after == "another error":
        assert told.endswith("ZeroDivisionError: by nothing\n")
    else:
        assert told == "DataError: the file is damaged\n"
    assert "Logging error" not in told
    assert not logging.getLogger("neuralcodes").handlers


def test_a_log_that_cannot_be_opened_is_named(tmp_path, capsys, monkeypatch):
    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("logging.FileHandler._open", lambda self: refuse(self.baseFilename))
    with pytest.raises(SystemExit) as ended, jobs.logged(tmp_path / "job.log"):
        raise AssertionError("the job began")
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(
        f"DataError: cannot write {tmp_path}/job.log (read-only file system); make the folder"
    )


def read_when_it_says(log, text, seconds=30):
    end = time.monotonic() + seconds
    while not (log.exists() and text in log.read_text()):
        assert time.monotonic() < end, log.exists() and log.read_text()
        time.sleep(0.02)
    return log.read_text()


def test_a_job_ends_when_its_snakemake_has_died(tmp_path):
    log = tmp_path / "job.log"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, ORPHAN, str(log), "snakemake", "30"])
    read_when_it_says(log, "begun")
    parent.kill()
    parent.wait()
    said = read_when_it_says(log, "snakemake has died, and with it ends this job")
    assert "ended by itself" not in said


def test_a_job_that_something_else_started_goes_on_without_it(tmp_path):
    log = tmp_path / "job.log"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, ORPHAN, str(log), "", "1"])
    read_when_it_says(log, "begun")
    parent.kill()
    parent.wait()
    said = read_when_it_says(log, "ended by itself")
    assert "snakemake has died" not in said
