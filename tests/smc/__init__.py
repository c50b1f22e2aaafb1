"""Tests of the indicator engine, its oracle and the proof of causality."""
