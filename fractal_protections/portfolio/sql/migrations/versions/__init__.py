"""One module for each version; a released one never changes."""
