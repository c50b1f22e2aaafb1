"""Slow, obvious answers: every detector once more, from its docstring, in plain Python.

No numpy arithmetic, no state carried from row to row where it can be avoided: each row is
worked out afresh from the candles up to it. What takes the kernels nanoseconds takes this
milliseconds, which is the point: nothing here is clever enough to be wrong.
"""

from dataclasses import dataclass, field
from math import inf, isnan, nan
from statistics import median

import numpy as np
import pandas as pd

from fractal_strategies.smc import EndReason, SmcConfig

MOST_LIVE_ZONES = 32


class Table:
    """Candles as lists."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.open, self.high, self.low, self.close, self.volume = (
            [float(value) for value in frame[name]]
            for name in ("open", "high", "low", "close", "volume")
        )
        self.n = len(frame)

    def mirrored(self) -> "Table":
        """Turn the market upside down: highs become lows, rising becomes falling."""
        twin = object.__new__(Table)
        twin.open = [-price for price in self.open]
        twin.high = [-price for price in self.low]
        twin.low = [-price for price in self.high]
        twin.close = [-price for price in self.close]
        twin.volume = self.volume
        twin.n = self.n
        return twin


def wilder_atr(m: Table, period: int) -> list[float]:
    """Average the true ranges 1..period, then smooth them as Wilder did."""
    ranges = [nan] + [
        max(m.high[t], m.close[t - 1]) - min(m.low[t], m.close[t - 1]) for t in range(1, m.n)
    ]
    result = [nan] * m.n
    if m.n > period:
        result[period] = sum(ranges[1 : period + 1]) / period
        for t in range(period + 1, m.n):
            result[t] = (result[t - 1] * (period - 1) + ranges[t]) / period
    return result


def swing_high_rows(m: Table, width: int) -> list[int]:
    """List the rows of all swing highs that the candles confirm."""
    return [
        i
        for i in range(width, m.n - width)
        if all(m.high[i] > high for high in m.high[i - width : i])
        and all(m.high[i] >= high for high in m.high[i + 1 : i + width + 1])
    ]


def swings(m: Table, width: int) -> dict[str, list]:
    columns = {}
    for side, market, sign in (("high", m, 1), ("low", m.mirrored(), -1)):
        rows = swing_high_rows(market, width)
        confirmed = [nan] * m.n
        newest = [nan] * m.n
        for t in range(m.n):
            known = [i for i in rows if i + width <= t]
            if known:
                newest[t] = sign * market.high[known[-1]]
                if known[-1] + width == t:
                    confirmed[t] = newest[t]
        columns[f"swing_{side}"] = confirmed
        columns[f"last_swing_{side}"] = newest
    return columns


def premium_discount(m: Table, width: int) -> dict[str, list]:
    found = swings(m, width)
    position = [nan] * m.n
    for t in range(m.n):
        bottom, top = found["last_swing_low"][t], found["last_swing_high"][t]
        if top > bottom:
            position[t] = (m.close[t] - bottom) / (top - bottom)
    return {"range_position": position}


def upward_breaks(m: Table, width: int) -> dict[int, int]:
    """Map each row whose close breaks the newest swing high for the first time to that swing."""
    breaks = {}
    rows = swing_high_rows(m, width)
    for t in range(m.n):
        known = [i for i in rows if i + width <= t]
        if not known:
            continue
        swing = known[-1]
        above = [s for s in range(swing + width, t + 1) if m.close[s] > m.high[swing]]
        if above and above[0] == t:
            breaks[t] = swing
    return breaks


def structure(m: Table, width: int) -> dict[str, list]:
    up, down = upward_breaks(m, width), upward_breaks(m.mirrored(), width)
    assert not set(up) & set(down), "a close cannot break both ways"
    columns = {name: [0] * m.n for name in ("trend", "bos", "choch")}
    columns["broken_level"] = [nan] * m.n
    columns["broken_bars_ago"] = [-1] * m.n
    for t in range(m.n):
        before = [s for s in range(t) if s in up or s in down]
        trend = 0 if not before else (1 if before[-1] in up else -1)
        if t in up or t in down:
            direction = 1 if t in up else -1
            columns["choch" if trend == -direction else "bos"][t] = direction
            columns["broken_bars_ago"][t] = t - (up[t] if t in up else down[t])
            columns["broken_level"][t] = m.high[up[t]] if t in up else m.low[down[t]]
            trend = direction
        columns["trend"][t] = trend
    return columns


def volume_ratio(volume: list[float], window: int) -> list[float]:
    result = [nan] * len(volume)
    for t in range(window, len(volume)):
        usual = median(volume[t - window : t])
        if usual > 0:
            result[t] = volume[t] / usual
        elif volume[t] > 0:
            result[t] = inf
    return result


def displacement(
    m: Table, atr: list[float], body_atr: float, least_ratio: float, window: int
) -> dict[str, list]:
    ratios = volume_ratio(m.volume, window)
    bodies = [nan] * m.n
    marks = [0] * m.n
    for t in range(m.n):
        if isnan(atr[t]):
            continue
        body = m.close[t] - m.open[t]
        bodies[t] = body / atr[t] if atr[t] > 0 else 0.0
        loud = least_ratio == 0 or ratios[t] >= least_ratio
        if loud and body != 0 and abs(bodies[t]) >= body_atr:
            marks[t] = 1 if body > 0 else -1
    return {"displacement": marks, "body_atr": bodies, "volume_ratio": ratios}


@dataclass
class Zone:
    """One zone's life, from the bullish point of view."""

    source: int
    known: int
    top: float
    bottom: float
    members: int = 1
    end: int | None = None
    reason: EndReason = EndReason.LIVE
    rows: list[int] = field(default_factory=list)
    """Rows after `known` in which it was alive at the candle's open."""
    deepest: float = inf
    touched: int | None = None

    def share(self, price: float) -> float:
        height = self.top - self.bottom
        if price > self.top:
            return 0.0
        return min(1.0, (self.top - price) / height) if height > 0 else 1.0


def _live_a_natural_life(zone: Zone, m: Table, max_age: int) -> None:
    """Follow the zone to its invalidation or expiry, as if it were alone."""
    for t in range(zone.known + 1, m.n):
        if t - zone.known > max_age:
            zone.end, zone.reason = t, EndReason.EXPIRED
            return
        zone.rows.append(t)
        if m.close[t] < zone.bottom:
            zone.end, zone.reason = t, EndReason.INVALIDATED
            return


def bullish_zones(m: Table, blocks: dict[int, int], max_age: int) -> list[Zone]:
    """Build the zones from the blocks (breaking row -> block's row), merging and crowding."""
    zones: list[Zone] = []
    for t, source in blocks.items():
        new = Zone(source, t, m.high[source], m.low[source])
        live = [z for z in zones if z.end is None or z.end > t]
        for zone in live:
            if zone.bottom <= m.high[source] and zone.top >= m.low[source]:
                zone.end, zone.reason = t, EndReason.MERGED
                new.top, new.bottom = max(new.top, zone.top), min(new.bottom, zone.bottom)
                new.members += zone.members
        live = [z for z in live if z.end != t]
        if len(live) == MOST_LIVE_ZONES:
            live[0].end, live[0].reason = t, EndReason.CROWDED_OUT
        _live_a_natural_life(new, m, max_age)
        zones.append(new)
    for zone in zones:
        last = m.n - 1 if zone.end is None else zone.end
        lived = [t for t in zone.rows if t <= last]
        entered = [t for t in lived if m.low[t] <= zone.top]
        zone.touched = entered[0] if entered else None
        zone.deepest = min((m.low[t] for t in lived), default=inf)
    return zones


def order_blocks(
    m: Table,
    width: int,
    ratios: list[float],
    *,
    max_lookback: int,
    max_age: int,
    weak_ratio: float,
) -> tuple[dict[str, list], list[tuple]]:
    n = m.n
    columns: dict[str, list] = {name: [0] * n for name in ("ob", "ob_weak")}
    columns |= {name: [nan] * n for name in ("ob_top", "ob_bottom", "ob_volume_ratio")}
    columns |= {name: [0] * n for name in ("ob_mitigated", "ob_invalidated")}
    columns["ob_bars_ago"] = [-1] * n
    rows = []
    for name, sign, market in (("bull", 1, m), ("bear", -1, m.mirrored())):
        blocks = {}
        for t in upward_breaks(market, width):
            opposing = [
                s for s in range(max(0, t - max_lookback), t) if market.close[s] < market.open[s]
            ]
            if opposing:
                blocks[t] = source = opposing[-1]
                columns["ob"][t] = sign
                columns["ob_top"][t] = m.high[source]
                columns["ob_bottom"][t] = m.low[source]
                columns["ob_bars_ago"][t] = t - source
                columns["ob_volume_ratio"][t] = ratios[source]
                columns["ob_weak"][t] = int(not ratios[source] >= weak_ratio)
        zones = bullish_zones(market, blocks, max_age)
        for t in {z.touched for z in zones if z.touched is not None}:
            columns["ob_mitigated"][t] += sign
        for t in {z.end for z in zones if z.reason is EndReason.INVALIDATED}:
            columns["ob_invalidated"][t] += sign
        for edge in ("top", "bottom"):
            columns[f"ob_{name}_{edge}"] = [nan] * n
        columns[f"ob_{name}_blocks"] = [0] * n
        for t in range(n):
            live = [z for z in zones if z.known <= t and (z.end is None or z.end > t)]
            if live:
                edges = sorted((sign * live[-1].bottom, sign * live[-1].top))
                columns[f"ob_{name}_bottom"][t], columns[f"ob_{name}_top"][t] = edges
                columns[f"ob_{name}_blocks"][t] = live[-1].members
        rows += [_zone_row(z, sign, z.members) for z in zones]
    return columns, sorted(rows, key=lambda row: row[2])


def _zone_row(zone: Zone, sign: int, members: int) -> tuple:
    bottom, top = sorted((sign * zone.bottom, sign * zone.top))
    touched = -1 if zone.touched is None else zone.touched
    end = -1 if zone.end is None else zone.end
    share = zone.share(zone.deepest)
    return (sign, zone.source, zone.known, top, bottom, touched, end, zone.reason, share, members)


def fair_value_gaps(
    m: Table, atr: list[float], least_size_atr: float, max_age: int
) -> tuple[dict[str, list], list[tuple]]:
    n = m.n
    columns: dict[str, list] = {"fvg": [0] * n, "fvg_filled": [0] * n}
    columns |= {name: [nan] * n for name in ("fvg_top", "fvg_bottom", "fvg_size_atr")}
    everything: list[tuple[int, Zone]] = []
    for name, sign, market in (("bull", 1, m), ("bear", -1, m.mirrored())):
        gaps = []
        for t in range(2, n):
            height = market.low[t] - market.high[t - 2]
            if height > 0 and height >= least_size_atr * atr[t]:
                gap = Zone(t - 2, t, market.low[t], market.high[t - 2])
                gaps.append(gap)
                columns["fvg"][t] = sign
                columns["fvg_bottom"][t], columns["fvg_top"][t] = sorted(
                    (sign * gap.bottom, sign * gap.top)
                )
                columns["fvg_size_atr"][t] = height / atr[t] if atr[t] > 0 else inf
        for gap in gaps:
            filling = [t for t in range(gap.known + 1, n) if market.low[t] <= gap.bottom]
            too_old = gap.known + max_age + 1
            if filling and filling[0] < too_old:
                gap.end, gap.reason = filling[0], EndReason.FILLED
            elif too_old < n:
                gap.end, gap.reason = too_old, EndReason.EXPIRED
            last = n - 1 if gap.end is None else gap.end
            if gap.reason is EndReason.EXPIRED:
                last -= 1
            lived = range(gap.known + 1, last + 1)
            entered = [t for t in lived if market.low[t] <= gap.top]
            gap.touched = entered[0] if entered else None
            gap.deepest = min((market.low[t] for t in lived), default=inf)
        everything += [(sign, gap) for gap in gaps]
        for part in ("top", "bottom", "fill"):
            columns[f"fvg_{name}_{part}"] = [nan] * n
        for t in range(n):
            live = [g for g in gaps if g.known <= t and (g.end is None or g.end > t)]
            if live:
                gap = live[-1]
                edges = sorted((sign * gap.bottom, sign * gap.top))
                columns[f"fvg_{name}_bottom"][t], columns[f"fvg_{name}_top"][t] = edges
                deepest = min(market.low[gap.known + 1 : t + 1], default=inf)
                columns[f"fvg_{name}_fill"][t] = gap.share(deepest)
    everything.sort(key=lambda pair: pair[1].known)
    for sign, gap in everything:
        if gap.reason is EndReason.FILLED:
            columns["fvg_filled"][gap.end] = sign
    return columns, [_zone_row(gap, sign, 1) for sign, gap in everything]


@dataclass
class Level:
    """Resting liquidity above price."""

    price: float
    touches: int
    confirmed: int
    taken: int = -1


def liquidity(
    m: Table,
    atr: list[float],
    *,
    width: int,
    tolerance_atr: float,
    reclaim_bars: int,
    max_age: int,
) -> dict[str, list]:
    columns: dict[str, list] = {}
    for side, market, sign in (("high", m, 1), ("low", m.mirrored(), -1)):
        for key, value in _liquidity_above(
            market, atr, width, tolerance_atr, reclaim_bars, max_age
        ).items():
            is_price = key in ("liquidity_{}", "sweep_{}_level", "sweep_{}_extreme")
            columns[key.format(side)] = [sign * v for v in value] if is_price else value
    columns["sweep"] = [
        int(not isnan(low)) - int(not isnan(high))
        for low, high in zip(columns["sweep_low_level"], columns["sweep_high_level"], strict=True)
    ]
    return columns


def _liquidity_above(
    m: Table, atr: list[float], width: int, tolerance_atr: float, reclaim_bars: int, max_age: int
) -> dict[str, list]:
    prices = ("liquidity_{}", "sweep_{}_level", "sweep_{}_extreme")
    columns: dict[str, list] = {name: [nan] * m.n for name in prices}
    columns |= {name: [0] * m.n for name in ("liquidity_{}_touches", "sweep_{}_touches")}
    columns["liquidity_{}_bars_ago"] = [-1] * m.n
    swing_rows = set(swing_high_rows(m, width))
    levels: list[Level] = []  # untaken
    taken: list[Level] = []
    for t in range(m.n):
        levels = [level for level in levels if t - level.confirmed <= max_age]
        for level in levels:
            if m.high[t] > level.price:
                level.taken = t
                taken.append(level)
        levels = [level for level in levels if level.taken < 0]
        taken = [level for level in taken if t - level.taken <= reclaim_bars]
        swept = [level for level in taken if m.close[t] < level.price]
        taken = [level for level in taken if level not in swept]
        if swept:
            columns["sweep_{}_level"][t] = max(level.price for level in swept)
            since = min(level.taken for level in swept)
            columns["sweep_{}_extreme"][t] = max(m.high[since : t + 1])
            columns["sweep_{}_touches"][t] = sum(level.touches for level in swept)
        if t - width in swing_rows:
            price = m.high[t - width]
            tolerance = 0.0 if isnan(atr[t]) else tolerance_atr * atr[t]
            nearest = min(levels, key=lambda level: level.price, default=None)
            if nearest is not None and nearest.price - price <= tolerance:
                nearest.touches += 1
                nearest.confirmed = t
            else:
                levels.append(Level(price, 1, t))
        if levels:
            nearest = min(levels, key=lambda level: level.price)
            columns["liquidity_{}"][t] = nearest.price
            columns["liquidity_{}_touches"][t] = nearest.touches
            columns["liquidity_{}_bars_ago"][t] = t - (nearest.confirmed - width)
    return columns


def exponential_average(values: list[float], bars: int) -> list[float]:
    """Start from the simple average of the first `bars` values."""
    result = [nan] * len(values)
    if len(values) >= bars:
        result[bars - 1] = sum(values[:bars]) / bars
        for t in range(bars, len(values)):
            result[t] = result[t - 1] + 2.0 / (bars + 1) * (values[t] - result[t - 1])
    return result


def confidence(
    m: Table,
    found: dict[str, list],
    average: list[float],
    *,
    lookback: int = 3,
) -> dict[str, list]:
    """Score from the other detectors' columns; the thresholds are the documented defaults."""
    columns: dict[str, list] = {}
    for side, sign in (("long", 1), ("short", -1)):
        factors: dict[str, list[int]] = {
            name: [] for name in ("gap", "wide_gap", "volume", "structure", "impulse", "trend_side")
        }
        for t in range(m.n):
            recent = range(max(0, t - lookback + 1), t + 1)
            gaps = [found["fvg_size_atr"][r] for r in recent if found["fvg"][r] == sign]
            factors["gap"].append(int(any(size >= 0.75 for size in gaps)))
            factors["wide_gap"].append(int(any(size >= 1.25 for size in gaps)))
            factors["volume"].append(int(any(found["volume_ratio"][r] >= 1.5 for r in recent)))
            factors["structure"].append(int(found["trend"][t] == sign))
            bodies = [sign * found["body_atr"][r] for r in recent]
            factors["impulse"].append(int(any(body >= 1.0 for body in bodies)))
            factors["trend_side"].append(int(sign * m.close[t] > sign * average[t]))
        columns |= {f"{side}_{name}": values for name, values in factors.items()}
        columns[f"confidence_{side}"] = [
            100.0 * sum(points) / 6.0 for points in zip(*factors.values(), strict=True)
        ]
    return columns


def detect_all(
    frame: pd.DataFrame, config: SmcConfig, atr: list[float], average: list[float]
) -> tuple[dict[str, list], list[tuple], list[tuple]]:
    """Every column and both zone tables.

    The two recursive averages are arguments: the last bits of a recursion differ with the order
    of its sums, so they are compared on their own, with a tolerance, and everything that
    follows from them is compared exactly.
    """
    m = Table(frame)
    width = config.swing_width
    columns: dict[str, list] = {"atr": atr}
    columns |= swings(m, width)
    columns |= structure(m, width)
    columns |= displacement(
        m,
        atr,
        config.displacement_body_atr,
        config.displacement_volume_ratio,
        config.volume_window_bars,
    )
    blocks, block_zones = order_blocks(
        m,
        width,
        columns["volume_ratio"],
        max_lookback=config.ob_max_lookback_bars,
        max_age=config.ob_max_age_bars,
        weak_ratio=config.ob_weak_volume_ratio,
    )
    gaps, gap_zones = fair_value_gaps(m, atr, config.fvg_least_size_atr, config.fvg_max_age_bars)
    columns |= blocks | gaps
    columns |= liquidity(
        m,
        atr,
        width=width,
        tolerance_atr=config.equal_tolerance_atr,
        reclaim_bars=config.reclaim_bars,
        max_age=config.liquidity_max_age_bars,
    )
    columns |= confidence(m, columns, average)
    columns |= premium_discount(m, width)
    return columns, block_zones, gap_zones


def differences(frame: pd.DataFrame, config: SmcConfig) -> list[str]:
    """Compare `detect_all` with the oracle; return a line per difference, none if equal."""
    import talib  # only here: the oracle itself needs no library

    from fractal_strategies import smc

    detection = smc.detect_all(frame, config)
    columns = detection.columns
    m = Table(frame)
    problems = []
    atr = columns["atr"].to_numpy()
    if not np.allclose(atr, wilder_atr(m, config.atr_period), 1e-9, 1e-9, equal_nan=True):
        problems.append("atr")
    average = [nan] * m.n
    if m.n >= config.trend_ema_bars:
        average = talib.EMA(frame["close"].to_numpy(), config.trend_ema_bars).tolist()
    own = exponential_average(m.close, config.trend_ema_bars)
    if not np.allclose(average, own, 1e-9, 1e-9, equal_nan=True):
        problems.append("trend average")
    expected, block_zones, gap_zones = detect_all(frame, config, atr.tolist(), average)
    if set(expected) != set(columns.columns):
        problems.append(f"columns {set(expected) ^ set(columns.columns)}")
    for name, values in expected.items():
        got = columns[name].to_numpy().astype(float)
        want = np.array(values, dtype=float)
        wrong = ~((got == want) | (np.isnan(got) & np.isnan(want)))
        if wrong.any():
            t = int(wrong.argmax())
            problems.append(f"{name}[{t}] is {got[t]}, oracle {want[t]}")
    for label, zones, want_rows in (
        ("order_blocks", detection.order_blocks, block_zones),
        ("fair_value_gaps", detection.fair_value_gaps, gap_zones),
    ):
        got_rows = [tuple(float(v) for v in row) for row in zip(*zones, strict=True)]
        for got_row, want_row in zip(got_rows, want_rows, strict=False):
            if got_row != tuple(float(v) for v in want_row):
                problems.append(f"{label} zone {got_row}, oracle {want_row}")
                break
        if len(got_rows) != len(want_rows):
            problems.append(f"{label}: {len(got_rows)} zones, oracle {len(want_rows)}")
    return problems
