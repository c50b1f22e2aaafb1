"""Nonces: each counts once, within a window, among the highest."""

import pytest

from fractal_testnet.wire.nonces import DAY_MS, KEPT, NonceBook

NOW = 1_750_000_000_000


@pytest.fixture
def book() -> NonceBook:
    return NonceBook()


def test_a_nonce_counts_once(book):
    assert book.take("a", NOW, NOW) is None
    assert "duplicate" in book.take("a", NOW, NOW)
    assert book.take("b", NOW, NOW) is None  # another signer's own


def test_nonces_may_come_out_of_order(book):
    for nonce in (NOW, NOW - 5, NOW + 3, NOW - 2):
        assert book.take("a", nonce, NOW) is None


@pytest.mark.parametrize(
    ("offset", "accepted"),
    [
        (-2 * DAY_MS, False),
        (-2 * DAY_MS + 1, True),
        (-120_000, True),
        (120_000, True),
        (DAY_MS - 1, True),
        (DAY_MS, False),
        (-3 * DAY_MS, False),
    ],
)
def test_a_clock_may_be_wrong_by_minutes_but_not_by_days(book, offset, accepted):
    assert (book.take("a", NOW + offset, NOW) is None) is accepted


def test_only_the_highest_are_kept_and_nothing_below_them_is_accepted(book):
    for step in range(KEPT):
        assert book.take("a", NOW + step, NOW) is None

    assert "below" in book.take("a", NOW - 1, NOW)
    assert book.take("a", NOW + KEPT, NOW) is None
    # The lowest has made room, and is refused all the same.
    assert book.take("a", NOW, NOW) is not None


def test_a_refused_nonce_is_not_used_up(book):
    assert book.take("a", NOW + 2 * DAY_MS, NOW) is not None
    assert book.take("a", NOW + 2 * DAY_MS, NOW + 2 * DAY_MS) is None
