"""The subcommands of `fractal`, one module each."""
