import math

import pytest
import torch
from recordings import Recorder, recorder_of
from training_cases import advanced, assert_same, finished, resumed

from neuralcodes.errors import DivergenceError
from neuralcodes.networks import perceptrons
from neuralcodes.networks.cuda import chunks, graphs
from neuralcodes.networks.cuda.chunks import Chunks, DeferredBackpropagation
from neuralcodes.networks.training import optimisers
from neuralcodes.networks.training.backpropagation import Backpropagation, WrittenOut
from neuralcodes.networks.training.batches import EpochBatches
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.steps import Bound
from neuralcodes.networks.training.trainingdata import TrainingData

SEEDS = [0, 1, 2, 3]
# 45 examples are 5 whole batches and one of 5: chunks of 2, 2 and 1 steps, and the rest.
FEW_STEPS = 2
RESTLESS = {"learning_rate": 0.3, "schedule": "constant", "patience": 1, "epochs": 12, "width": 4}
TRAININGS = [
    {},
    {"depth": 3, "width": 12, "weight_decay": 1e-2},
    {"batch_norm": False},
    {"activation": "abs", "batch_norm": False, "initializer": "torch_default"},
    {"activation": "tanh", "initializer": "torch_default"},
    {"activation": "leaky_relu", "decay_epochs": 1, "weight_decay": 0.0},
    {"optimizer": "sgd", "momentum": 0.9, "decay_epochs": 1},
    {"optimizer": "sgd", "weight_decay": 0.1, "depth": 2, "width": 8},
    {"sample_size": 13},
    {"input_noise": 0.3, "label_noise": 0.2, "input_scaling": "standardized"},
    {"batch_size": 45},
    {"batch_size": 1000},
    {"batch_size": 1, "batch_norm": False},
    {"batch_size": 11, "batch_norm_momentum": 0.0},
    RESTLESS,
]
EVERY = pytest.mark.parametrize("changes", TRAININGS, ids=lambda changes: "-".join(changes) or "-")


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(chunks, "STEPS", FEW_STEPS)


@pytest.fixture
def start(make_run, images):
    def build(changes, seeds=SEEDS, lean=True, checkpoints=("1", "final")):
        run = make_run(**{"epochs": 3, **changes})
        data = TrainingData.of(run, seeds, *images, 255)
        return Training(run, seeds, data, 3, checkpoints, lean=lean)

    return build


@EVERY
def test_steps_in_chunks_train_the_same_network(start, changes):
    expected, found = finished(start(changes, lean=False)), finished(start(changes))
    assert isinstance(expected.steps, WrittenOut)
    assert isinstance(found.steps, Chunks)
    assert found.progress.stopped == expected.progress.stopped
    assert found.progress.steps == expected.progress.steps
    for row, other in zip(found.progress.history, expected.progress.history, strict=True):
        assert row[:3] == other[:3]
        assert row[3:] == pytest.approx(other[3:], rel=1e-4, abs=1e-6)
    for epoch, ensemble in expected.checkpoints.items():
        for name, value in ensemble.parameters.items():
            other = found.checkpoints[epoch].parameters[name]
            torch.testing.assert_close(other, value, rtol=1e-3, atol=1e-4, msg=name)


def test_the_restless_run_of_these_tests_shrinks(start):
    assert len(set(finished(start(RESTLESS)).progress.stopped)) > 1


@EVERY
def test_a_recording_of_a_chunk_trains_the_same_network_to_the_last_bit(
    start, changes, monkeypatch
):
    expected, recorders = finished(start(changes)), []
    monkeypatch.setattr(graphs, "recorder", recorder_of(recorders))
    assert_same(finished(start(changes)), expected)
    assert recorders
    for each in recorders:
        # what would make the host wait, or bring numbers from it into a recording
        assert not each.names & {"_local_scalar_dense", "lift_fresh", "nonzero", "masked_select"}


def test_a_training_halted_between_epochs_ends_with_the_same_bits(start, tmp_path):
    expected = finished(start(RESTLESS))
    for halt in (1, 2, 5):
        halted = advanced(start(RESTLESS), halt)
        assert_same(finished(resumed(halted, start(RESTLESS), tmp_path)), expected)


@pytest.mark.parametrize("lean", [True, False])
def test_a_state_may_be_gone_on_with_the_other_way(start, tmp_path, lean):
    halted = advanced(start({}, lean=lean), 1)
    going_on, expected = resumed(halted, start({}, lean=not lean), tmp_path), finished(start({}))
    for name, value in finished(going_on).checkpoints["final"].parameters.items():
        other = expected.checkpoints["final"].parameters[name]
        torch.testing.assert_close(value, other, rtol=1e-3, atol=1e-4)


def test_dropout_and_full_batches_are_trained_as_ever(start):
    for changes in ({"dropout": 0.2}, {"batch_size": None, "epochs": 2}):
        expected, found = finished(start(changes, lean=False)), finished(start(changes))
        assert isinstance(found.steps, WrittenOut)
        assert_same(found, expected)


def test_on_a_cpu_steps_are_not_taken_in_chunks_unless_asked_for(make_training, make_run):
    assert isinstance(make_training(make_run(), [0]).steps, WrittenOut)


def test_a_loss_that_is_not_finite_names_run_seed_and_epoch(start):
    training = start({}, seeds=[7, 8])
    training.advance()
    training.active.parameters["output.bias"][1] = math.nan
    with pytest.raises(DivergenceError, match=rf"{training.run.id}, seed 8: .* in epoch 2; lower"):
        training.advance()


# the parts, in float64

KINDS = [
    {"optimizer": "adam", "weight_decay": 1e-2},
    {"optimizer": "adam", "weight_decay": 0.0, "adam_epsilon": 1e-3},
    {"optimizer": "sgd", "weight_decay": 1e-2, "momentum": 0.9},
]


def double_ensemble(run, members=3):
    shape = perceptrons.Shape(5, run.layers, 3, run.activation, run.batch_norm)
    parameters = perceptrons.initialise(shape, range(members), "torch_default").parameters
    return perceptrons.Perceptrons(
        shape, {name: value.double() for name, value in parameters.items()}
    )


def batches_of(steps, members=3, examples=9):
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(steps, members, examples, 5, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(0, 3, (steps, members, examples), generator=generator)


@pytest.mark.parametrize("changes", KINDS, ids=["adam", "large epsilon", "sgd"])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("depth", [1, 3])
def test_deferred_steps_are_plain_steps(make_run, depth, batch_norm, changes):
    run = make_run(depth=depth, width=6 * depth, batch_norm=batch_norm, **changes)
    inputs, labels = batches_of(steps=FEW_STEPS)
    plain, deferred = double_ensemble(run), double_ensemble(run)
    first, second = optimisers.Optimiser(run, plain), optimisers.Optimiser(run, deferred)
    backward = Backpropagation(plain, first.gradients, 0.9)
    later = DeferredBackpropagation(deferred, second.gradients, 0.9)
    for rate in (0.1, 0.01):
        measured = []
        for batch, target in zip(inputs, labels, strict=True):
            measured.append(backward.step(batch, target))
            first.step(rate)
        slopes, rates = later.begin(labels), second.rates(rate, FEW_STEPS)
        for batch, slope, each in zip(inputs, slopes, rates, strict=True):
            later.take_step(batch, slope)
            second.step_at(each)
        second.steps += FEW_STEPS
        loss, correct = later.settle(labels)
        expected = torch.stack([each[0] for each in measured])
        torch.testing.assert_close(loss, expected, rtol=1e-11, atol=1e-12)
        assert torch.equal(correct, sum(each[1] for each in measured))
    for name, value in plain.parameters.items():
        torch.testing.assert_close(deferred.parameters[name], value, rtol=1e-9, atol=1e-12)
    for name, value in first.moments().items():
        torch.testing.assert_close(second.moments()[name], value, rtol=1e-9, atol=1e-12)


def test_an_epoch_gives_mean_loss_and_hits_of_its_examples(start):
    training = start({"weight_decay": 0.1})
    loss, correct = training.steps.turn(0.01)
    other = start({"weight_decay": 0.1}, lean=False)
    expected_loss, expected_correct = other.steps.turn(0.01)
    torch.testing.assert_close(loss, expected_loss)
    assert torch.equal(correct, expected_correct)
    assert training.optimiser.steps == other.optimiser.steps == 6
    assert correct.max() > 1


def test_what_is_gathered_together_does_not_change_the_numbers(start, monkeypatch):
    expected = finished(start({}))
    monkeypatch.setattr(chunks, "GATHERED", 1)
    assert_same(finished(start({})), expected)


def test_parameters_moments_and_sums_stay_where_they_are(start):
    training = start({})

    def places():
        kept = {**training.active.parameters, **training.optimiser.moments()}
        return [each.data_ptr() for each in (*kept.values(), training.steps.loss)]

    before = places()
    training.advance()
    assert places() == before


def test_a_step_of_the_published_network_is_few_kernels(start, monkeypatch):
    recorders = []
    monkeypatch.setattr(graphs, "recorder", recorder_of(recorders))
    monkeypatch.setattr(chunks, "STEPS", 5)
    finished(start({}))
    many = max(recorders, key=lambda each: each.kernels)
    assert many.kernels < 16 * 5 + 45, "16 a step, and those of the whole chunk"
    with Recorder() as plain:
        start({}, lean=False).advance()
    assert many.kernels / 5 < 0.75 * plain.kernels / 6


class Nowhere:
    """Batches of 45 examples on the meta device."""

    def order(self):
        rows = torch.zeros(3, 45, dtype=torch.int64, device="meta")
        return rows, rows

    def gather(self, rows):
        return torch.zeros(*rows.shape, 5, device="meta")


@pytest.mark.parametrize("changes", KINDS, ids=["adam", "large epsilon", "sgd"])
def test_everything_that_a_step_needs_lies_on_the_device(make_run, changes, monkeypatch):
    """The meta device computes nothing, but refuses tensors of others and questions to values."""
    seen = []
    monkeypatch.setattr(torch, "_fused_adam_", lambda *given, **named: seen.append((given, named)))
    run = make_run(**changes)
    ensemble = double_ensemble(run)
    parameters = {name: value.float().to("meta") for name, value in ensemble.parameters.items()}
    ensemble = perceptrons.Perceptrons(ensemble.shape, parameters)
    optimiser = optimisers.Optimiser(run, ensemble)
    loss, correct = Chunks(Bound(run, ensemble, optimiser, Nowhere(), [])).turn(0.1)
    assert {loss.device.type, correct.device.type} == {"meta"}
    assert len(seen) == (0 if run.optimizer == "sgd" else 2 * 6)
    for given, named in seen:
        lists = [each for each in given if each]
        assert {each.device.type for some in lists for each in some} == {"meta"}
        assert named["lr"].device.type == "meta"
        assert named["lr"].dtype == torch.float32, "all that torch's kernel for CUDA takes"


# batches


@pytest.mark.parametrize("scaling", ["unit", "raw", "standardized"])
@pytest.mark.parametrize("changes", [{}, {"input_noise": 0.5}], ids=["shared", "own"])
def test_inputs_kept_scaled_are_inputs_scaled_when_gathered(make_run, images, scaling, changes):
    run = make_run(input_scaling=scaling, **changes)
    for inputs in (images[0], images[0].astype("float32")):
        data = TrainingData.of(run, SEEDS, inputs, images[1], 255)
        before = data.inputs.clone()
        plain, scaled = EpochBatches(data, SEEDS, 8), EpochBatches(data, SEEDS, 8, scaled=True)
        assert scaled.scaled
        rows = torch.tensor([[4, 1], [0, 44]])
        assert torch.equal(scaled.gather(rows), plain.gather(rows))
        assert scaled.gather(rows).dtype == torch.float32
        assert torch.equal(data.inputs, before)


def test_inputs_too_large_are_not_kept_scaled(make_run, images, monkeypatch):
    data = TrainingData.of(make_run(), SEEDS, *images, 255)
    monkeypatch.setattr(
        "neuralcodes.networks.training.batches.RESIDENT", 4 * data.inputs.numel() - 1
    )
    assert not EpochBatches(data, SEEDS, 8, scaled=True).scaled
