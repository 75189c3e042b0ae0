"""Model files of networks with random parameters, and the data that they are measured on."""

import torch

from neuralcodes.datasets import sampling
from neuralcodes.datasets.scaling import scaling_of
from neuralcodes.networks import modelfiles, perceptrons

CPU = torch.device("cpu")


def write(folder, run, seeds, reached=None, dead=()):
    """Write a model file; `dead` units of the last hidden layer of its second member never act.

    Returns:
        Its path, and the ensemble that each of its checkpoints shows.
    """
    shape = perceptrons.Shape(
        12, run.layers, 3, run.activation, run.batch_norm, dropout=run.dropout
    )
    ensemble = perceptrons.initialise(shape, seeds, "torch_default")
    for unit in dead:
        ensemble.parameters[f"hidden.{run.depth - 1}.bias"][1, unit] = -1e4
    header = {"run": run.to_dict(), "seeds": seeds, "stopped": [2] * len(seeds)}
    reached = reached or {}
    path = folder / "seeds.safetensors"
    checkpoints = dict.fromkeys(("0", *reached, "final"), ensemble)
    modelfiles.save(path, checkpoints, {**header, "reached": reached})
    return path, ensemble


def split_of(run, images, seed, split):
    """Inputs of a split as the network takes them, and their labels."""
    inputs, labels = images
    chosen = sampling.training_rows(run, labels, seed) if split == "train" else slice(40, None)
    return scaling_of(run.input_scaling, inputs, 255).features(inputs[chosen]), labels[chosen]


def random_ensemble(activation="relu", *, batch_norm=True, hidden=(5, 3), members=3, dropout=0.0):
    shape = perceptrons.Shape(
        4, hidden, 2, activation, batch_norm, batch_norm_epsilon=1e-3, dropout=dropout
    )
    generator = torch.Generator().manual_seed(1)
    values = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in perceptrons.initialise(shape, range(members)).parameters.items()
    }
    for name, value in values.items():
        if name.endswith("variance"):
            value.abs_()
    return perceptrons.Perceptrons(shape, values)
