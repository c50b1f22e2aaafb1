"""Honest walk-forward validation: causality, windows, statistics, verdict."""
