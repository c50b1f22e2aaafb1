"""Draw the three setups on small made-up markets, with the detectors' own readings.

Run it from the repository's root: ``python docs/figures/draw_setups.py``. It writes
``docs/images/{liquidity_sweep,bos_order_block,fvg_fill}.png``. The candles are invented; every
mark on them comes from the code that trades, so a drawing can not show what the bot would not see.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fractal_strategies.smc import SmcConfig, detect
from fractal_strategies.trading import Reading, combine
from fractal_strategies.trading.playbook import bos_order_block, fvg_fill, liquidity_sweep

IMAGES = Path(__file__).parents[1] / "images"
CONFIG = SmcConfig(swing_width=3, trend_ema_bars=20)
UP, DOWN, INK = "#26a69a", "#ef5350", "#37474f"
SHOWN = 42

Story = list[tuple[float, float, float, float, float]]


def market(story: Story, quiet: int = 70) -> pd.DataFrame:
    """Put a scripted story (open, high, low, close, volume) behind a quiet sideways market."""
    steps = 0.35 * np.sin(np.arange(quiet) * 0.9) + 0.15 * np.sin(np.arange(quiet) * 2.3)
    closes = 100 + steps
    opens = np.concatenate([[100.0], closes[:-1]])
    rows = [
        (o, max(o, c) + 0.2, min(o, c) - 0.2, c, 10.0 + (i % 3))
        for i, (o, c) in enumerate(zip(opens, closes, strict=True))
    ]
    last = rows[-1][3]
    shift = last - story[0][0]
    rows += [(o + shift, h + shift, low + shift, c + shift, v) for o, h, low, c, v in story]
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close", "volume"])
    frame.insert(0, "date", pd.date_range("2026-01-01", periods=len(frame), freq="2h", tz="UTC"))
    return frame


SWEEP_STORY: Story = [
    (100.0, 100.3, 99.4, 99.6, 11),
    (99.6, 99.8, 98.8, 99.0, 12),
    (99.0, 99.2, 97.9, 98.3, 14),
    (98.3, 99.2, 98.1, 99.0, 12),
    (99.0, 99.8, 98.8, 99.6, 11),
    (99.6, 100.2, 99.4, 99.9, 11),
    (99.9, 100.3, 99.6, 99.8, 10),
    (99.8, 100.0, 99.0, 99.2, 11),
    (99.2, 99.4, 98.4, 98.6, 12),
    (98.6, 98.8, 97.2, 98.2, 22),
    (98.2, 98.8, 97.9, 98.6, 13),
    (98.6, 98.9, 98.3, 98.7, 11),
    (98.7, 100.9, 98.6, 100.8, 34),
    (100.8, 101.5, 100.2, 101.3, 20),
    (101.3, 101.9, 100.9, 101.6, 14),
    (101.6, 102.4, 101.3, 102.2, 13),
    (102.2, 102.8, 101.8, 102.5, 12),
]
BOS_STORY: Story = [
    (100.0, 100.6, 99.8, 100.5, 11),
    (100.5, 101.2, 100.3, 101.0, 12),
    (101.0, 101.6, 100.8, 101.3, 12),
    (101.3, 101.5, 100.6, 100.8, 11),
    (100.8, 101.0, 100.0, 100.2, 12),
    (100.2, 100.6, 99.8, 100.4, 11),
    (100.4, 100.7, 99.9, 100.0, 12),
    (100.0, 100.3, 99.2, 99.5, 15),
    (99.5, 102.4, 99.4, 102.2, 38),
    (102.2, 102.8, 101.9, 102.6, 18),
    (102.6, 103.1, 102.2, 102.9, 14),
    (102.9, 103.2, 102.3, 102.5, 12),
    (102.5, 103.6, 102.4, 103.4, 14),
    (103.4, 104.2, 103.2, 104.0, 15),
]
FVG_STORY: Story = [
    (100.0, 100.4, 99.7, 100.2, 11),
    (100.2, 100.5, 99.8, 100.1, 11),
    (100.1, 102.6, 100.0, 102.5, 36),
    (102.5, 103.2, 101.9, 103.0, 18),
    (103.0, 103.3, 102.6, 102.9, 13),
    (102.9, 103.1, 102.2, 102.4, 12),
    (102.4, 102.5, 101.5, 101.8, 13),
    (101.8, 102.6, 101.6, 102.4, 12),
    (102.4, 103.4, 102.2, 103.2, 14),
    (103.2, 104.3, 103.0, 104.1, 15),
    (104.1, 104.9, 103.8, 104.6, 14),
]


def candles(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw plain candles at x = 0, 1, 2 and so on."""
    for x, row in enumerate(frame.itertuples()):
        color = UP if row.close >= row.open else DOWN
        axes.vlines(x, row.low, row.high, color=color, linewidth=1)
        axes.bar(
            x,
            max(abs(row.close - row.open), 0.02),
            bottom=min(row.open, row.close),
            width=0.65,
            color=color,
        )


def draw(
    name: str,
    title: str,
    story: Story,
    reading: Callable[[pd.DataFrame], Reading],
    mark: Callable[[Axes, pd.DataFrame, int, Callable[[int], int]], None],
) -> None:
    """Detect, check that the setup is there, and draw it."""
    frame = detect(market(story), CONFIG)
    setups = combine(
        frame, [reading(frame)], min_confidence=0, min_stop_ratio=0.001, max_stop_ratio=0.2
    )
    rows = np.flatnonzero(setups["setup_side"] > 0)
    rows = rows[rows >= len(frame) - len(story)]
    if rows.size == 0:
        raise RuntimeError(f"{name}: the story has no long setup; the drawing would be a lie")
    t = int(rows[0])
    start = len(frame) - SHOWN
    figure, axes = plt.subplots(figsize=(9, 4.6), dpi=110)
    candles(axes, frame.iloc[start:])
    mark(axes, frame, t, lambda row: row - start)
    setup = setups.iloc[t]
    entry = setup["setup_limit"]
    x = t - start
    right = SHOWN + 4
    if np.isnan(entry):
        entry = frame["close"].iloc[t]
        axes.annotate(
            "entry at the next open",
            (x, entry),
            (x - 12, entry + 1.1),
            color=INK,
            arrowprops={"arrowstyle": "->", "color": INK},
        )
    else:
        axes.hlines(entry, x, right, color="#1565c0", linewidth=1.4)
        axes.text(right, entry, " limit entry", va="center", color="#1565c0")
    stop = setup["setup_stop"]
    axes.hlines(stop, x, right, color=DOWN, linewidth=1.4)
    axes.text(right, stop, " stop", va="center", color=DOWN)
    if not np.isnan(setup["setup_target_r"]):
        target = entry + setup["setup_target_r"] * (entry - stop)
        axes.hlines(target, x, right, color=UP, linewidth=1.4)
        axes.text(right, target, f" target {setup['setup_target_r']:g} R", va="center", color=UP)
    axes.axvline(x, color=INK, linewidth=0.6, linestyle=":")
    axes.text(x, axes.get_ylim()[0], " known here", color=INK, fontsize=8, va="bottom")
    axes.set_title(title, color=INK)
    axes.set_xlim(-1, right + 7)
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    figure.tight_layout()
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / f"{name}.png", metadata={"Software": None})
    plt.close(figure)


def band(axes: Axes, left: float, right: float, low: float, high: float, label: str) -> None:
    """Shade a zone and name it."""
    axes.fill_between([left, right], low, high, color="#42a5f5", alpha=0.25, linewidth=0)
    axes.text(left, low, f"{label} ", va="top", ha="right", color="#1565c0", fontsize=9)


def mark_sweep(axes: Axes, frame: pd.DataFrame, t: int, x: Callable[[int], int]) -> None:
    """Mark the swept level, the sweep and the confirming gap."""
    swept = int(np.flatnonzero(~frame["sweep_low_level"].isna().to_numpy()[: t + 1])[-1])
    level, extreme = frame["sweep_low_level"].iloc[swept], frame["sweep_low_extreme"].iloc[swept]
    axes.hlines(level, x(swept) - 8, x(swept) + 2, color=INK, linestyle="--", linewidth=1)
    axes.text(
        x(swept) - 8, level, "swing low: stops rest below ", ha="right", va="center", color=INK
    )
    axes.annotate(
        "sweep, closed back inside",
        (x(swept), extreme),
        (x(swept) - 15, extreme - 0.2),
        color=INK,
        arrowprops={"arrowstyle": "->", "color": INK},
    )
    band(axes, x(t) - 1, x(t) + 8, frame["fvg_bottom"].iloc[t], frame["fvg_top"].iloc[t], "gap")


def mark_bos(axes: Axes, frame: pd.DataFrame, t: int, x: Callable[[int], int]) -> None:
    """Mark the broken level and the order block."""
    swing = t - int(frame["broken_bars_ago"].iloc[t])
    level = frame["broken_level"].iloc[t]
    axes.hlines(level, x(swing), x(t), color=INK, linestyle="--", linewidth=1)
    axes.text(x(swing), level, "swing high ", ha="right", va="bottom", color=INK)
    axes.text(x(t) + 0.6, level, "BOS", va="bottom", color=INK, weight="bold")
    block = t - int(frame["ob_bars_ago"].iloc[t])
    band(
        axes,
        x(block) - 0.5,
        x(t) + 8,
        frame["ob_bottom"].iloc[t],
        frame["ob_top"].iloc[t],
        "order block",
    )


def mark_gap(axes: Axes, frame: pd.DataFrame, t: int, x: Callable[[int], int]) -> None:
    """Mark the gap."""
    band(
        axes,
        x(t) - 2,
        x(t) + 8,
        frame["fvg_bottom"].iloc[t],
        frame["fvg_top"].iloc[t],
        "fair value gap",
    )


def main() -> None:
    """Draw all three."""
    draw(
        "liquidity_sweep",
        "LiquiditySweep, confirmed by displacement",
        SWEEP_STORY,
        liquidity_sweep,
        mark_sweep,
    )
    draw(
        "bos_order_block",
        "BosOrderBlock, entered on the break",
        BOS_STORY,
        bos_order_block,
        mark_bos,
    )
    draw("fvg_fill", "FvgFill, filled at the near edge", FVG_STORY, fvg_fill, mark_gap)


if __name__ == "__main__":
    main()
