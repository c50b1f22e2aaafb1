"""Which pairs move together, and what is at stake in each group of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .closes import CloseBook
from .money import ZERO

STALE_CANDLES = 2
"""A pair whose last close is older than this many candles is not known any more."""
ROUNDING = 1e-12
"""A correlation this little below the threshold has reached it, and log returns that differ by
no more than this are constant: both are rounding."""


@dataclass(frozen=True, slots=True)
class ClusterExposure:
    """Leveraged notional of one group of pairs that move together.

    Parameters
    ----------
    pairs
        The held pairs that count in it, by name.
    net
        Signed notional of the pairs whose direction within the group is known, stake currency:
        what offsets has offset.
    gross
        Notional of the pairs that nothing may offset, stake currency, 0 or more.
    """

    pairs: tuple[str, ...]
    net: Decimal
    gross: Decimal

    @property
    def value(self) -> Decimal:
        """Notional that moves as one bet, stake currency, 0 or more."""
        return abs(self.net) + self.gross


@dataclass(frozen=True, slots=True)
class CorrelationView:
    """Groups of pairs that move together, as of one moment.

    Parameters
    ----------
    clusters
        Groups of known pairs, each pair with its direction: +1 moves as the group's first pair by
        name does, -1 against it, 0 not decided. One undecided pair leaves none of its group
        decided. A pair on its own is a group of one; a pair in no group is unknown.

    Raises
    ------
    ValueError
        A pair stands in two groups, a sign is not -1, 0 or +1, or a group is decided in part.

    Notes
    -----
    The safe side: an undecided group counts gross, so nothing in it offsets; an unknown pair
    counts gross in every group, as if it moved with each, always for the worse.
    """

    clusters: tuple[Mapping[str, int], ...]

    def __post_init__(self) -> None:
        pairs = [pair for cluster in self.clusters for pair in cluster]
        if len(set(pairs)) != len(pairs):
            raise ValueError(f"a pair stands in two groups, where it belongs in one: {pairs}")
        for cluster in self.clusters:
            signs = set(cluster.values())
            if not (signs <= {-1, 1} or signs == {0}):
                raise ValueError(f"signs are -1 and +1, or 0 throughout a group: {dict(cluster)}")

    @classmethod
    def unknown(cls) -> "CorrelationView":
        """Know nothing: every pair moves with every other, and nothing offsets."""
        return cls(())

    def cluster_of(self, pair: str) -> Mapping[str, int] | None:
        """Return the pair's group with the signs in it; None when the pair is unknown."""
        return next((cluster for cluster in self.clusters if pair in cluster), None)

    def sign(self, pair: str) -> int:
        """Return the pair's direction within its group; 0 when undecided or unknown."""
        return (self.cluster_of(pair) or {}).get(pair, 0)

    def exposures(self, notional: Mapping[str, Decimal]) -> tuple[ClusterExposure, ...]:
        """Measure what is at stake in each group.

        Parameters
        ----------
        notional
            Leveraged notional by pair, long above 0 and short below, stake currency.

        Returns
        -------
        tuple[ClusterExposure, ...]
            One for each group with a held pair, in the order of `clusters`; with nothing but
            unknown pairs held, one for these; empty when nothing is held. Exact, and so the same
            in every order, for booked amounts (see :mod:`.money`).
        """
        unknown = {p for p in notional if self.cluster_of(p) is None}
        unknown_gross = _gross(notional, unknown)
        found = []
        for cluster in self.clusters:
            held = [pair for pair in cluster if pair in notional]
            if held:
                net = sum((cluster[pair] * notional[pair] for pair in held), ZERO)
                undecided = _gross(notional, [pair for pair in held if cluster[pair] == 0])
                pairs = tuple(sorted([*held, *unknown]))
                found.append(ClusterExposure(pairs, net, undecided + unknown_gross))
        if unknown and not found:
            found.append(ClusterExposure(tuple(sorted(unknown)), ZERO, unknown_gross))
        return tuple(found)


def correlate(
    closes: CloseBook,
    pairs: Iterable[str],
    now: datetime,
    *,
    days: int,
    threshold: float,
) -> CorrelationView:
    """Group the pairs that move together, as of `now`.

    Parameters
    ----------
    closes
        The market that this process has seen.
    pairs
        Which pairs to look at, in any order. Two pairs that only a third one links are one group
        only if the third is among them.
    now
        Moment of the reading, aware of its time zone.
    days
        Length of the window of log returns, days.
    threshold
        Pairs whose correlation is at least this, up or down, move together: a ratio above 0, up
        to 1.

    Returns
    -------
    CorrelationView
        The groups by the name of their first pair.

    Raises
    ------
    ValueError
        `threshold` is not above 0 and up to 1, `days` is below 1, or `now` has no time zone.

    Notes
    -----
    Definition: Pearson's correlation of log returns, over the candles that both pairs have; the
    groups are the connected components of "correlates at least that much", which is
    single-linkage clustering cut at the threshold. A group's directions hold if the sign of every
    link in it agrees with them (a balanced signed graph); otherwise the group is undecided.

    Within a group a hedge offsets in full, also between pairs that are linked by others only.

    Causality: candles that are closed at `now` count, no others. Warm-up: a pair is known once it
    has half of the window's returns, and no longer than 2 candles after its last close; a pair
    that did not move is never known. Two known pairs with less than half of the window in common,
    or that did not move there, are linked and their group is undecided.
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold {threshold} is not a correlation: give one above 0, up to 1")
    names = sorted(set(pairs))
    returns = closes.returns(names, now, days)
    least = returns.shape[1] / 2
    fresh = [_is_fresh(closes, name, now) for name in names]
    known = np.array(fresh, dtype=bool) & _says_enough(returns, least)
    names = [name for name, is_known in zip(names, known, strict=True) if is_known]
    if not names:
        return CorrelationView.unknown()
    rho = _correlations(returns[known], least)
    links = np.where(np.abs(rho) >= threshold - ROUNDING, np.sign(rho), 0.0)
    return _clusters(names, links, np.isnan(rho))


def _gross(notional: Mapping[str, Decimal], pairs: Iterable[str]) -> Decimal:
    return sum((abs(notional[pair]) for pair in pairs), ZERO)


def _is_fresh(closes: CloseBook, pair: str, now: datetime) -> bool:
    last = closes.last_close(pair, now)
    return last is not None and now - last[1] <= STALE_CANDLES * closes.timeframe


def _says_enough(returns: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    # Whether each row has `least` returns that are not all the same.
    count = np.count_nonzero(~np.isnan(returns), axis=-1)
    highest = np.fmax.reduce(returns, axis=-1, initial=np.nan)  # these two leave NaN out
    lowest = np.fmin.reduce(returns, axis=-1, initial=np.nan)
    enough: NDArray[np.bool_] = (count >= least) & (highest - lowest > ROUNDING)
    return enough


def _standardised(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    # Rows, without NaN and not constant, of mean 0 and length 1: their products are Pearson's rho.
    centred = returns - (returns.sum(axis=1) / returns.shape[1])[:, np.newaxis]
    lengths = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    units: NDArray[np.float64] = centred / lengths[:, np.newaxis]
    return units


def _correlations(returns: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    # Between all rows, symmetric; NaN where two rows have too little in common.
    there: NDArray[np.bool_] = np.logical_not(np.isnan(returns))
    if not there.all():
        traded = there.any(axis=0)  # an outage of the venue is a gap of all pairs, so of none
        returns, there = returns[:, traded], there[:, traded]
    complete: NDArray[np.bool_] = np.all(there, axis=1)
    if complete.all():
        units = _standardised(returns)
        return units @ units.T
    rho = np.zeros((len(returns), len(returns)))
    units = _standardised(returns[complete])
    rho[np.ix_(complete, complete)] = units @ units.T
    for one, other in combinations(range(len(returns)), 2):
        if not (complete[one] and complete[other]):
            common = np.flatnonzero(there[one] & there[other])
            both = returns[[one, other]].take(common, axis=1)
            found = np.nan
            if _says_enough(both, least).all():
                units = _standardised(both)
                found = units[0] @ units[1]
            rho[one, other] = rho[other, one] = found
    return rho


def _clusters(
    names: list[str], links: NDArray[np.float64], in_doubt: NDArray[np.bool_]
) -> CorrelationView:
    # `links`: the sign of each link, 0 where there is none or its sign is in doubt.
    linked = (in_doubt | (links != 0.0)).tolist()
    against = (links < 0.0).tolist()
    signs = [0] * len(names)
    groups = []
    for first in range(len(names)):
        if signs[first]:
            continue
        signs[first] = 1
        group = [first]
        for member in group:  # grows while it is walked
            for other, is_linked in enumerate(linked[member]):
                if is_linked and not signs[other]:
                    signs[other] = -signs[member] if against[member][other] else signs[member]
                    group.append(other)
        groups.append(sorted(group))
    contradicted = in_doubt | (links * np.outer(signs, signs) < 0.0)
    undecided: list[bool] = np.asarray(contradicted.any(axis=1)).tolist()
    return CorrelationView(
        tuple(
            dict.fromkeys((names[member] for member in group), 0)
            if any(undecided[member] for member in group)
            else {names[member]: signs[member] for member in group}
            for group in groups
        )
    )
