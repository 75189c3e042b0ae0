import pytest
import torch

from neuralcodes.storage import tensors


def test_tensors_that_cannot_be_written_are_an_error_of_the_system(tmp_path):
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        tensors.write(tmp_path, {"a": torch.zeros(1)}, {})
