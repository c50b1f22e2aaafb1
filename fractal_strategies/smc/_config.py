"""Every number a detector can be tuned by, checked once."""

from dataclasses import dataclass, fields
from numbers import Integral, Real


@dataclass(frozen=True, slots=True, kw_only=True)
class SmcConfig:
    """Settings of the detectors; each is explained where its detector is.

    Raises
    ------
    ValueError
        A value is out of its range; the message names key, value and range.
    """

    swing_width: int = 5
    atr_period: int = 14
    displacement_body_atr: float = 1.5
    displacement_volume_ratio: float = 1.5
    volume_window_bars: int = 50
    ob_max_lookback_bars: int = 20
    ob_max_age_bars: int = 200
    ob_weak_volume_ratio: float = 1.0
    fvg_least_size_atr: float = 0.25
    fvg_max_age_bars: int = 100
    equal_tolerance_atr: float = 0.1
    reclaim_bars: int = 3
    liquidity_max_age_bars: int = 500
    trend_ema_bars: int = 100

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _RANGES[field.name]
            whole = isinstance(low, int)
            is_number = isinstance(value, Integral if whole else Real)
            if not is_number or isinstance(value, bool) or not low <= value <= high:
                kind = "a whole number" if whole else "a number"
                raise ValueError(
                    f"SmcConfig.{field.name} is {value!r}; give {kind} from {low} to {high}"
                )

    @property
    def warmup_bars(self) -> int:
        """Bars after which every column carries a settled meaning.

        Before it, columns are NaN or 0 where a detector's own warm-up is not over. Exponential
        averages are taken as settled when less than 0.1 % of their start is left.
        """
        return max(
            4 * self.trend_ema_bars,
            20 * self.atr_period,
            self.volume_window_bars + 1,
            2 * self.swing_width + 1,
        )


_RANGES: dict[str, tuple[float, float]] = {
    "swing_width": (1, 100),
    "atr_period": (1, 1000),
    "displacement_body_atr": (0.0, 20.0),
    "displacement_volume_ratio": (0.0, 100.0),
    "volume_window_bars": (1, 5000),
    "ob_max_lookback_bars": (1, 1000),
    "ob_max_age_bars": (1, 5000),
    "ob_weak_volume_ratio": (0.0, 100.0),
    "fvg_least_size_atr": (0.0, 20.0),
    "fvg_max_age_bars": (1, 5000),
    "equal_tolerance_atr": (0.0, 10.0),
    "reclaim_bars": (0, 100),
    "liquidity_max_age_bars": (1, 5000),
    "trend_ema_bars": (2, 5000),
}
