"""Independent pieces of one measurement, shared among the threads that a job was given."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import threadpoolctl

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply `function` to each item and return the results in the order of the items.

    As many items run side by side as linear algebra had threads, and linear algebra runs on one
    thread meanwhile: an item's arithmetic is the same whatever the number of threads, to the bit.

    Args:
        function: called once per item; it must spend its time in numpy, which frees other threads.
        items: independent of one another.

    Returns:
        One result per item.

    Raises:
        Exception: whatever `function` raises, of the first item that fails.
    """
    items = list(items)
    threads = min(len(items), available())
    with threadpoolctl.threadpool_limits(1):
        if threads <= 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(function, items))


def available() -> int:
    """Number of threads that linear algebra may use now, at least 1."""
    pools = threadpoolctl.threadpool_info()
    return max([pool["num_threads"] for pool in pools if pool["user_api"] == "blas"], default=1)
