"""Matrix products of an ensemble, one per seed, by the faster of torch's two CPU libraries."""

import torch

# torch hands float32 products to MKL, which keeps to narrower vectors on some processors; oneDNN,
# which torch ships as well, reaches twice its speed there. Per call it costs more, so that small
# products stay with MKL, and so does anything that shares its operations among threads.
WORTHWHILE = 1_000_000  # multiplications of one seed's product


def product(
    left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Multiply matrices seed by seed.

    Args:
        left: float (S, n, k).
        right: float (S, k, m); transposed views cost nothing.
        out: (S, n, m), overwritten; None makes a new tensor.

    Returns:
        (S, n, m).
    """
    if not _suits_onednn(left, right):
        return torch.bmm(left, right) if out is None else torch.bmm(left, right, out=out)
    linear = torch.ops.mkldnn._linear_pointwise
    if out is None:
        out = left.new_empty(left.shape[0], left.shape[1], right.shape[2])
    pairs = zip(out.unbind(), left.unbind(), right.mT.unbind(), strict=True)
    for target, rows, columns in pairs:
        target.copy_(linear(rows, columns, None, "none", [], ""))
    return out


def _suits_onednn(left: torch.Tensor, right: torch.Tensor) -> bool:
    return (
        left.device.type == "cpu"
        and left.dtype == torch.float32
        and left.shape[1] * left.shape[2] * right.shape[2] >= WORTHWHILE
        and torch.get_num_threads() == 1
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
