import errno
import logging
import os
import re
import socket
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from neuralcodes.errors import DataError, DeviceError
from neuralcodes.networks import modelfiles, perceptrons
from neuralcodes.storage import jobs, tensors

HERE = re.sub(r"\W", "-", socket.gethostname())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_only_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with jobs.atomic(path) as temporary:
        temporary.write_text("whole")
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "whole"
    assert names(path.parent) == ["file.txt"]


def test_an_error_leaves_nothing_behind(tmp_path):
    with (
        pytest.raises(RuntimeError, match="midway"),
        jobs.atomic(tmp_path / "file.txt") as temporary,
    ):
        temporary.write_text("half")
        raise RuntimeError("midway")
    assert names(tmp_path) == []


def test_an_error_leaves_the_file_of_before(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")
    with pytest.raises(SystemExit), jobs.atomic(path) as temporary:
        temporary.write_text("half")
        raise SystemExit(143)
    assert path.read_text() == "before"
    assert names(tmp_path) == ["file.txt"]


def test_a_file_replaces_that_of_before(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")
    with jobs.atomic(str(path)) as temporary:
        temporary.write_text("after")
    assert path.read_text() == "after"


def test_a_folder_replaces_that_of_before_as_a_whole(tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "old").touch()
    with jobs.atomic(folder) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
        assert names(folder) == ["inner"]
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["folder"]


def test_an_error_removes_a_half_made_folder(tmp_path):
    with pytest.raises(ValueError, match="midway"), jobs.atomic(tmp_path / "folder") as temporary:
        temporary.mkdir()
        (temporary / "half").touch()
        raise ValueError("midway")
    assert names(tmp_path) == []


def test_what_a_killed_job_of_the_same_number_left_is_removed(tmp_path):
    left = tmp_path / f".file.txt.{HERE}.{os.getpid()}.partial"
    left.mkdir()
    (left / "half").touch()
    with jobs.atomic(tmp_path / "file.txt") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_file_space_and_remedy(tmp_path, number):
    path = tmp_path / "file.txt"
    message = r"no space left to write .*file\.txt \([\d.]+ MB free in .*\); free some space, then"
    with pytest.raises(DataError, match=message), jobs.atomic(path):
        raise OSError(number, os.strerror(number))
    assert names(tmp_path) == []


def test_a_disk_that_is_full_when_a_model_is_saved_is_the_same_error(tmp_path, monkeypatch):
    def full(*_, **__):
        raise tensors.SafetensorError("I/O error: No space left (os error 28)")

    monkeypatch.setattr(tensors, "save_file", full)
    ensemble = perceptrons.initialise(perceptrons.Shape(2, (2,), 2), [0])
    with pytest.raises(DataError, match=r"no space left to write .*model\.safetensors"):
        modelfiles.save(tmp_path / "model.safetensors", {"final": ensemble}, {})
    assert names(tmp_path) == []


def test_other_errors_of_the_system_pass_through(tmp_path):
    with (
        pytest.raises(PermissionError, match="not yours"),
        jobs.atomic(tmp_path / "file.txt"),
    ):
        raise PermissionError(errno.EACCES, "not yours")


def test_an_error_for_the_user_is_one_line_on_standard_error_and_exit_code_1(tmp_path, capsys):
    log = tmp_path / "logs" / "job.log"
    with pytest.raises(SystemExit) as ended, jobs.logged(log):
        raise DataError("the file is damaged; delete it")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "DataError: the file is damaged; delete it\n"
    assert log.read_text().rstrip().endswith("DataError: the file is damaged; delete it")
    assert "Traceback" not in log.read_text()


def test_any_other_error_leaves_its_traceback_in_the_log(tmp_path, capsys):
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit) as ended, jobs.logged(log):
        raise ZeroDivisionError("by nothing")
    assert ended.value.code == 1
    for text in (log.read_text(), capsys.readouterr().err):
        assert "Traceback (most recent call last)" in text
        assert "ZeroDivisionError: by nothing" in text


def test_an_exit_passes_through(tmp_path):
    with pytest.raises(SystemExit) as ended, jobs.logged(tmp_path / "job.log"):
        raise SystemExit(143)
    assert ended.value.code == 143


def test_messages_of_the_job_and_the_library_go_to_the_log(tmp_path):
    log = tmp_path / "job.log"
    with jobs.logged(log) as logger:
        logger.info("of the job")
        logging.getLogger("neuralcodes.networks.training.loop").info("of the library")
    lines = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    assert lines[:2] == ["of the job", "of the library"]
    assert [line.split()[0] for line in lines[2:]] == ["took"]


def test_a_second_run_overwrites_the_log_and_the_first_is_closed(tmp_path):
    for text in ("first", "second"):
        with jobs.logged(tmp_path / f"{text}.log") as logger:
            logger.info(text)
        with jobs.logged(tmp_path / "job.log") as logger:
            logger.info(text)
    assert "second" not in (tmp_path / "first.log").read_text()
    assert "first" not in (tmp_path / "job.log").read_text()
    assert not logging.getLogger("neuralcodes").handlers


def test_warnings_go_to_the_log_within_the_job_only(tmp_path):
    log, shown = tmp_path / "job.log", warnings.showwarning
    for _ in range(2):
        with jobs.logged(log), warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("beware", stacklevel=1)
        assert "UserWarning: beware" in log.read_text()
    assert warnings.showwarning is shown


def test_blas_has_the_threads_of_the_job(tmp_path):
    np.ones((2, 2)) @ np.ones((2, 2))
    with jobs.logged(tmp_path / "job.log", threads=1):
        assert {each["num_threads"] for each in threadpool_info()} <= {1}


@pytest.fixture
def threads_of_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_torch_has_the_threads_of_the_job(threads_of_before):
    assert jobs.start_torch(2, "cpu") == torch.device("cpu")
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("there", "chosen"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_a_cuda_device_where_there_is_one(monkeypatch, there, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(there))
    assert jobs.start_torch(1, "auto") == torch.device(chosen)


@pytest.mark.parametrize(("device", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_a_cuda_device_that_is_not_there_is_refused(monkeypatch, device, count):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    message = f"device: {device} was asked for, but torch sees {count} CUDA .* set device to auto"
    with pytest.raises(DeviceError, match=message):
        jobs.start_torch(1, device)


def test_a_cuda_device_that_is_there_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert jobs.start_torch(1, "cuda:1") == torch.device("cuda:1")


def test_mps_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"mps was asked for, .* set device: auto"):
        jobs.start_torch(1, "mps")


def test_what_a_killed_process_left_half_written_is_removed_by_the_next_write(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f".a.csv.{HERE}.{gone.pid}.partial"
    other = tmp_path / f".a.csv.{HERE}.{os.getppid()}.partial"
    elsewhere = tmp_path / f".a.csv.another-node.{gone.pid}.partial"
    for path in (left, other, elsewhere):
        path.touch()
    with jobs.atomic(tmp_path / "a.csv") as temporary:
        temporary.write_text("whole")
    assert not left.exists()
    assert other.exists()
    assert elsewhere.exists()
