"""Drills: real processes, broken on purpose, against a loopback exchange."""
