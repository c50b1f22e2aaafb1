"""Book executions: money, position, and what the trader is told."""

from __future__ import annotations

from decimal import Decimal

from .bank import ZERO, usdc
from .isolated import Fill
from .journal import Journal
from .liquidity import Slice
from .orders import Order
from .trader import FillRow, FundingSum, Trader

TAKER = Decimal("0.00045")
MAKER = Decimal("0.00015")
LIQUIDATION_OID = 0


class Clearing:
    """Turn slices of liquidity into fills.

    Parameters
    ----------
    journal : Journal
        Is told every fill.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._tid = 0

    def execute(
        self,
        trader: Trader,
        order: Order,
        part: Slice,
        at_ms: int,
        *,
        is_taker: bool,
        leverage: int,
    ) -> FillRow:
        """Fill a part of an order.

        Parameters
        ----------
        trader : Trader
            Whose order it is.
        order : Order
            Is changed: filled size and cost.
        part : Slice
            Price and size.
        at_ms : int
            When, ms UTC.
        is_taker : bool
            Whether it took from the book.
        leverage : int
            Of what it opens.

        Raises
        ------
        InsufficientMarginError
            The money does not cover it; nothing has changed.
        """
        request = order.request
        before = _size(trader, request.coin)
        ratio = TAKER if is_taker else MAKER
        signed = request.side * part.size
        tid = self._tid + 1
        done = Fill(
            at_ms, request.coin, signed, part.price, ratio + request.builder_ratio, f"fill {tid}"
        )
        booked = trader.account.apply(done, leverage)
        self._tid = tid
        order.filled += part.size
        order.cost += part.size * part.price
        trader.traded += part.size * part.price
        if before == 0:
            trader.funding_sums.setdefault(request.coin, FundingSum()).since_open = ZERO
        builder_fee = min(usdc(part.size * part.price * request.builder_ratio), booked.fee)
        row = FillRow(
            number=trader.fill_count + 1,
            tid=tid,
            oid=order.oid,
            cloid=request.cloid,
            coin=request.coin,
            side=request.side,
            price=part.price,
            size=part.size,
            start_position=before,
            direction=_direction(before, before + signed),
            closed_pnl=booked.realised,
            fee=booked.fee - builder_fee,
            builder_fee=builder_fee,
            is_taker=is_taker,
            at_ms=at_ms,
        )
        return self._keep(trader, row)

    def liquidate(self, trader: Trader, coin: str, mark: Decimal, at_ms: int) -> FillRow:
        """Take a position away with all its margin, as one fill at the mark price.

        Notes
        -----
        The row's profit is that of the mark price, and what else is lost of the margin is its
        fee: profit less fee is what the account has lost.
        """
        margin = trader.account.margin(coin)
        position = trader.account.liquidate(at_ms, coin, mark)
        self._tid += 1
        profit = max(usdc(position.unrealised(mark)), -margin)
        side = "Long" if position.side > 0 else "Short"
        trader.traded += abs(position.size) * mark
        row = FillRow(
            number=trader.fill_count + 1,
            tid=self._tid,
            oid=LIQUIDATION_OID,
            cloid=None,
            coin=coin,
            side=-position.side,
            price=mark,
            size=abs(position.size),
            start_position=position.size,
            direction=f"Liquidated Isolated {side}",
            closed_pnl=profit,
            fee=margin + profit,
            builder_fee=ZERO,
            is_taker=True,
            at_ms=at_ms,
            liquidation_mark=mark,
        )
        return self._keep(trader, row)

    def _keep(self, trader: Trader, row: FillRow) -> FillRow:
        trader.fill_count = row.number
        trader.fills.append(row)
        self._journal.write(
            "fill",
            row.at_ms,
            user=trader.address,
            tid=row.tid,
            oid=row.oid,
            coin=row.coin,
            side="B" if row.side > 0 else "A",
            px=row.price,
            sz=row.size,
            start_position=row.start_position,
            dir=row.direction,
            closed_pnl=row.closed_pnl,
            fee=row.fee,
            builder_fee=row.builder_fee,
            crossed=row.is_taker,
        )
        return row


def _size(trader: Trader, coin: str) -> Decimal:
    position = trader.account.positions.get(coin)
    return ZERO if position is None else position.size


def _direction(before: Decimal, after: Decimal) -> str:
    """Return the venue's words for a change of position."""
    if before * after < 0:
        return "Long > Short" if before > 0 else "Short > Long"
    side = "Long" if (before or after) > 0 else "Short"
    return f"{'Open' if abs(after) > abs(before) else 'Close'} {side}"
