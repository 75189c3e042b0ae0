import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as hnp
from torch.nn import functional

from neuralcodes.codes import packed as codes
from neuralcodes.codes import tracing
from neuralcodes.errors import DataError

BITS = hnp.arrays(bool, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=19))


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Calls(torch.nn.Module):
    """A network made of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs):
        return self.function(inputs)


def signs(model, inputs, **options):
    packed, layers = codes.activation_code(model, np.array(inputs, np.float32), **options)
    return codes.unpack(packed, sum(layer.units for layer in layers)).astype(int).tolist()


def linear(weights):
    layer = torch.nn.Linear(len(weights[0]), len(weights), bias=False)
    layer.weight.data = torch.tensor(weights, dtype=torch.float32)
    return layer


# packing


def test_the_first_unit_is_the_highest_bit_and_padding_is_zero():
    bits = np.array([[1, 0, 0, 0, 0, 0, 0, 1, 1], [0, 1, 1, 0, 0, 0, 0, 0, 0]], bool)
    assert codes.pack(bits).tolist() == [[129, 128], [96, 0]]


@given(BITS)
def test_unpacking_undoes_packing(bits):
    packed = codes.pack(bits)
    assert packed.shape == (*bits.shape[:-1], -(-bits.shape[-1] // 8))
    unpacked = codes.unpack(packed, bits.shape[-1])
    assert unpacked.dtype == bool
    assert np.array_equal(unpacked, bits)


@given(BITS)
def test_tensors_pack_like_arrays(bits):
    packed = codes.pack(torch.from_numpy(bits))
    assert packed.dtype == torch.uint8
    assert np.array_equal(packed.numpy(), codes.pack(bits))


@pytest.mark.parametrize("bits", [np.ones((2, 3)), np.ones(3, np.uint8), torch.ones(2, 3)])
def test_packing_rejects_what_is_not_bool(bits):
    with pytest.raises(ValueError, match="bits must be bool"):
        codes.pack(bits)


def test_packing_rejects_a_single_bit_without_a_unit_axis():
    with pytest.raises(ValueError, match="units"):
        codes.pack(np.array(True))


def test_unpacking_rejects_bits_that_were_never_packed():
    with pytest.raises(ValueError, match=r"forget codes\.pack"):
        codes.unpack(np.ones((2, 3), bool), 3)


@pytest.mark.parametrize("units", [-1, 0, 8, 17])
def test_unpacking_rejects_another_number_of_units(units):
    with pytest.raises(ValueError, match=r"need .* bytes"):
        codes.unpack(np.zeros((4, 2), np.uint8), units)


@pytest.mark.parametrize(
    "packed", [np.zeros((0, 2), np.uint8), np.zeros(3, np.uint8), np.zeros((3, 2), np.int8)]
)
def test_codes_are_checked_before_they_are_measured(packed):
    with pytest.raises(ValueError, match="non-empty uint8 matrix"):
        codes.check(packed)


# distinct codes


@pytest.mark.parametrize("units", [0, 5, 64, 65, 200])
def test_distinct_codes_agree_with_numpy(units):
    generator = np.random.default_rng(units)
    packed = codes.pack(generator.random((40, units)) < 0.5)[generator.integers(0, 40, 100)]
    found = codes.distinct(packed)
    expected, first, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
    order = np.lexsort(packed[found.first].T[::-1]) if units else [0]
    assert np.array_equal(packed[found.first][order], expected)
    assert np.array_equal(found.first[order], first)
    assert np.array_equal(found.counts[order], counts)
    assert np.array_equal(packed[found.first][found.inverse], packed)


def test_codes_that_share_a_hash_are_still_told_apart(monkeypatch):
    monkeypatch.setattr(codes, "_row_keys", lambda packed: np.zeros(len(packed), np.uint64))
    packed = np.repeat(np.arange(3, dtype=np.uint8), 4)[:, None].repeat(9, axis=1)
    assert sorted(codes.distinct(packed).counts) == [4, 4, 4]


# layers


@pytest.mark.parametrize("first", [0, 3, 8, 13])
@pytest.mark.parametrize("units", [0, 1, 8, 11, 16])
def test_a_layers_code_is_the_code_of_its_units(first, units):
    bits = np.random.default_rng(0).random((2, 5, 29)) < 0.5
    cut = codes.layer_code(codes.pack(bits), codes.Layer("x", first, units))
    assert np.array_equal(cut, codes.pack(bits[..., first : first + units]))


def test_a_layer_that_fills_whole_bytes_is_not_copied():
    packed = codes.pack(np.ones((4, 32), bool))
    assert np.shares_memory(codes.layer_code(packed, codes.Layer("x", 8, 16)), packed)


def test_cutting_a_layer_leaves_the_code_as_it_was():
    packed = codes.pack(np.ones((4, 16), bool))
    codes.layer_code(packed, codes.Layer("x", 0, 3))
    assert (packed == 255).all()


def test_a_layer_beyond_the_code_is_rejected():
    with pytest.raises(ValueError, match="another network"):
        codes.layer_code(np.zeros((4, 2), np.uint8), codes.Layer("x", 9, 8))


# files


def test_written_codes_are_read_as_a_read_only_map(tmp_path):
    packed = codes.pack(np.random.default_rng(0).random((2, 7, 11)) < 0.5)
    codes.write(tmp_path / "folder/train.npy", packed)
    read = codes.read(tmp_path / "folder/train.npy")
    assert isinstance(read, np.memmap)
    assert not read.flags.writeable
    assert np.array_equal(read, packed)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["train.npy"]


def test_codes_without_units_survive_their_file(tmp_path):
    codes.write(tmp_path / "train.npy", np.zeros((2, 3, 0), np.uint8))
    assert codes.read(tmp_path / "train.npy").shape == (2, 3, 0)


@pytest.mark.parametrize("packed", [np.zeros((2, 3), np.uint8), np.zeros((2, 3, 1))])
def test_writing_rejects_other_shapes_and_types(tmp_path, packed):
    with pytest.raises(ValueError, match="seeds, examples, bytes"):
        codes.write(tmp_path / "train.npy", packed)


@pytest.mark.parametrize("bytes_left", [0, 5, 128, 140])
def test_a_truncated_file_is_named_with_the_remedy(tmp_path, bytes_left):
    path = tmp_path / "train.npy"
    codes.write(path, np.zeros((2, 50, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:bytes_left])
    with pytest.raises(DataError, match=r"train\.npy is not a whole \.npy file .*; write it again"):
        codes.read(path)


def test_a_pickle_is_not_opened(tmp_path):
    np.save(tmp_path / "train.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match=r"is not a whole .* Python objects"):
        codes.read(tmp_path / "train.npy")


@pytest.mark.parametrize("content", [np.zeros((2, 3), np.uint8), np.zeros((2, 3, 1))])
def test_reading_rejects_other_content(tmp_path, content):
    np.save(tmp_path / "train.npy", content)
    with pytest.raises(DataError, match="must hold uint8"):
        codes.read(tmp_path / "train.npy")


def test_the_table_of_layers_survives_its_file(tmp_path):
    layers = [codes.Layer("hidden.0", 0, 11), codes.Layer('with, "quotes"', 11, 3)]
    codes.write_layers(tmp_path / "layers.csv", layers)
    assert (tmp_path / "layers.csv").read_text().splitlines()[0] == "layer,first_unit,units"
    assert codes.read_layers(tmp_path / "layers.csv") == layers


@pytest.mark.parametrize(
    "text",
    [b"layer,units\na,3\n", b"layer,first_unit,units\na,0,many\n", b"layer\xff", b'layer\n"' * 99],
)
def test_a_damaged_table_of_layers_is_rejected(tmp_path, text):
    (tmp_path / "layers.csv").write_bytes(text)
    with pytest.raises(DataError, match="columns layer, first_unit, units"):
        codes.read_layers(tmp_path / "layers.csv")


# encoding a network


def test_a_code_computed_by_hand():
    model = torch.nn.Sequential(linear([[1, 0], [0, 1], [1, -1]]), torch.nn.ReLU())
    assert signs(model, [[1, 2], [-1, 0], [3, 0]]) == [[1, 1, 0], [0, 0, 0], [1, 0, 1]]


@pytest.mark.parametrize(
    "activation",
    [
        torch.nn.ReLU(),
        torch.nn.ReLU(inplace=True),
        torch.nn.ReLU6(),
        torch.nn.LeakyReLU(),
        torch.nn.PReLU(),
        torch.nn.RReLU(),
        torch.nn.ELU(),
        torch.nn.GELU(),
        torch.nn.Threshold(0, 0),
        torch.nn.Hardtanh(0, 1),
        Calls(torch.relu),
        Calls(functional.relu),
        Calls(functional.leaky_relu),
        Calls(torch.Tensor.relu),
        Calls(lambda x: x.relu_()),
        Calls(lambda x: torch.clamp(x, min=0)),
        Calls(lambda x: torch.clamp(x, min=torch.tensor(0.0))),
        Calls(lambda x: x.clamp(0, 6)),
        Calls(lambda x: x.clamp_min(0)),
        Calls(torch.abs),
        Calls(lambda x: x.abs_()),
        Calls(abs),
    ],
    ids=lambda activation: f"{activation}"[:30],
)
def test_activations_are_found_as_modules_functions_and_methods(activation):
    assert signs(activation, [[-2, 0, 3]]) == [[0, 0, 1]]


@pytest.mark.parametrize(
    "function",
    [
        torch.tanh,
        lambda x: x.clamp(max=1),
        lambda x: torch.clamp(x, -1, 1),
        lambda x: functional.threshold(x, 1, 0),
        lambda x: x @ torch.eye(3).abs() * 2,
    ],
)
def test_a_network_without_activation_is_told_what_was_looked_for(function):
    class Weighted(Calls):
        def forward(self, inputs):
            return self.function(inputs)

    with pytest.raises(ValueError, match=r"without any activation.*leaky_relu.*relu"):
        signs(Weighted(function), [[-2, 0, 3], [1, 1, 1]])


def test_the_size_of_weights_is_no_activation():
    class Positive(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = linear([[1, -1], [-1, 1]])

        def forward(self, inputs):
            return torch.relu(inputs @ self.layer.weight.abs())

    _, layers = codes.activation_code(Positive(), np.ones((2, 2), np.float32))
    assert layers == [codes.Layer("relu", 0, 2)]


def test_layers_are_named_and_follow_the_order_of_execution():
    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.last = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
            self.first = torch.nn.Linear(2, 3)
            self.square = torch.nn.Linear(3, 3)
            self.act = torch.nn.ReLU()

        def forward(self, inputs):
            values = self.act(self.square(self.act(self.first(inputs))))
            return self.last(torch.relu(values))

    packed, layers = codes.activation_code(Twice(), np.ones((5, 2), np.float32))
    assert [(each.layer, each.first_unit, each.units) for each in layers] == [
        ("act", 0, 3),
        ("act:2", 3, 3),
        ("relu", 6, 3),
        ("last.1", 9, 4),
    ]
    assert packed.shape == (5, 2)


def test_convolutions_are_flattened_per_example():
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(18, 2)
    )
    inputs = torch.randn(4, 1, 5, 5)
    packed, layers = codes.activation_code(model, inputs)
    with torch.no_grad():
        expected = (model[0](inputs) > 0).flatten(1).numpy()
    assert layers == [codes.Layer("1", 0, 18)]
    assert np.array_equal(packed, codes.pack(expected))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_the_batch_size_changes_nothing(batch_size):
    model = torch.nn.Sequential(torch.nn.Linear(4, 11), torch.nn.ReLU(), torch.nn.Linear(11, 11))
    model.append(torch.nn.ReLU())
    inputs = np.random.default_rng(0).normal(size=(7, 4))
    assert signs(model, inputs, batch_size=batch_size) == signs(model, inputs, batch_size=2)


def test_control_flow_that_depends_on_data_is_followed():
    def branch(inputs):
        return torch.relu(inputs) if inputs.sum() > 0 else functional.leaky_relu(inputs)

    assert signs(Calls(branch), [[-2, 3]]) == [[0, 1]]
    with pytest.raises(ValueError, match="differ between batches"):
        signs(Calls(branch), [[-2, 3], [2, -3]], batch_size=1)


def test_the_network_is_left_as_it_was():
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU(), torch.nn.Dropout(0.5)
    )
    model.train()
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert signs(model, [[1, 2], [3, 4]]) == signs(model, [[1, 2], [3, 4]])
    assert [module.training for module in model] == [True, False, True, True]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_hooks_and_modes_are_undone_when_the_network_raises():
    def fail(inputs):
        raise RuntimeError("no such input")

    model = torch.nn.Sequential(torch.nn.ReLU(), Calls(fail))
    with pytest.raises(RuntimeError, match="no such input"):
        signs(model, [[1, 2]])
    assert model.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_inputs_may_be_doubles_and_read_only_maps(tmp_path):
    np.save(tmp_path / "inputs.npy", np.array([[-1.0, 2.0], [3.0, -4.0]]))
    inputs = np.load(tmp_path / "inputs.npy", mmap_mode="r")
    model = torch.nn.Sequential(linear([[1, 0], [0, 1]]), torch.nn.ReLU())
    packed, _ = codes.activation_code(model, inputs)
    assert packed.tolist() == [[64], [128]]


@pytest.mark.parametrize(("examples", "batch_size"), [(0, 4), (3, 0)])
def test_encoding_needs_inputs_and_a_batch_size(examples, batch_size):
    with pytest.raises(ValueError, match="positive batch_size"):
        tracing.record(torch.nn.ReLU(), np.ones((examples, 2)), batch_size)
