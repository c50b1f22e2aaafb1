"""Fill freqtrade's data directory from the loopback exchange."""

from fractal_ops.data.errors import DataError

__all__ = ["DataError"]
