"""The strategies: every other module directly here is a freqtrade plugin."""
