"""The portfolio's risk budget; it is built in its own step, and nothing depends on it yet."""
