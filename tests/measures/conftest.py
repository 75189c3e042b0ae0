"""What the tests of measures measure: small networks, trained and encoded."""

import pytest
import torch

from neuralcodes.networks.training import resume, statefiles
from neuralcodes.pipeline import encoding

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def encode(make_run, toy, tmp_path_factory):
    """Train a run on the toy data, encode it, and give the run and the folder of its codes.

    Beside that folder are the model, seeds0-2.safetensors, its history, and the codes of random
    inputs, which are in the folder as well.
    """

    def build(**changes):
        folder = tmp_path_factory.mktemp("results")
        run, model = make_run(**changes), folder / "results/models/run/seeds0-2.safetensors"
        history = model.with_suffix(".csv")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(statefiles.signal, "signal", lambda *_: None)
            resume.train_on_dataset(
                run, [0, 1, 2], ["0", "final"], toy, model, history, CPU, "code"
            )
        encoding.write_checkpoints(model, toy, folder / "codes", CPU)
        encoding.write_random_checkpoints(model, toy, 30, folder / "codes", CPU)
        return run, folder / "codes"

    return build
