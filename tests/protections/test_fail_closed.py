"""Hooks that answer no when they fail."""

import logging

import pytest

from fractal_protections.portfolio.fail_closed import fail_closed


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


class Listening(Hooks):
    def __init__(self, fails: bool = False) -> None:
        self.heard: list[tuple] = []
        self.deaf = fails

    def hook_failed(self, name, arguments, error):
        if self.deaf:
            raise OSError("nobody there")
        self.heard.append((name, arguments["pair"], str(error)))


def test_the_owner_hears_of_the_failure():
    owner = Listening()

    assert owner.fails(pair="BTC") is False
    assert owner.heard == [("fails", "BTC", "'the row is gone'")]


def test_an_owner_that_fails_to_listen_changes_no_answer(caplog):
    assert Listening(fails=True).fails(pair="BTC") is False
    assert "could not report the failure of fails" in caplog.text


@pytest.mark.parametrize(("args", "kwargs"), [((), {"pair": "BTC"}), (("BTC",), {})])
def test_a_failing_hook_answers_no_and_says_so_with_the_trace(caplog, args, kwargs):
    with caplog.at_level(logging.ERROR):
        answer = Hooks().fails(*args, **kwargs)

    assert answer is False
    (record,) = caplog.records
    assert "INTERNAL_ERROR in fails" in record.message
    assert ("BTC" if kwargs else "?") in record.message
    assert "KeyError: 'the row is gone'" in record.message
    assert record.exc_info


def test_a_hook_that_keeps_failing_shows_its_trace_once(caplog):
    hooks = Hooks()

    for _ in range(3):
        hooks.fails(pair="BTC")

    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False]


def test_a_person_can_still_interrupt_it():
    with pytest.raises(KeyboardInterrupt):
        Hooks().interrupted(pair="BTC")


def test_freqtrade_sees_the_hook_as_it_was_written():
    # freqtrade inspects signatures and names of hooks.
    assert Hooks.works.__name__ == "works"
    assert Hooks.works.__doc__ == "Documented."
