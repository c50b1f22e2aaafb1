"""Hooks that answer no when they fail."""

import logging

import pytest

from fractal_strategies.trading.fail_closed import fail_closed


class Hooks:
    @fail_closed(False)
    def works(self, pair: str) -> bool:
        """Documented."""
        return True

    @fail_closed(False)
    def fails(self, pair: str) -> bool:
        raise KeyError("the row is gone")

    @fail_closed(0.0)
    def interrupted(self, pair: str) -> float:
        raise KeyboardInterrupt


def test_a_working_hook_answers_for_itself():
    assert Hooks().works(pair="BTC") is True


@pytest.mark.parametrize(("args", "kwargs"), [((), {"pair": "BTC"}), (("BTC",), {})])
def test_a_failing_hook_answers_no_and_says_so_with_the_trace(caplog, args, kwargs):
    with caplog.at_level(logging.ERROR):
        answer = Hooks().fails(*args, **kwargs)

    assert answer is False
    (record,) = caplog.records
    assert "INTERNAL_ERROR in fails" in record.message
    assert ("BTC" if kwargs else "?") in record.message
    assert record.exc_info is not None


def test_a_person_can_still_interrupt_it():
    with pytest.raises(KeyboardInterrupt):
        Hooks().interrupted(pair="BTC")


def test_freqtrade_sees_the_hook_as_it_was_written():
    # freqtrade inspects signatures and names of hooks.
    assert Hooks.works.__name__ == "works"
    assert Hooks.works.__doc__ == "Documented."
