"""CUDA graphs: work that is the same many times over is recorded once and launched as a whole."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence

import torch

Function = Callable[..., None]
Shapes = tuple[torch.Size, ...]
Recording = tuple[list[torch.Tensor], Callable[[], None]]  # where inputs go, and what runs them


class Replayed:
    """Runs a function of device tensors again and again; on CUDA from a recording.

    The first call with inputs of some shapes runs the function as it is, which also loads kernels
    and sets libraries up. The second one records, which computes nothing, and replays. No call is
    made for the sake of warming up, so that the numbers are those of plain calls. On a CPU every
    call is a plain one.
    """

    def __init__(self) -> None:
        """Start without recordings; they live as long as this does."""
        self.called: set[Shapes] = set()
        self.recorded: dict[Shapes, Recording] = {}

    def __call__(self, function: Function, *inputs: torch.Tensor) -> None:
        """Run the function once.

        Args:
            function: always the same one. What it leaves behind lies in tensors that stay where
                they are from call to call; it never looks at a value on the host.
            inputs: may lie elsewhere in each call.
        """
        shapes = tuple(each.shape for each in inputs)
        record = recorder(inputs[0].device)
        if record is None:
            function(*inputs)
            return
        if shapes not in self.called:
            self.called.add(shapes)
            function(*map(torch.Tensor.contiguous, inputs))  # the kernels that will be recorded
            return
        if shapes not in self.recorded:
            self.recorded[shapes] = record(function, inputs)
        places, replay = self.recorded[shapes]
        for place, value in zip(places, inputs, strict=True):
            place.copy_(value)
        replay()


def recorder(
    device: torch.device,
) -> Callable[[Function, Sequence[torch.Tensor]], Recording] | None:
    """Find what records on a device.

    Args:
        device: where the function's tensors are.

    Returns:
        A function that takes the function and inputs of the right shapes; None where every call
        is to be a plain one.
    """
    return _record if device.type == "cuda" else None


@functools.cache
def side_stream(device: torch.device) -> torch.cuda.Stream | None:
    """Give the device's stream for `beside`; None where there is none.

    Args:
        device: any.
    """
    return torch.cuda.Stream(device) if device.type == "cuda" else None


@contextlib.contextmanager
def beside(stream: torch.cuda.Stream | None) -> Iterator[None]:
    """Let what is launched in the block run beside what is launched after it, until `join`.

    Args:
        stream: a `side_stream`.
    """
    if stream is None:
        yield
        return
    stream.wait_stream(torch.cuda.current_stream(stream.device))
    with torch.cuda.stream(stream):
        yield


def join(stream: torch.cuda.Stream | None) -> None:
    """Let what is launched from here on wait for what runs `beside`.

    Args:
        stream: the one of the last `beside`.
    """
    if stream is not None:
        torch.cuda.current_stream(stream.device).wait_stream(stream)


def _record(function: Function, inputs: Sequence[torch.Tensor]) -> Recording:
    places = [each.clone(memory_format=torch.contiguous_format) for each in inputs]
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(inputs[0].device), torch.cuda.graph(graph):
        function(*places)
    return places, graph.replay
