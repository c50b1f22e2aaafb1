"""The status on a terminal: everything fits 80 columns."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from fractal_ops.risk.view import ClusterStatus, LimitUse, MemberStatus, ReservationView, Status
from fractal_protections.portfolio.drift import ALL_PAIRS

_BAR = 8
_WORST = 5
_ACCOUNT = 13
_STYLES = {"ACTIVE": "green", "REDUCING": "yellow", "HALTED": "bold red"}
_LABELS = {
    "max_total_exposure_ratio": "total exposure (margin)",
    "max_correlated_exposure_ratio": "largest correlated bet",
    "max_positions": "positions",
    "max_positions_per_symbol": "positions per symbol",
    "max_position_ratio": "margin per position",
    "risk_per_trade_ratio": "risk per trade",
    "daily_loss_ratio": "daily loss",
    "max_drawdown_ratio": "drawdown",
}


def printable(text: str) -> str:
    """Replace what a terminal would obey instead of show: reasons come from anybody."""
    return "".join(character if character.isprintable() else " " for character in text)


def plain_console(**options: Any) -> Console:
    """Return a console that shows texts as they are: ``[red]`` and ``:x:`` are just characters."""
    return Console(highlight=False, markup=False, emoji=False, **options)


def print_status(status: Status, console: Console) -> None:
    """Print the whole status on a :func:`plain_console`."""
    parts = [
        _headline(status),
        _limits(status),
        _clusters(status),
        _bots(status),
        _positions(status),
        _fences(status),
        _drifts(status),
        _looks(status),
        _denials(status),
    ]
    console.print(Group(*(part for part in parts if part is not None)))


def age(seconds: float) -> str:
    """Shorten an age: ``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _headline(status: Status) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    trading, equity, currency = status.trading, status.equity, status.stake_currency
    state = Text(trading.state, style=_STYLES[trading.state])
    if trading.since is not None:
        state.append(
            f" since {_date(trading.since)} UTC by {printable(trading.by or '?')}: "
            f"{printable(trading.reason or 'no reason given')}",
            style="default",
        )
    grid.add_row("Portfolio", state)
    if status.blocked_by:
        for block in status.blocked_by:
            text = f"BLOCKED, {block.code}: {printable(block.message)}"
            grid.add_row("Entries", Text(text, style="red"))
    elif any(use.name == "max_positions" and not use.available for use in status.limits):
        grid.add_row("Entries", Text("none left: every position slot is taken", style="yellow"))
    else:
        grid.add_row("Entries", Text("possible", style="green"))
    money = f"{equity.equity:,.2f} {currency}"
    if equity.equity != equity.total:
        money += f" (all accounts, silent ones included: {equity.total:,.2f})"
    grid.add_row("Equity", money)
    grid.add_row(
        "Peak", f"{equity.peak:,.2f}, drawdown {equity.drawdown:,.2f} ({equity.drawdown_ratio:.2%})"
    )
    grid.add_row(
        "Today",
        f"lost {equity.daily_loss:,.2f} ({equity.daily_loss_ratio:.2%}) of "
        f"{equity.day_start:,.2f} at 00:00 UTC",
    )
    grid.add_row("Ledger", Text(printable(status.ledger)))
    grid.add_row(
        "", f"{status.mode.replace('_', '-')} trading, read {status.at:%Y-%m-%d %H:%M:%S} UTC"
    )
    return grid


def _limits(status: Status) -> RenderableType:
    table = _table()
    for heading in ("Limit", "Share"):
        table.add_column(heading, no_wrap=True, justify="left" if heading == "Limit" else "right")
    for heading in ("Cap", "Used", "Available"):
        table.add_column(heading, no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    for use in status.limits:
        is_count = use.name.startswith("max_positions")
        amounts = [
            "-" if amount is None else f"{amount:,.0f}" if is_count else f"{amount:,.2f}"
            for amount in (use.cap, use.used, use.available)
        ]
        share = "" if is_count else f"{(100 * use.share).normalize():f} %"
        table.add_row(_LABELS[use.name], share, *amounts, _bar(use))
    return _titled(f"Limits ({status.stake_currency})", table)


def _bar(use: LimitUse) -> Text:
    if use.used is None or use.cap <= 0:
        return Text("")
    filled = min(round(_BAR * use.used / use.cap), _BAR)
    if use.used > 0:
        filled = max(filled, 1)  # a little is not nothing
    style = "red" if use.used >= use.cap else "green"
    return Text("#" * filled + "." * (_BAR - filled), style=style)


def _clusters(status: Status) -> RenderableType | None:
    clusters = status.clusters
    if not clusters.held:
        return None
    if clusters.age_seconds is None:
        seen = "no bot has said which: all count as one bet"
    else:
        seen = f"as {_labels(status)[clusters.bot or '']} saw it {age(clusters.age_seconds)} ago"
    table = _table()
    table.add_column("Held", overflow="fold")
    for heading in ("Notional", "Net", "Gross", "Bet", "Cap", "Share"):
        table.add_column(heading, no_wrap=True, justify="right")
    for cluster in clusters.held:
        table.add_row(
            Text("\n".join(_member(member) for member in cluster.members)),
            "\n".join(f"{member.notional:+,.2f}" for member in cluster.members),
            *_amounts(cluster),
            _share(cluster),
        )
    return _titled(f"Pairs that move together ({seen})", table)


def _member(member: MemberStatus) -> str:
    sign = {1: "+", -1: "-", 0: "?", None: "unknown "}[member.sign]
    return f"{sign}{printable(member.pair)}"


def _amounts(cluster: ClusterStatus) -> Iterable[str]:
    return (f"{a:,.2f}" for a in (cluster.net, cluster.gross, cluster.value, cluster.cap))


def _share(cluster: ClusterStatus) -> Text:
    if cluster.used_ratio is None:
        return Text("-", style="red")
    text = f"{cluster.used_ratio:.0%}" if cluster.used_ratio < _WORST else f"> {_WORST:.0%}"
    return Text(text, style="red" if cluster.used_ratio > 1 else "")


def _bots(status: Status) -> RenderableType | None:
    if not status.bots:
        return None
    table = _table()
    table.add_column("Bot", overflow="fold")
    table.add_column("Account", no_wrap=True)
    for heading in ("Report", "Balance", "Open P/L", "Held"):
        table.add_column(heading, no_wrap=True, justify="right")
    for bot in status.bots:
        text = f"{age(bot.age_seconds)} ago"
        report = Text(f"SILENT {text}", style="red") if bot.is_silent else Text(text)
        table.add_row(
            # freqtrade's bot name and the strategy, one below the other: both may be long.
            Text(printable(bot.bot).replace("/", "/\n")),
            _account(bot.account),
            report,
            f"{bot.balance:,.2f}",
            f"{bot.open_profit:+,.2f}",
            str(bot.positions),
        )
    return _titled("Bots", table)


def _positions(status: Status) -> RenderableType | None:
    if not status.positions and not status.reservations:
        return None
    table = _table()
    table.add_column("Bot", overflow="fold")
    table.add_column("Pair", no_wrap=True)
    table.add_column("Side", no_wrap=True)
    for heading in ("Margin", "Notional"):
        table.add_column(heading, no_wrap=True, justify="right")
    table.add_column("Since (UTC)", no_wrap=True)
    labels = _labels(status)
    for held in status.positions:
        table.add_row(
            labels[held.bot],
            Text(printable(held.pair)),
            held.side,
            f"{held.margin:,.2f}",
            f"{held.notional:,.2f}",
            _short(held.entered_at),
        )
    for asked in status.reservations:
        table.add_row(
            labels[asked.bot],
            Text(printable(asked.pair)),
            asked.side,
            f"{asked.margin:,.2f}",
            f"{asked.notional:,.2f}",
            Text(f"{_short(asked.reserved_at)}\n").append_text(_note(asked)),
        )
    return _titled("Positions and reservations", table)


def _note(asked: ReservationView) -> Text:
    if not asked.is_ambiguous:
        return Text("reserved", style="yellow")
    capital = f"holds capital\nto {_short(asked.capital_until)}"
    return Text(f"AMBIGUOUS\n{capital if asked.holds_capital else 'frees capital'}", style="red")


def _fences(status: Status) -> RenderableType | None:
    if not status.fences:
        return None
    table = _table()
    table.add_column("Pair", no_wrap=True)
    table.add_column("Code", no_wrap=True, style="red")
    table.add_column("Since (UTC)", no_wrap=True)
    table.add_column("Reason", overflow="fold")
    labels = _labels(status)
    for fence in status.fences:
        reason = f"{labels[fence.bot]}: {printable(fence.reason)}"
        table.add_row(Text(printable(fence.pair)), fence.code, _short(fence.since), Text(reason))
    return _titled("Fenced pairs (`fractal risk clear PAIR` opens one)", table)


def _drifts(status: Status) -> RenderableType | None:
    if not status.drifts:
        return None
    table = _table()
    table.add_column("Pair", no_wrap=True)
    table.add_column("Account", no_wrap=True)
    table.add_column("Since (UTC)", no_wrap=True)
    table.add_column("What", overflow="fold")
    for drift in status.drifts:
        doubt = "" if drift.confirmed else "(seen once) "
        table.add_row(
            Text("all pairs" if drift.pair == ALL_PAIRS else printable(drift.pair)),
            _account(drift.account),
            _short(drift.since),
            Text(f"{doubt}{drift.kind}: {printable(drift.message)}", style="red"),
        )
    return _titled("Drift between venue and databases (an aligned look opens the pair)", table)


def _looks(status: Status) -> RenderableType | None:
    if not status.looks:
        return None
    table = _table()
    for heading in ("Account", "Looked", "Result", "Watch"):
        table.add_column(heading, no_wrap=True)
    for look in status.looks:
        every = look.interval_seconds
        watch = "nobody watches" if every is None else f"every {every:g} s"
        table.add_row(
            _account(look.account),
            f"{age(look.age_seconds)} ago",
            Text(look.result, style="green" if look.result == "aligned" else "red"),
            Text(f"LATE, {watch}", style="red") if look.is_late else Text(watch),
        )
    return _titled("Reconciler (`fractal reconcile`)", table)


def _denials(status: Status) -> RenderableType | None:
    if not status.denials:
        return None
    table = _table()
    for heading in ("First (UTC)", "Last (UTC)"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Times", no_wrap=True, justify="right")
    for heading in ("Pair", "Side", "Code"):
        table.add_column(heading, no_wrap=True)
    for denial in status.denials:
        table.add_row(
            _short(denial.first_at),
            _short(denial.last_at),
            str(denial.count),
            Text(printable(denial.pair)),
            denial.side,
            denial.code,
        )
    return _titled("Latest denials", table)


def _labels(status: Status) -> dict[str, str]:
    """Shorten bots' names to their strategies where that tells them apart."""
    names = {bot.bot for bot in status.bots}
    for rows in (status.positions, status.reservations, status.fences, status.denials):
        names |= {row.bot for row in rows}
    strategies = Counter(name.rpartition("/")[2] for name in names)
    return {
        name: printable(short if strategies[short := name.rpartition("/")[2]] == 1 else name)
        for name in names
    }


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))


def _titled(title: str, table: Table) -> Group:
    # A table's own title would be wrapped at the table's width.
    return Group(Text(f"\n{title}", style="bold"), table)


def _account(account: str) -> str:
    name = printable(account)
    if name.startswith("paper:"):
        return "paper"
    return name if len(name) <= _ACCOUNT else f"{name[:6]}...{name[-4:]}"


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _short(moment: datetime) -> str:
    return f"{moment:%m-%d %H:%M}"
