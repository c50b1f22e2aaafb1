"""Comparing what the venue holds with what the databases say, and repairing what is unsafe."""
