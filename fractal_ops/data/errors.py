"""What can go wrong between the exchange and the data directory."""


class DataError(Exception):
    """Data could not be fetched or stored; the text names what, its value, the remedy."""
