"""Files whose bits flip, or that are cut: named on reading, never read as something else."""

import contextlib
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import write

from neuralcodes.datasets import prepared
from neuralcodes.errors import DataError
from neuralcodes.measures.codes import measure_codes
from neuralcodes.measures.layers import measure_layers
from neuralcodes.measures.random_inputs import measure_random_inputs
from neuralcodes.metrics import suite
from neuralcodes.networks import hashnetworks, modelfiles
from neuralcodes.pipeline import encoding
from neuralcodes.storage import checksums

CPU = torch.device("cpu")
CHEAP = suite.MetricSettings(names=("code_length",))
SEEDS = [0, 1]
EPOCHS = ("0", "final")
PACKED = ("train.npy", "test.npy", "uniform_0_1.npy", "uniform_-1_0.npy")
OF_CODES = (
    *("layers.csv", "members.csv", checksums.LISTING),
    *(f"epoch{epoch}/{name}" for epoch in EPOCHS for name in (*PACKED, "network.csv")),
)
OF_DATA = (
    "dataset.json",
    *(f"{split}-{kind}.npy" for split in ("train", "test") for kind in ("inputs", "labels")),
)
FEW = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def files(make_run, toy, tmp_path_factory):
    """A folder of models, codes and data."""
    folder, run = tmp_path_factory.mktemp("files"), make_run(width=5)
    write(folder, run, SEEDS)[0].rename(folder / "mlp")
    shape = hashnetworks.HashShape("cnn", (1, 8, 8), 0, 5, 7)
    modelfiles.save(folder / "cnn", {"0": hashnetworks.initialise(shape, [0])}, {"seeds": [0]})
    (folder / "toy").mkdir()
    for path in toy.iterdir():
        (folder / "toy" / path.name).write_bytes(path.read_bytes())
    encoding.write_checkpoints(folder / "mlp", folder / "toy", folder / "codes", CPU)
    encoding.write_random_checkpoints(folder / "mlp", folder / "toy", 9, folder / "codes", CPU)
    return folder, run


def read_model(folder, run, name):
    metadata = modelfiles.read_metadata(folder / name)
    loaded = [modelfiles.load(folder / name, epoch).parameters for epoch in metadata["epochs"]]
    return metadata, [{name: value.tolist() for name, value in each.items()} for each in loaded]


def read_codes(folder, run, _):
    given = (folder / "codes", folder / "toy", CHEAP)
    found = []
    for epoch in EPOCHS:
        found += measure_codes(run, SEEDS, epoch, *given)
        found += measure_layers(run, SEEDS, epoch, *given)
        found += measure_random_inputs(run, SEEDS, epoch, folder / "codes")
    return found


def read_data(folder, run, _):
    loaded = [prepared.load("toy", folder, split) for split in ("train", "test")]
    return prepared.describe(folder / "toy"), [[a.tolist() for a in pair] for pair in loaded]


KINDS = {
    **{name: (read_model, name) for name in ("mlp", "cnn")},
    **{f"codes/{name}": (read_codes, "codes") for name in OF_CODES},
    **{f"toy/{name}": (read_data, "toy/dataset.json") for name in OF_DATA},
}


@contextlib.contextmanager
def replaced(path, content):
    """Let a file have another content for a while, and its old date."""
    before, times = path.read_bytes(), path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    try:
        yield
    finally:
        path.write_bytes(before)


def test_every_file_that_is_written_is_damaged_here(files):
    folder, _ = files
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_no_flipped_bit_goes_unnoticed(files, name):
    (folder, run), (read, target) = files, KINDS[name]
    expected, content = read(folder, run, name), (folder / name).read_bytes()

    @FEW
    @given(st.integers(0, 8 * len(content) - 1))
    def flip(bit):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        with (
            replaced(folder / name, bytes(damaged)),
            pytest.raises(DataError, match=rf"; delete \S*{target} and run the same"),
        ):
            read(folder, run, name)

    flip()
    assert read(folder, run, name) == expected


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_no_cut_goes_unnoticed(files, name, share):
    (folder, run), (read, target) = files, KINDS[name]
    content = (folder / name).read_bytes()
    with (
        replaced(folder / name, content[: int(share * (len(content) - 1))]),
        pytest.raises(DataError, match=rf"; delete \S*{target} and run the same"),
    ):
        read(folder, run, name)
    with (
        replaced(folder / name, content + b"\0"),
        pytest.raises(DataError, match=rf"; delete \S*{target} and run the same"),
    ):
        read(folder, run, name)
