import pytest

from neuralcodes.storage import threads


def test_threads_keep_the_order_and_pass_errors_on(monkeypatch):
    monkeypatch.setattr(threads, "available", lambda: 3)
    assert threads.in_threads(lambda item: item * 2, range(20)) == list(range(0, 40, 2))
    with pytest.raises(ZeroDivisionError):
        threads.in_threads(lambda item: 1 / item, [1, 0, 2])
