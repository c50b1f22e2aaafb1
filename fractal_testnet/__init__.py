"""A loopback exchange that speaks Hyperliquid's wire protocol.

`market` is what trades there (a seeded synthetic market, or recorded candles), `wire`
is how it is asked for, `app` and `server` put both behind a port of 127.0.0.1.
"""
