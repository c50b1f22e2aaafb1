"""Test keys for the loopback exchange: made, funded, shown. They are worth nothing elsewhere."""
