"""Protection plugins; the portfolio's risk budget that they show lives in `portfolio/`."""
