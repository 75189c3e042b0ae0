"""A stand-in for CUDA graphs on a CPU: torch's calls, written down and made again.

Like a graph it knows no Python: numbers that came from the host are those of the recording, and all
tensors lie where they lay.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Recorder(TorchDispatchMode):
    """Writes down what torch is asked to compute."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, made))
        return made

    @property
    def names(self):
        """Operators by name, without overloads."""
        return {func.overloadpacket.__name__ for func, *_ in self.calls}

    @property
    def kernels(self):
        """Number of calls that compute: all but views."""
        return sum(computes(*call) for call in self.calls)

    def replay(self):
        for func, args, kwargs, made in self.calls:
            if func._schema.is_mutable:
                func(*args, **kwargs)
            elif computes(func, args, kwargs, made):
                again = func(*args, **kwargs)
                for old, new in zip(tensors(made), tensors(again), strict=True):
                    old.copy_(new)


def computes(func, args, kwargs, made):
    return func._schema.is_mutable or not memory(made) & memory((args, kwargs))


def tensors(tree):
    return [each for each in tree_leaves(tree) if isinstance(each, torch.Tensor)]


def memory(tree):
    return {each.untyped_storage().data_ptr() for each in tensors(tree)}


def recorder_of(recorders):
    """A `graphs.recorder` that adds what it records to a list.

    To record on a CPU is to compute, so that the first replay is left out.
    """

    def record(function, inputs):
        places = [each.clone(memory_format=torch.contiguous_format) for each in inputs]
        recorder, fresh = Recorder(), [True]
        with recorder:
            function(*places)
        recorders.append(recorder)

        def replay():
            if not fresh:
                recorder.replay()
            fresh.clear()

        return places, replay

    return lambda device: record
