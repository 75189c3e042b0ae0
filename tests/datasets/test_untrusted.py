"""Files made to harm: refused, nothing in them is run, nothing is written elsewhere."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from model_cases import random_ensemble

from neuralcodes.codes import packed
from neuralcodes.datasets import prepared
from neuralcodes.datasets.prepared import DatasetSpec
from neuralcodes.errors import DataError
from neuralcodes.networks import modelfiles
from neuralcodes.networks.training import statefiles
from neuralcodes.storage import checksums
from neuralcodes.storage import tensors as tensorfiles


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.fixture
def sprung(tmp_path):
    """The file that the trap makes; it must not be there afterwards."""
    path = tmp_path / "sprung"
    pickle.loads(pickle.dumps(Trap(path)))
    assert path.exists(), "the trap works"
    path.unlink()
    yield path
    assert not path.exists()


# Pickles


def pickled(sprung, kind):
    """A pickle by itself, in a file of torch's, or behind the length of a header."""
    stream = io.BytesIO()
    if kind == "torch":
        torch.save({"weight": Trap(sprung)}, stream)
    else:
        protocol = 0 if kind == "text" else pickle.HIGHEST_PROTOCOL
        stream.write(pickle.dumps(Trap(sprung), protocol))
    content = stream.getvalue()
    return len(content).to_bytes(8, "little") + content if kind == "headed" else content


@pytest.mark.parametrize("kind", ["pickle", "text", "torch", "headed"])
def test_a_pickle_by_the_name_of_a_model_is_refused(tmp_path, sprung, kind):
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickled(sprung, kind))
    for read in (modelfiles.read_metadata, modelfiles.load):
        with pytest.raises(DataError, match=r"model\.safetensors is damaged .*; delete"):
            read(path, *([] if read is modelfiles.read_metadata else ["final"]))


@pytest.mark.parametrize("kind", ["pickle", "text", "torch", "headed"])
def test_a_pickle_by_the_name_of_a_state_is_ignored(tmp_path, sprung, kind):
    (tmp_path / "state.safetensors").write_bytes(pickled(sprung, kind))
    assert statefiles.read(tmp_path / "state.safetensors", "token") is None


def arrays_of_objects(sprung):
    fields = np.zeros(3, [("code", np.uint8), ("trap", object)])
    fields["trap"] = Trap(sprung)
    for array in (np.array([[[Trap(sprung)]]]), fields):
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=True)
        yield stream.getvalue()
    yield pickle.dumps(Trap(sprung))
    stream = io.BytesIO()
    np.savez(stream, trap=np.array([Trap(sprung)]), allow_pickle=True)
    yield stream.getvalue()


def test_pickled_objects_by_the_name_of_codes_are_refused(tmp_path, sprung):
    (tmp_path / "seeds0-0/epoch0").mkdir(parents=True)
    for listed in (False, True):
        for content in arrays_of_objects(sprung):
            path = tmp_path / "seeds0-0/epoch0/train.npy"
            path.write_bytes(content)
            if listed:
                checksums.write_listing(tmp_path / "seeds0-0")
            with pytest.raises(DataError, match=r"train\.npy is not a whole \.npy file"):
                packed.read(path)


def test_pickled_objects_by_the_name_of_prepared_data_are_refused(tmp_path, sprung):
    prepared.load("digits", tmp_path, "train")
    described = tmp_path / "digits/dataset.json"
    for kind in ("inputs", "labels"):
        path = tmp_path / f"digits/train-{kind}.npy"
        before = path.read_bytes()
        for content in arrays_of_objects(sprung):
            path.write_bytes(content)
            info = json.loads(described.read_text())
            info["checksums"][path.stem] = checksums.checksum(path)
            del info["checksum"]
            info["checksum"] = checksums.checksum_of(info)
            described.write_text(json.dumps(info, indent=2) + "\n")
            with pytest.raises(DataError, match=rf"train-{kind}\.npy is not a whole \.npy file"):
                prepared.load("digits", tmp_path, "train")
        path.write_bytes(before)


@pytest.mark.parametrize("key", ["x_train", "y_test"])
def test_pickled_objects_in_an_npz_are_refused(tmp_path, sprung, key):
    images = np.zeros((2, 4, 4), np.uint8)
    arrays = {"x_train": images, "y_train": [0, 1], "x_test": images, "y_test": [0, 1]}
    np.savez(tmp_path / "own.npz", **{**arrays, key: np.array([Trap(sprung), None])})
    with pytest.raises(DataError, match=r"own\.npz: .*without pickled objects"):
        prepare(tmp_path, "npz", tmp_path / "own.npz")
    (tmp_path / "own.npz").write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(DataError, match=r"own\.npz: .*without pickled objects"):
        prepare(tmp_path, "npz", tmp_path / "own.npz")


def prepare(tmp_path, source, path):
    spec = DatasetSpec("own", source, str(path))
    prepared.fetch(spec, tmp_path / "raw", None)
    prepared.prepare(spec, tmp_path / "raw", tmp_path / "prepared")


# Bombs


def safetensors(header, length=None):
    length = len(header) if length is None else length
    return length.to_bytes(8, "little") + header


@pytest.mark.parametrize(
    "content",
    [
        safetensors(b"{}", 2**64 - 1),
        safetensors(b"{}", 2**63),
        safetensors(b"{}", 10**12),
        safetensors(b"{}", 3),
        safetensors(b"", 0),
        safetensors(b"[" * 10**6),
        safetensors(b'{"a":' * 10**5),
        safetensors(b"\xff" * 100),
        safetensors(b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'),
        safetensors(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[36,0]}}') + bytes(36),
        safetensors(b'{"a":{"dtype":"F99","shape":[9],"data_offsets":[0,36]}}') + bytes(36),
    ],
)
def test_a_senseless_header_is_a_damaged_model_and_no_state(tmp_path, content):
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(DataError, match=r"model is damaged .*; delete"):
        modelfiles.load(tmp_path / "model", "final")
    assert statefiles.read(tmp_path / "model", "token") is None


def forged(path, **changes):
    """A model file whose checksums are right, whatever is in it."""
    ensemble = random_ensemble()
    modelfiles.save(path, {"final": ensemble}, {})
    with tensorfiles.opened(path) as file:
        text = file.metadata()
        tensors = {name: file.tensor(name).clone() for name in file.names()}
    del text["checksum"]
    text |= changes
    tensorfiles.write(path, tensors, {**text, "checksum": checksums.checksum_of(text)})


def architecture(**changes):
    shape = {"inputs": 4, "hidden": [5, 3], "classes": 2}
    return json.dumps({**shape, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "[" * 10**5},
        {"run": "[" * 10**5},
        {"epochs": "1" * 10**4},
        {"epochs": "7"},
        {"checksums": "[]"},
        {"checksums": "{}"},
        {"architecture": "[]"},
        {"architecture": architecture(hidden="wide")},
        {"architecture": architecture(hidden=[5, -3])},
        {"architecture": architecture(hidden=[5, [3]])},
        {"architecture": architecture(inputs=2**70)},
        {"architecture": architecture(inputs=10**9, hidden=[10**9, 10**9])},
        {"architecture": architecture(hidden=[6, 3])},
    ],
)
def test_a_model_file_forged_to_be_senseless_or_huge_is_refused(tmp_path, changes):
    path = tmp_path / "model"
    forged(path)
    modelfiles.load(path, "final")
    forged(path, **changes)
    with pytest.raises(DataError, match=r"model is damaged .*; delete"):
        modelfiles.load(path, "final")


def header_of(text, version=1):
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


@pytest.mark.parametrize(
    "content",
    [
        header_of(b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1000000000000000, 9), }"),
        header_of(b"{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -3, -4), }") + bytes(9),
        header_of(b"(" * 9000),
        header_of(b"-" * 9000 + b"1"),
        header_of(b"[" * 60000, version=2),
        header_of(b"{'descr': '|u1', 'shape': " + b"9" * 9000 + b"}"),
        header_of(b"__import__('os').system('touch sprung')"),
        header_of(b"\xff'", version=3),
    ],
)
def test_a_senseless_npy_file_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"train\.npy is not a whole \.npy file"):
        packed.read(tmp_path / "train.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["train.npy"]
