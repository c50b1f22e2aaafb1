"""Looking at the portfolio's risk budget, and changing what a person may change."""
