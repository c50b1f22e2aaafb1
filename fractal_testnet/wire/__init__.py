"""How the exchange is asked: Hyperliquid's `/info` and `/ws`, in its own shapes."""
