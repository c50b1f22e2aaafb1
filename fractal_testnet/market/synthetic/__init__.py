"""A random market that looks like crypto: one factor, own moves, clustered volatility.

No edge is built in on purpose: the sign of every move is drawn independently of the
past, but for a pull towards the base price so weak (half-life over a year) that it only
keeps prices sane over years.
"""

from fractal_testnet.market.synthetic.source import EPOCH_MS, SyntheticSource

__all__ = ["EPOCH_MS", "SyntheticSource"]
