"""What an operator runs: the `fractal` command and the tools behind it."""
