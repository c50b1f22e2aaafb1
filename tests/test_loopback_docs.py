"""docs/loopback_exchange.md says what the exchange does: tables, rules, examples."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import ccxt
import click
import httpx
import pytest
import typer
from eth_account import Account
from fastapi.routing import APIRoute

from fractal_ops.cli import app as cli
from fractal_testnet import account as account_package
from fractal_testnet.account import (
    admission,
    agents,
    bank,
    clearing,
    exchange,
    refusal,
    rules,
    schedule,
)
from fractal_testnet.account import journal as journal_module
from fractal_testnet.account import trader as trader_module
from fractal_testnet.account.levels import HALF_SPREAD
from fractal_testnet.account.orders import OrderRequest, Tif, Trigger
from fractal_testnet.app import MAX_BODY_BYTES, create_app
from fractal_testnet.faults import KINDS, FaultSpec, Match
from fractal_testnet.faults import spec as fault_spec
from fractal_testnet.market import Clock, MarketClock, PathMarket
from fractal_testnet.market import book as market_book
from fractal_testnet.market import funding as market_funding
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.intervals import HOUR_MS
from fractal_testnet.market.path_market import MAX_CANDLES
from fractal_testnet.market.synthetic import SyntheticSource
from fractal_testnet.market.universe import SIGNIFICANT_FIGURES, UNIVERSE
from fractal_testnet.wire import account_info, account_streams, allowance, info, nonces, ws
from fractal_testnet.wire import orders as wire_orders
from fractal_testnet.wire.errors import WireError
from fractal_testnet.wire.exchange import ExchangeRouter
from fractal_testnet.wire.subscriptions import Subscription, subscription_of
from fractal_testnet.wire.user_signed import sign_user_action
from fractal_testnet.wire.venue import Venue
from tests.testnet.line_market import T0, LineMarket
from tests.testnet.serving import served

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "docs" / "loopback_exchange.md"
PAGE = PAPER.read_text()
PROSE = " ".join(re.sub(r"^> ", "", PAGE, flags=re.MULTILINE).split())
TESTNET = Path(account_package.__file__).parents[1]
NOW_MS = 1_795_433_417_123
MAIN = Account.from_key("0x" + "11" * 32)
AGENT = Account.from_key("0x" + "22" * 32)
USER = MAIN.address.lower()
BTC = "BTC/USDC:USDC"


def rows(name: str, page: str = PAGE) -> list[list[str]]:
    """Return the cells of a marked table, without its head; code loses its ticks."""
    found = re.search(rf"<!-- {name}: begin -->(.*?)<!-- {name}: end -->", page, re.DOTALL)
    assert found is not None, name
    lines = [line for line in found[1].splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert all(len(row) == len(table[0]) and row[-1] for row in table), name
    return table


def plain(cell: str) -> str:
    return cell.strip("`")


def column(name: str) -> list[str]:
    return [plain(row[0]) for row in rows(name)]


def names(cell: str) -> set[str]:
    """Return what stands in ticks in a cell."""
    return set(re.findall(r"`([^`]+)`", cell))


@pytest.fixture(scope="module")
def market() -> PathMarket:
    return PathMarket(SyntheticSource(seed=1))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


# Tables --------------------------------------------------------------------------------------


def test_info_types_are_those_that_are_answered(market: PathMarket, clock: Clock) -> None:
    app = create_app(market, clock)

    assert sorted(column("info")) == sorted(app.state.info._handlers)


def test_actions_are_those_that_are_answered(market: PathMarket, clock: Clock) -> None:
    venue = Venue(market, clock)
    router = ExchangeRouter(venue, exchange.Exchange(market, NOW_MS))

    assert sorted(column("actions")) == sorted(router._handlers)


def leaves(kind: type) -> set[type]:
    below = kind.__subclasses__()
    return set().union(*(leaves(one) for one in below)) if below else {kind}


def test_streams_are_those_that_can_be_subscribed(market: PathMarket, clock: Clock) -> None:
    venue = Venue(market, clock)
    makers = account_streams.account_streams(exchange.Exchange(market, NOW_MS))
    request = {"coin": "BTC", "interval": "1m", "user": USER}

    made = [
        makers.get(kind, subscription_of)(venue, {**request, "type": kind})
        for kind in column("streams")
    ]
    assert [stream.echo["type"] for stream in made] == column("streams")
    known = {kind for kind in leaves(Subscription) if kind.__module__.startswith("fractal_")}
    assert {type(stream) for stream in made} == known


def test_admin_requests_are_those_that_are_served(market: PathMarket, clock: Clock) -> None:
    routes = [
        f"{method} {route.path}"
        for route in flat(create_app(market, clock).routes)
        for method in route.methods
    ]
    wire = {"POST /info", "POST /exchange"}

    assert sorted(column("admin")) == sorted(set(routes) - wire)


def flat(routes: Any) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):  # newer FastAPI includes lazily
            yield from flat(route.original_router.routes)


def test_contracts_are_those_that_trade() -> None:
    documented = [(plain(row[0]), int(row[1]), int(row[2])) for row in rows("assets")]

    assert documented == [(spec.name, spec.sz_decimals, spec.max_leverage) for spec in UNIVERSE]


def test_refusals_have_the_exchanges_own_texts() -> None:
    documented = {plain(reason): text for reason, text, _ in rows("refusals")}

    assert documented == refusal._TEXTS


def template(node: ast.expr, known: dict[str, ast.expr]) -> str | None:
    """Return a text with … for what is filled in; None where it is no text."""
    if isinstance(node, ast.Name) and node.id in known:
        return template(known[node.id], known)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            parts.append(template(part.value, known) or "…")
        else:
            assert isinstance(part, ast.Constant)
            parts.append(str(part.value))
    return "".join(parts)


REFUSING = {"RefusedError": 0, "_refuse": 2}
"""Which argument of these calls is the text."""


def texts_of(path: Path) -> set[str]:
    """Return every text with which a module refuses."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, ast.FunctionDef) or function.name == "refusal":
            continue
        known: dict[str, ast.expr] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                known[node.targets[0].id] = node.value
        for node in ast.walk(function):
            told: ast.expr | None = None
            if isinstance(node, ast.Call):
                place = REFUSING.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
                told = None if place is None else node.args[place]
            elif isinstance(node, ast.Return) and path.stem in ("nonces", "allowance"):
                told = node.value
            if told and (text := template(told, known)):
                found.add(text)
    return found


def test_other_refusals_have_the_exchanges_own_texts() -> None:
    paths = [*(TESTNET / "account").glob("*.py")]
    paths += [TESTNET / "wire" / f"{name}.py" for name in ("exchange", "nonces", "allowance")]
    said = set().union(*(texts_of(path) for path in paths))

    assert {text for text, _ in rows("others")} == said
    assert len(said) > 20


def test_statuses_are_those_that_orders_get() -> None:
    given = {
        node.args[2].value
        for path in (TESTNET / "account").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "note"
        and isinstance(node.args[2], ast.Constant)
    }

    assert set(column("statuses")) == given


def test_fault_kinds_and_their_keys() -> None:
    documented = {plain(row[0]): row for row in rows("kinds")}
    assert list(documented) == list(KINDS)

    for kind, rule in fault_spec._RULES.items():
        _, needs, takes, matched, _ = documented[kind]
        assert names(needs) == rule.needs, kind
        assert names(takes) == rule.takes, kind
        filters = set(Match.model_fields) if matched == "all" else names(matched)
        assert filters == rule.match, kind
    not_drawn = [kind for kind, rule in fault_spec._RULES.items() if not rule.drawn]
    assert not_drawn == ["down"]
    assert "all but `down` also `probability`, `count` and `skip`" in PROSE
    assert set(Match.model_fields) == names(
        re.search(r'"All" that match are (.*?):', PROSE)[1]  # type: ignore[index]
    )


def options_of(*path: str) -> dict[str, click.Option]:
    command: Any = typer.main.get_command(cli)
    for name in path:
        command = command.commands[name]
    return {
        option: one
        for one in command.params
        if hasattr(one, "is_flag")
        for option in one.opts
        if option != "--help"
    }


def test_fault_keys_their_options_and_defaults() -> None:
    fields = {key: one for key, one in FaultSpec.model_fields.items() if key != "kind"}
    assert column("keys") == list(fields)

    known = options_of("testnet", "fault", "add")
    for key, option, default, _ in rows("keys"):
        assert plain(option) in known, key
        value = fields[plain(key)].default
        empty = value in (None, (), Match())
        shown = "-" if empty else json.dumps(value).strip('"')
        assert default == shown, key
    assert {plain(row[1]) for row in rows("keys")} | {"--url"} == set(known)
    [reasons] = [row[3] for row in rows("keys") if plain(row[0]) == "reason"]
    assert reasons.split(", ") == list(fault_spec.Reason.__args__)


def test_options_of_the_exchange() -> None:
    known = options_of("testnet")
    documented = {plain(row[0]): row[1] for row in rows("options")}
    assert set(documented) == set(known)

    for name, default in documented.items():
        value = known[name].default
        shown = "off" if known[name].is_flag else "-" if value is None else f"{value:g}"
        assert default == shown, name


COMMANDS = [
    ("testnet",),
    ("data",),
    *(("testnet", "wallet", name) for name in ("new", "fund", "show")),
    *(("testnet", "fault", name) for name in ("add", "list", "clear")),
    ("testnet", "move"),
]


def test_every_option_on_the_page_exists() -> None:
    known = set().union(*(options_of(*path) for path in COMMANDS))
    named = set(re.findall(r"(?<![-\w])--[a-z][a-z-]*", PAGE))

    # of scripts/run.sh, of freqtrade
    assert named - {"--once", "--timerange"} <= known


def test_every_command_on_the_page_exists() -> None:
    lines = re.findall(r"^(fractal [^#\n\\]*)", "\n".join(block for _, block in blocks()), re.M)
    assert len(lines) > 8

    for line in lines:
        words = shlex.split(line)[1:]
        path: tuple[str, ...] = ()
        while (*path, words[len(path)]) in {known[: len(path) + 1] for known in COMMANDS}:
            path = (*path, words[len(path)])
            if len(path) == len(words):
                break
        options = {word for word in words[len(path) :] if word.startswith("--")}
        assert path in COMMANDS, line
        assert options <= set(options_of(*path)), line


def test_files_on_the_page_exist() -> None:
    named = set(re.findall(r"(?:user_data/)?config\.[\w.-]+\.json", PAGE))
    named |= set(re.findall(r"tests/[\w/]+\.py|fractal_\w+/[\w/]+\.py|scripts/\w+\.sh", PAGE))

    # made by scripts/run.sh
    missing = [name for name in named - {"user_data/config.private.json"} if not exists(name)]
    assert missing == []
    overlay = json.loads((ROOT / "user_data/config.loopback-live.json").read_text())
    assert overlay["dry_run"] is False
    assert overlay["db_url"].removeprefix("sqlite:///") in PAGE


def exists(name: str) -> bool:
    return (ROOT / name).exists()


# Numbers in the text -------------------------------------------------------------------------

SENTENCES = [
    f"{clearing.TAKER * 100:f}".rstrip("0") + " % for takers",
    f"{clearing.MAKER * 100:f}".rstrip("0") + " % for makers",
    f"half a spread ({HALF_SPREAD * 100:.3f} %) beyond it",
    f"The spread** is {2 * HALF_SPREAD * 100:.3f} %",
    f"{market_book.LEVELS} levels a side",
    f"at least {rules.MIN_NOTIONAL} USDC",
    f"within {rules.MAX_DEVIATION * 100:.0f} % of the mark",
    f"at most {admission.MAX_OPEN_ORDERS:,} live orders",
    f"Order ids begin anew at {exchange.FIRST_OID}",
    f"is {trader_module.DEFAULT_LEVERAGE} (or its highest, if less)",
    f"{schedule.NEEDED_VOLUME:,} USDC of traded volume, "
    f"{schedule.LEAST_AHEAD_MS // 1000} seconds of notice, "
    f"and fires {schedule.TRIGGERS_A_DAY} times a day",
    f"{allowance.INITIAL:,} actions for an address",
    f"{allowance.CANCEL_EXTRA:,} more at most",
    f"one action every {allowance.THROTTLED_MS // 1000} seconds",
    f"the {nonces.KEPT} highest that the signer has used",
    f"Each lives {agents.MAX_DAYS} days at most",
    f"says nothing for {ws.IDLE_SECONDS:.0f} seconds",
    f"at most {ws.MAX_SUBSCRIPTIONS:,} subscriptions",
    f"the newest {journal_module.KEPT:,} rows are in memory",
    f"the last {info.RECENT_TRADES} prints",
    f"hourly funding, {info.FUNDING_ROWS} rows a call",
    f"paid and received, {account_info.FUNDING_ROWS} rows a call",
    f"the newest {account_info.ROWS:,} fills",
    f"the last {trader_module.KEPT_EVENTS:,} changes of orders",
    f"{trader_module.KEPT_EVENTS:,} changes of orders, "
    f"{trader_module.KEPT_ORDERS:,} finished orders and fills",
    f"the newest {account_streams.SNAPSHOT_FILLS} fills, then",
    f"the newest {MAX_CANDLES:,} of an interval",
    f"a body above {MAX_BODY_BYTES // 1_000_000} MB",
    f"the venue's {FaultSpec.model_fields['weight_per_minute'].default:,} weight a minute",
    f"clamp({market_funding.INTEREST_8H:.2%} - premium, "
    f"-{market_funding.CLAMP_8H:.2%}, {market_funding.CLAMP_8H:.2%})",
    f"within +-{market_funding.HOURLY_CAP:.0%} an hour",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_numbers_in_the_text_are_the_codes(sentence: str) -> None:
    assert sentence in PROSE


def test_numbers_that_stand_as_words() -> None:
    assert market_book.REFRESH_MS == 500  # "twice a second", "half a second"
    assert pytest.approx(0.5) == ws.PUSH_SECONDS  # "twice a second"
    assert len(UNIVERSE) == 15  # "Fifteen contracts"
    assert SIGNIFICANT_FIGURES == 5  # "five significant figures"
    assert agents.NAMED == 3  # "three named agents"
    assert len(rows("streams")) == 7  # "seven streams"
    assert Decimal("0.000001") == bank.UNIT  # "to the millionth of a USDC"


# Fill rules ----------------------------------------------------------------------------------


@dataclass
class Table:
    """A matching engine on a price that the test draws."""

    corners: list[tuple[float, float]]
    money: int = 100_000_000
    made: exchange.Exchange = field(init=False)

    def __post_init__(self) -> None:
        self.made = exchange.Exchange(LineMarket({"BTC": self.corners}), T0)  # type: ignore[arg-type]
        self.made.deposit(USER, Decimal(self.money), T0)
        self.made.set_leverage(USER, "BTC", 5, T0, is_cross=False)

    def order(self, side: Any, size: str, price: float, seconds: float, **more: Any) -> Any:
        request = OrderRequest("BTC", side, Decimal(size), Decimal(str(price)), **more)
        return self.made.place(USER, request, at(seconds))

    def stop(self, wake: float, limit: float, seconds: float) -> Any:
        trigger = Trigger(Decimal(str(wake)), is_market=False, tpsl="sl")
        return self.order(-1, "0.1", limit, seconds, reduce_only=True, trigger=trigger)

    @property
    def position(self) -> Decimal:
        found = self.made.trader(USER).account.positions.get("BTC")
        return Decimal(0) if found is None else found.size


def at(seconds: float) -> int:
    return T0 + round(seconds * 1000)


FLAT = [(0.0, 100_000.0), (100_000.0, 100_000.0)]


def test_a_gtc_order_beyond_the_books_depth_takes_again_from_the_next_book() -> None:
    table = Table(FLAT)
    ask = table.made.market.book("BTC", at(1)).asks[0]
    order = table.order(1, "50", ask.px, 1)
    assert (order.status, float(order.filled)) == ("open", ask.sz)

    table.made.advance(at(1.4))
    assert float(order.filled) == ask.sz
    table.made.advance(at(120))
    fills = table.made.trader(USER).fills
    assert order.status == "filled"
    assert all(fill.is_taker for fill in fills)
    assert {float(fill.price) for fill in fills} == {ask.px}
    # Twice a second at most, and each time no more than stands there.
    assert len(fills) > 2
    assert min(b.at_ms - a.at_ms for a, b in pairwise(fills)) >= 500


def test_an_ioc_order_gets_the_book_and_no_more() -> None:
    table = Table(FLAT)
    order = table.order(1, "500", 110_000, 1, tif=Tif.IOC)

    depth = sum(level.sz for level in table.made.market.book("BTC", at(1)).asks)
    assert order.status == "canceled"
    assert float(order.filled) == pytest.approx(depth)


def test_users_do_not_meet_each_other() -> None:
    table, other = Table(FLAT), "0x" + "b2" * 20
    table.made.deposit(other, Decimal(10_000), T0)
    best = table.made.market.book("BTC", at(1)).bids[0].px
    mine = table.order(1, "0.1", best + 1, 1)
    request = OrderRequest("BTC", -1, Decimal("0.1"), Decimal(str(best + 1)))
    theirs = table.made.place(other, request, at(1))

    assert (mine.status, theirs.status) == ("open", "open")


def test_a_jump_fills_a_resting_order_at_its_own_price() -> None:
    table = Table([(0, 100_000), (10, 100_000), (10, 90_000), (99, 90_000)])
    order = table.order(1, "1", 99_000, 1)
    table.made.advance(at(20))

    assert (order.status, order.average) == ("filled", 99_000)


def test_a_stop_limit_misses_in_a_gap_and_outlives_its_position() -> None:
    table = Table([(0, 100_000), (10, 100_000), (10, 93_000), (99, 93_000)])
    table.order(1, "0.1", 101_000, 1)
    woken = table.stop(95_000, 94_000, 2)
    waiting = table.stop(90_000, 89_000, 3)
    table.made.advance(at(20))
    assert (woken.status, table.position) == ("triggered", Decimal("0.1"))

    table.order(-1, "0.1", 90_000, 30, reduce_only=True)
    assert (woken.status, waiting.status) == ("reduceOnlyCanceled", "open")


def test_a_modification_may_keep_its_client_order_id() -> None:
    table, cloid = Table(FLAT), "0x" + "ab" * 16
    order = table.order(1, "0.1", 99_000, 1, cloid=cloid)
    wanted = OrderRequest("BTC", 1, Decimal("0.1"), Decimal(98_000), cloid=cloid)

    changed = table.made.modify(USER, order, wanted, at(2))
    assert (order.status, changed.status) == ("canceled", "open")
    assert table.made.trader(USER).by_cloid(cloid) is changed


def test_two_orders_that_close_reserve_nothing() -> None:
    table = Table(FLAT)
    table.order(1, "0.1", 101_000, 1)
    free = table.made.available(table.made.trader(USER))
    for _ in range(2):
        table.order(-1, "0.1", 120_000, 2)

    assert table.made.available(table.made.trader(USER)) == free


def test_liquidation_is_at_the_pages_price_and_takes_all_margin() -> None:
    table = Table([(0, 100_000), (10, 100_000), (110, 70_000), (999, 70_000)])
    table.order(1, "0.1", 101_000, 1)
    account = table.made.trader(USER).account
    [position], margin = account.positions.values(), account.margin("BTC")
    price = (position.cost - margin) / (position.size * (1 - 1 / Decimal(2 * 40)))
    assert account.liquidation_price("BTC", 40) == price

    free = account.free
    table.made.advance(at(200))
    fill = table.made.trader(USER).fills[-1]
    assert (table.position, account.free, fill.oid) == (0, free, 0)
    assert float(fill.price) == pytest.approx(float(price), rel=1e-4)


def test_at_the_same_moments_the_same_requests_make_the_same_journal(market: PathMarket) -> None:
    assert story(market) == story(market)


def test_the_sum_of_all_accounts_is_zero() -> None:
    table = Table([(0, 100_000), (10, 100_000), (9_000, 60_000)])
    table.order(1, "0.12345", 101_000, 1)
    table.made.advance(at(9_000))

    assert table.position == 0
    assert table.made.bank.total() == 0


def test_an_event_on_the_hour_does_not_skip_its_funding() -> None:
    hour = HOUR_MS // 1000
    table = Table([(0, 100_000), (hour, 100_000), (hour, 99_000), (9_000, 99_000)])
    table.order(1, "0.1", 101_000, 1)
    table.order(1, "0.1", 99_500, 2)
    table.made.advance(at(hour + 10))

    assert len(table.made.trader(USER).funding) == 1


@pytest.mark.parametrize(
    "absurd", [{"t": {"limit": {"tif": []}}}, {"s": "1e23"}, {"p": "1e60"}, {"s": "1" * 50}]
)
def test_absurd_orders_are_no_orders(absurd: dict[str, Any]) -> None:
    wire = {"a": 0, "b": True, "p": "1", "s": "1", "r": False, "t": {"limit": {"tif": "Gtc"}}}
    wire_orders.order_request(wire, list(UNIVERSE), Decimal(0))
    with pytest.raises(WireError):
        wire_orders.order_request({**wire, **absurd}, list(UNIVERSE), Decimal(0))


# The journal ---------------------------------------------------------------------------------


def client_of(url: str, clock: ManualClock, key: Any = MAIN, **options: Any) -> ccxt.hyperliquid:
    made = ccxt.hyperliquid(
        {
            "walletAddress": MAIN.address,
            "privateKey": key.key.hex(),
            "enableRateLimit": False,
            "sandbox": True,
            "urls": {"test": {"public": url, "private": url}},
            "options": options,
        }
    )
    made.milliseconds = lambda: clock.now_ms()
    return made


def post(url: str, path: str, **body: Any) -> Any:
    answer = httpx.post(f"{url}{path}", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def story(market: PathMarket) -> list[dict[str, Any]]:
    """Let everything happen that a journal can hold."""
    clock = ManualClock(NOW_MS)
    with served(market, clock) as address:
        url = f"http://{address}"
        post(url, "/admin/fund", user=USER, amount="10000")
        post(url, "/admin/fund", user=USER, amount="-1000")
        assert httpx.post(f"{url}/exchange", json={"action": "none"}).status_code == 422
        fault = {"kind": "reject", "reason": "margin", "match": {"role": "exit"}, "count": 1}
        number = post(url, "/admin/faults", **fault)["id"]
        client = client_of(url, clock)
        client.set_margin_mode("isolated", BTC, {"leverage": 5})
        price = client.fetch_ticker(BTC)["last"]
        client.create_order(BTC, "market", "buy", 0.01, price)
        with pytest.raises(ccxt.InsufficientFunds):
            client.create_order(BTC, "market", "sell", 0.01, price, {"reduceOnly": True})
        httpx.delete(f"{url}/admin/faults/{number}").raise_for_status()
        clock.advance(HOUR_MS)
        client.fetch_positions([BTC])
        post(url, "/admin/market/move", coin="BTC", ratio=-0.25)
        clock.advance(1_000)
        assert client.fetch_positions([BTC]) == []
        told: list[dict[str, Any]] = httpx.get(f"{url}/admin/journal").json()["rows"]
        return told


def test_journal_events_and_their_fields(market: PathMarket) -> None:
    found: dict[str, set[str]] = {}
    kinds = set()
    for row in story(market):
        found.setdefault(row["event"], set()).update(set(row) - {"seq", "at_ms", "event"})
        if row["event"] == "booking":
            kinds.add(row["kind"])

    assert {plain(event): names(fields) for event, fields, _ in rows("journal")} == found
    assert names(re.search(r"A booking's `kind` is (.*?)\.", PROSE)[1]) == kinds  # type: ignore[index]


def test_there_are_no_other_events() -> None:
    written = set()
    for path in TESTNET.rglob("*.py"):
        text = path.read_text()
        written |= set(re.findall(r'(?:journal|_journal)\.write\(\s*"(\w+)"', text))
        written |= set(re.findall(r'_report\(\s*"(\w+)"', text))
        written |= set(re.findall(r'"event": "(\w+)"', text))

    assert set(column("journal")) == written


# Fees ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "options", "ratio"),
    [(MAIN, {}, 0.00055), (MAIN, {"builderFee": False}, 0.00045), (AGENT, {}, 0.00045)],
    ids=["own key", "own key, builderFee off", "agent"],
)
def test_ccxt_approves_a_fee_for_itself_with_the_own_key_only(
    market: PathMarket, clock: ManualClock, key: Any, options: dict[str, Any], ratio: float
) -> None:
    assert "0.055 % and 0.025 % instead of 0.045 % and 0.015 %" in PROSE
    with served(market, clock) as address:
        url = f"http://{address}"
        post(url, "/admin/fund", user=USER, amount="10000")
        approval = {
            "type": "approveAgent",
            "hyperliquidChain": "Testnet",
            "signatureChainId": "0x66eee",
            "agentAddress": AGENT.address,
            "agentName": "bot",
            "nonce": NOW_MS,
        }
        signature = sign_user_action(MAIN.key.hex(), approval)
        post(url, "/exchange", action=approval, nonce=NOW_MS, signature=signature)
        clock.advance(1_000)
        client = client_of(url, clock, key, **options)
        client.set_margin_mode("isolated", BTC, {"leverage": 3})
        client.create_order(BTC, "market", "buy", 0.01, client.fetch_ticker(BTC)["last"])

        [trade] = client.fetch_my_trades(BTC)
        assert trade["fee"]["cost"] == pytest.approx(trade["cost"] * ratio, rel=1e-3)
        clock.advance(1_000)
        price = float(client.price_to_precision(BTC, trade["price"] * 0.9))
        client.create_order(BTC, "limit", "buy", 0.01, price)
        post(url, "/admin/market/move", coin="BTC", ratio=-0.12)
        clock.advance(1_000)
        made = client.fetch_my_trades(BTC)[-1]
        maker = ratio - 0.0003
        assert (made["takerOrMaker"], made["price"]) == ("maker", price)
        assert made["fee"]["cost"] == pytest.approx(made["cost"] * maker, rel=1e-3)


# Examples ------------------------------------------------------------------------------------


def blocks(page: str = PAGE) -> list[tuple[str, str]]:
    """Return (what stands before it, the block) of every example of a shell or of Python."""
    return [
        (match[1], match[0])
        for match in re.finditer(r"([^\n]*)\n```(?:bash|python)\n.*?\n```", page, re.DOTALL)
    ]


def test_every_example_is_run_or_says_why_not() -> None:
    assert len(blocks()) == PAGE.count("```bash") + PAGE.count("```python")

    for before, block in blocks():
        assert re.fullmatch(r"<!-- run -->|<!-- not run: .{10,} -->", before), block


def script(url: str) -> str:
    """Return the page's examples, in their order, as one shell script."""
    parts = [
        "set -euo pipefail",
        # A page names the default port; a test takes a free one.
        f'fractal() {{ command fractal "$@" --url {url}; }}',
        "mkdir user_data",
    ]
    for before, block in blocks():
        if before != "<!-- run -->":
            continue
        _, fence, *lines = block.splitlines()
        text = "\n".join(lines[:-1]).replace("http://127.0.0.1:8484", url)
        if fence == "```python":
            parts.append("set -a; . user_data/loopback.env; set +a")
            text = f"{shlex.quote(sys.executable)} -W error - <<'END'\n{text}\nEND"
        parts.append(text)
    return "\n".join(parts)


def test_the_examples_run_and_do_what_the_page_says(market: PathMarket, tmp_path: Path) -> None:
    with served(market, MarketClock()) as address:
        url = f"http://{address}"
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        done = subprocess.run(  # noqa: S603 - the project's own page
            ["/bin/bash", "-c", script(url)],
            cwd=tmp_path,
            env={"PATH": path, "HOME": str(tmp_path), "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

        settings = (tmp_path / "user_data/loopback.env").read_text()
        user = re.search(r"WALLET_ADDRESS=(0x\w+)", settings)
        assert user is not None
        assert "# The account's own key" in settings
        assert "10,000 mock USDC" in done.stdout
        assert "bought at" in done.stdout
        # The stop has woken, found nobody, and rests; the position is still there.
        [order] = post(url, "/info", type="frontendOpenOrders", user=user[1])
        assert (order["orderType"], order["reduceOnly"]) == ("Stop Limit", True)
        status = post(url, "/info", type="orderStatus", user=user[1], oid=order["oid"])
        assert status["order"]["status"] == "triggered"
        state = post(url, "/info", type="clearinghouseState", user=user[1])
        [held] = state["assetPositions"]
        assert held["position"]["szi"] == "0.01"
        # With the agent's key there is no builder fee.
        [fill] = post(url, "/info", type="userFills", user=user[1])
        notional = float(fill["px"]) * float(fill["sz"])
        assert float(fill["fee"]) == pytest.approx(notional * 0.00045, rel=1e-3)
        assert "builderFee" not in fill


# The tests themselves ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "before", "after"),
    [
        ("refusals", "Order has zero size.", "Order has no size."),
        ("info", "| `meta` |", "| `mata` |"),
        ("kinds", "| `processed`, `status` |", "| `status` |"),
        ("journal", "`oracle_px`", "`oracle`"),
        ("assets", "| 5 | 40 |", "| 5 | 50 |"),
    ],
)
def test_a_guilty_page_reads_differently(table: str, before: str, after: str) -> None:
    assert before in PAGE

    assert rows(table, PAGE.replace(before, after, 1)) != rows(table)
