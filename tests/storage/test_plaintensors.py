import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from neuralcodes.errors import DataError
from neuralcodes.networks import modelfiles, models
from neuralcodes.networks.models import Architecture
from neuralcodes.storage import plaintensors
from neuralcodes.storage import tensors as tensorfiles
from neuralcodes.storage.plaintensors import BrokenFile

SHAPES = [(), (0,), (3,), (2, 0, 4), (5, 7), (1, 2, 3)]
TEXT = {"run": '{"width": 3}', "more": 'quotes " and \\ and\nlines, é, \N{SNOWMAN}', "": ""}


@pytest.fixture
def tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        f"{name}/{'x'.join(map(str, shape))}": torch.randint(0, 2, shape, generator=generator)
        .mul(7)
        .to(dtype)
        for name, dtype in plaintensors.DTYPES.items()
        for shape in SHAPES
    }


def read(path):
    with plaintensors.opened(path) as file:
        return {name: file.tensor(name) for name in file.names()}, file.metadata()


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert found[name].shape == value.shape, name
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("text", [TEXT, {}])
def test_the_package_reads_what_is_written_without_it(tmp_path, tensors, text):
    plaintensors.write(tmp_path / "file", tensors, text)
    assert_same(load_file(tmp_path / "file"), tensors)
    with safe_open(tmp_path / "file", framework="pt") as file:
        assert (file.metadata() or {}) == text


@pytest.mark.parametrize("text", [TEXT, {}])
def test_what_the_package_writes_is_read_without_it(tmp_path, tensors, text):
    save_file(tensors, tmp_path / "file", metadata=text)
    found, metadata = read(tmp_path / "file")
    assert_same(found, tensors)
    assert metadata == text


def test_both_write_the_same_bytes(tmp_path, tensors):
    one = {"run": TEXT["more"]}  # the package orders several texts as it likes
    save_file(tensors, tmp_path / "theirs", metadata=one)
    plaintensors.write(tmp_path / "ours", tensors, one)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_tensors_that_lie_otherwise_in_memory_are_written_in_order(tmp_path):
    tensor = torch.arange(12.0).view(3, 4)
    plaintensors.write(tmp_path / "file", {"a": tensor.T, "b": tensor[:, ::2]}, {})
    assert_same(read(tmp_path / "file")[0], {"a": tensor.T, "b": tensor[:, ::2]})


def header(text, size=0):
    content = text.encode()
    return len(content).to_bytes(8, "little") + content + b"\0" * size


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        (9).to_bytes(8, "little") + b"{}",
        (2**63).to_bytes(8, "little") + b"{}",
        header("[]"),
        header("{"),
        header("{}", size=1),
        header('{"__metadata__": [1]}'),
        header('{"a": 3}'),
        header('{"a": {"dtype": "F32", "shape": [1]}}', size=4),
        header('{"a": {"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}}', size=4),
        header('{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', size=4),
        header('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}', size=3),
        header('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}', size=8),
        header('{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}}', size=4),
        header('{"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}', size=4),
        header('{"a": {"dtype": "F32", "shape": [0, 1e99], "data_offsets": [0, 0]}}'),
        header(f'{{"a": {{"dtype": "F32", "shape": [0, {10**30}], "data_offsets": [0, 0]}}}}'),
        header("[" * 100_000),
    ],
)
def test_what_is_no_whole_file_is_broken(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BrokenFile):
        read(tmp_path / "file")


@given(position=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_flipped_bit_breaks_a_file_or_changes_what_is_read(tmp_path_factory, position, bit):
    path = tmp_path_factory.mktemp("flipped") / "file"
    expected = {"a": torch.arange(5), "b": torch.ones(3)}
    plaintensors.write(path, expected, {"key": "value"})
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    try:
        found, text = read(path)
    except BrokenFile:
        return
    same = found.keys() == expected.keys() and text == {"key": "value"}
    assert not same or not all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_tensor_that_is_not_there_is_named(tmp_path):
    plaintensors.write(tmp_path / "file", {"a": torch.zeros(1)}, {})
    with (
        plaintensors.opened(tmp_path / "file") as file,
        pytest.raises(BrokenFile, match="tensor b"),
    ):
        file.tensor("b")


def test_models_are_saved_and_loaded_without_the_package_and_with_it(tmp_path, monkeypatch):
    ensemble = models.initialise(Architecture(4, (3, 2), 3), [0, 1])
    path, damaged = tmp_path / "model", tmp_path / "damaged"
    with monkeypatch.context() as patch:
        patch.setattr(tensorfiles, "safetensors", None)
        modelfiles.save(path, {"0": ensemble}, {"seeds": [0, 1]})
        assert_same(modelfiles.load(path, "0").parameters, ensemble.parameters)
        damaged.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(DataError, match="is damaged"):
            modelfiles.load(damaged, "0")
        with pytest.raises(DataError, match="does not exist"):
            modelfiles.load(tmp_path / "missing", "0")
    assert_same(modelfiles.load(path, "0").parameters, ensemble.parameters)
