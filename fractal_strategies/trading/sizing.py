"""The stake of a new position: for now a fixed share of the equity."""


def fixed_share_stake(
    equity: float, stake_ratio: float, min_stake: float | None, max_stake: float
) -> float:
    """Size a position as a fixed share of the equity.

    Parameters
    ----------
    equity
        Total of the wallet in stake currency, open positions included.
    stake_ratio
        Margin over equity.
    min_stake, max_stake
        The venue's and the wallet's bounds, stake currency.

    Returns
    -------
    float
        Margin in stake currency; 0 (no trade) if it falls below `min_stake`. freqtrade would
        otherwise raise it to the minimum, by up to 30 %, behind the sizing's back.
    """
    stake = min(equity * stake_ratio, max_stake)
    return 0.0 if stake <= 0.0 or stake < (min_stake or 0.0) else stake
