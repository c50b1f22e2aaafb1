"""What keeps a walk-forward from running."""


class WalkForwardError(Exception):
    """Data, dates or a strategy do not allow what was asked; the text names what and the remedy."""
