"""The ledger of a backtest: the same rules, in memory, and nothing is written."""

import heapq
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

from .book import Book, BotReport, BotStatus, Fence, StateChange, TradingState
from .decisions import Approved, Decision, DenialCode, Denied
from .drift import AccountLook, DriftMark, LookStatus, MarkChange, status_of_look, take_look
from .equity import AccountTrack
from .journal import drift_detail, positions_detail, request_detail
from .ledger import DenialRecord, Judge, LedgerEvent, Patience
from .positions import ClosedTrade, EntryRequest, Position, Reservation
from .settlement import settle, status_of, track_account

DenialKey = tuple[str, str, int, DenialCode, datetime | None]


class MemoryLedger:
    """Ledger of one process; see :class:`~fractal_protections.portfolio.ledger.Ledger`."""

    def __init__(self) -> None:
        self._positions: dict[str, tuple[Position, ...]] = {}
        self._reservations: dict[str, Reservation] = {}
        self._tracks: dict[str, AccountTrack] = {}
        self._bots: dict[str, BotStatus] = {}
        self._fences: dict[str, Fence] = {}
        self._drifts: dict[tuple[str, str], DriftMark] = {}
        self._looks: dict[str, LookStatus] = {}
        self._closed: dict[tuple[str, int], ClosedTrade] = {}
        self._denials: dict[DenialKey, DenialRecord] = {}
        self._events: list[LedgerEvent] = []
        self._state = StateChange()
        self._daily_loss_on: date | None = None
        self._ids = count(1)

    def book(self, now: datetime) -> Book:
        """Read the book."""
        return Book(
            at=now,
            positions=tuple(p for held in self._positions.values() for p in held),
            reservations=tuple(self._reservations.values()),
            tracks=tuple(self._tracks.values()),
            bots=dict(self._bots),
            state=self._state,
            fences=dict(self._fences),
            daily_loss_on=self._daily_loss_on,
            drifts=tuple(self._drifts[key] for key in sorted(self._drifts)),
            looks=self.looks(),
        )

    def reserve(
        self, request: EntryRequest, judge: Judge, capital_until: datetime
    ) -> tuple[Decision, Reservation | None]:
        """Decide on an entry and, if approved, reserve its budget."""
        decision = judge(self.book(request.at))
        if not isinstance(decision, Approved):
            return decision, None
        reservation = Reservation(str(next(self._ids)), request, False, capital_until)
        self._reservations[reservation.id] = reservation
        detail = request_detail(request, decision)
        self._note(request.at, request.bot, "reserved", request.pair, detail)
        return decision, reservation

    def report(self, report: BotReport, patience: Patience) -> Book:
        """Take in a bot's loop."""
        settlement = settle(self._reservations.values(), report, patience)
        for kind, gone in (("matched", settlement.matched), ("released", settlement.released)):
            for reservation in gone:
                del self._reservations[reservation.id]
                self._note(report.at, report.bot, kind, reservation.request.pair)
        for reservation in settlement.ambiguous:
            self._reservations[reservation.id] = replace(reservation, ambiguous=True)
            self._note(report.at, report.bot, "ambiguous", reservation.request.pair)
        if self._positions.get(report.bot, ()) != report.positions:
            self._positions[report.bot] = report.positions
            self._note(report.at, report.bot, "positions", None, positions_detail(report.positions))
        self._bots[report.bot] = status_of(report)
        self._tracks[report.account] = track_account(
            self._tracks.get(report.account), self._bots, report
        )
        return self.book(report.at)

    def release(self, reservation_id: str, reason: str, now: datetime) -> None:
        """End a reservation."""
        reservation = self._reservations.pop(reservation_id, None)
        if reservation is not None:
            request = reservation.request
            detail = json.dumps({"reason": reason})
            self._note(now, request.bot, "released", request.pair, detail)

    def record_closed(self, trades: Sequence[ClosedTrade]) -> None:
        """Remember finished trades."""
        for trade in trades:
            key = (trade.bot, trade.trade_id)
            if key not in self._closed:
                self._closed[key] = trade
                detail = json.dumps({"trade_id": trade.trade_id, "profit": str(trade.profit)})
                self._note(trade.closed_at, trade.bot, "closed", trade.pair, detail)

    def closed_trades(self, limit: int) -> tuple[ClosedTrade, ...]:
        """Return the latest finished trades, newest first."""
        newest = heapq.nlargest(
            limit, self._closed.values(), key=lambda trade: (trade.closed_at, trade.trade_id)
        )
        return tuple(newest)

    def deny(
        self,
        request_bot: str,
        pair: str,
        side: int,
        denied: Denied,
        candle: datetime | None,
        now: datetime,
    ) -> bool:
        """Log a denial; True if it is the first of its kind on this candle."""
        key = (request_bot, pair, side, denied.code, candle)
        known = self._denials.pop(key, None)
        if known is None:
            self._denials[key] = DenialRecord(
                request_bot, pair, side, denied.code, denied.message, candle, now, now, 1
            )
            return True
        # Back at the end: the dict's order is that of the latest time.
        self._denials[key] = replace(known, last_at=now, count=known.count + 1)
        return False

    def denials(self, limit: int) -> tuple[DenialRecord, ...]:
        """Return the latest denials, newest first."""
        return tuple(list(reversed(self._denials.values()))[:limit])

    def set_state(self, state: TradingState, reason: str, by: str, now: datetime) -> StateChange:
        """Change the trading state; returns the one before."""
        before, self._state = self._state, StateChange(state, reason, by, now)
        self._note(now, by, "state", None, json.dumps({"state": state, "reason": reason}))
        return before

    def mark_daily_loss(self, now: datetime) -> bool:
        """Note that today's loss limit was reached; True if that is new."""
        today = now.astimezone(UTC).date()
        is_new = self._daily_loss_on != today
        self._daily_loss_on = today
        return is_new

    def rebase(self, *, peak: bool, day: bool, by: str, now: datetime) -> None:
        """Measure drawdown and/or today's loss from the present equity."""
        for account, track in self._tracks.items():
            moved = track.rebase_peak() if peak else track
            self._tracks[account] = moved.rebase_day() if day else moved
        if day:
            self._daily_loss_on = None
        self._note(now, by, "rebased", None, json.dumps({"peak": peak, "day": day}))

    def fence(self, fence: Fence) -> bool:
        """Close a pair; True if it was open."""
        if fence.pair in self._fences:
            return False
        self._fences[fence.pair] = fence
        detail = json.dumps({"code": fence.code, "reason": fence.reason})
        self._note(fence.since, fence.bot, "fenced", fence.pair, detail)
        return True

    def clear(self, pair: str, by: str, now: datetime) -> bool:
        """Open a pair, whatever closed it, and drop its ambiguous reservations."""
        doubtful = [
            key
            for key, held in self._reservations.items()
            if held.request.pair == pair and held.ambiguous
        ]
        for key in doubtful:
            del self._reservations[key]
        fenced = self._fences.pop(pair, None)
        drifts = [mark for mark in self._drifts if mark[1] == pair]
        for mark in drifts:
            del self._drifts[mark]
        if fenced is None and not doubtful and not drifts:
            return False
        self._note(now, by, "cleared", pair)
        return True

    def take_look(self, look: AccountLook) -> MarkChange:
        """Write what a look at an account's venue has found."""
        known = [mark for mark in self._drifts.values() if mark.account == look.account]
        change = take_look(known, look)
        for mark in change.gone:
            del self._drifts[mark.account, mark.pair]
            self._note(look.at, look.by, "aligned", mark.pair, drift_detail(mark))
        for mark in change.marks:
            self._drifts[mark.account, mark.pair] = mark
        for mark in (*change.new, *change.changed):
            self._note(look.at, look.by, "drifted", mark.pair, drift_detail(mark))
        self._looks[look.account] = status_of_look(look)
        return change

    def looks(self) -> tuple[LookStatus, ...]:
        """Return the latest look at every account."""
        return tuple(self._looks[account] for account in sorted(self._looks))

    def forget(self, bot: str, by: str, now: datetime) -> bool:
        """Drop a bot that is gone, with its positions, its reservations and its account."""
        status = self._bots.pop(bot, None)
        if status is None:
            return False
        self._positions.pop(bot, None)
        for key in [k for k, held in self._reservations.items() if held.request.bot == bot]:
            del self._reservations[key]
        if not any(other.account == status.account for other in self._bots.values()):
            self._tracks.pop(status.account, None)
            self._looks.pop(status.account, None)
            for lost in [key for key in self._drifts if key[0] == status.account]:
                del self._drifts[lost]
        self._note(now, by, "forgotten", None, json.dumps({"bot": bot}))
        return True

    def events(self, after: int = 0) -> tuple[LedgerEvent, ...]:
        """Read the journal in order."""
        return tuple(self._events[max(after, 0) :])

    def close(self) -> None:
        """Nothing to give back."""

    def _note(
        self, at: datetime, bot: str, kind: str, pair: str | None, detail: str = "{}"
    ) -> None:
        self._events.append(LedgerEvent(len(self._events) + 1, at, bot, kind, pair, detail))
