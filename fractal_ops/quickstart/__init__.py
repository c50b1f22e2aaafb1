"""Quickstart: from an installed project to a dry-run bot, in one supervised process.

`scripts/run.sh` makes the environment and hands over to `fractal quickstart`. The
modules here each do one thing: `private_config` writes the login, `preflight` looks
for what would fail later, `supervisor` and `guard` own every process that is started,
`comparison` shows what freqtrade's backtest exported, and `runner` puts them in order.
"""
