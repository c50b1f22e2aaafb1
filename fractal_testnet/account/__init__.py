"""What traders have on the loopback exchange: money, positions, orders."""
