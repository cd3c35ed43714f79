"""The part of a simulated world that follows quotes, and what it demands of every single one.

* What is delivered is a state that the server has told, whole, and no older than the one delivered before it.
* Where every change is asked for, it is the very next state.
* Where changes are merged, it is a state of the new connection after ``restored``.
* Nothing is delivered of a symbol that was removed as often as it was added; the server knows it no more.
* When everything has healed, the client knows the last that the server has told, and that is the market's truth.

A message that was overtaken makes a connection's states untellable, since nothing in a change says how old it is: then
all of this is demanded from the next connection on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tvwire import AsyncClient, Quote, QuoteStream, StreamStatus
from tvwire.emulator.descriptor import Descriptor
from tvwire.emulator.feed import MarketFeed
from tvwire.emulator.lane import ABSENT, LIVE

from .ledger import freeze

if TYPE_CHECKING:
    from .line import Line
    from .world import World

__all__ = ["QuoteFollower"]

SYMBOLS: Final = (
    *("BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "BINANCE:BTCEUR", "NASDAQ:AAPL", "FX:EURUSD"),
    *(f"SIM:S{number:05}" for number in range(1, 8)),
)
UNKNOWN: Final = "NOPE:NOPE"
AROUND_THE_CLOCK: Final = ("BINANCE:", "SIM:")
_BEHIND: Final = 7.0
"""Seconds that a quote may be behind: symbols that are not visible are updated every five."""


class QuoteFollower:
    """A stream of quotes whose consumer changes its mind.

    Args:
        world: Where it lives.
        seed: Of what it follows and when it changes its mind.
    """

    def __init__(self, world: World, seed: int) -> None:
        random = Random(f"quotes {seed}")
        self._world = world
        self._random = random
        self._pause = random.choice((0.0, 0.0, 0.05, 1.5))
        self._throttle = random.choice((0.0, 0.0, 0.0, 2.0))
        self._every = self._pause < 1.0 and not self._throttle and random.random() < 0.4
        self._fields = random.choice(("raw", "raw", "price", "all"))
        self._wanted = Counter(random.sample(SYMBOLS, random.randint(2, 6)))
        self._place: dict[str, tuple[int, int]] = {}
        self._from = 0
        self.read = 0
        """Quotes delivered."""

    def __str__(self) -> str:
        how = "every change" if self._every else f"throttle {self._throttle:g}"
        return f"quotes of {sorted(+self._wanted)}, {self._fields}, pause {self._pause:g}, {how}"

    # -- the course --------------------------------------------------------------------------------------

    async def start(self, client: AsyncClient) -> None:
        """Begin to follow."""
        self._stream: QuoteStream = client.watch_quotes(
            list(self._wanted), fields=self._fields, throttle=self._throttle, conflate=not self._every
        )
        self._stream.on("status", self._hear_status)
        self._consumer = asyncio.ensure_future(self._consume(self._stream))

    async def change_mind(self) -> None:
        """Follow a symbol more, or again, or no more, or anew.

        Not while a snapshot comes in parts: if its symbol were removed and added again between them, nothing would tell
        the server's last word on the snapshot before from that on the one after.
        """
        if self._world.lines[-1].parted:
            return
        followed = sorted(+self._wanted)
        what = self._random.choice(("more", "again", "less", "less", "anew", "nonsense"))
        if what == "nonsense":
            await self._stream.add(UNKNOWN)
        elif what == "more":
            await self._add(self._random.choice(SYMBOLS))
        elif what == "again":
            await self._add(self._random.choice(followed))
        elif what == "less" and len(followed) > 1:
            await self._remove(self._random.choice(followed), 1)
        else:
            symbol = self._random.choice(followed)
            await self._remove(symbol, self._wanted[symbol])
            await self._add(symbol)

    async def _add(self, symbol: str) -> None:
        self._wanted[symbol] += 1
        await self._stream.add(symbol)

    async def _remove(self, symbol: str, times: int) -> None:
        self._wanted[symbol] -= times
        if not self._wanted[symbol]:
            self._place.pop(symbol, None)
        await self._stream.remove(*[symbol] * times)

    async def close(self) -> None:
        """Follow no more."""
        await self._stream.aclose()
        await self._consumer

    def left(self, line: Line) -> list[str]:
        """Return what the server still has after the end."""
        return list(line.session.quotes)

    async def _consume(self, stream: QuoteStream) -> None:
        try:
            async for quote in stream:
                self._judge(quote)
                if self._pause:
                    await asyncio.sleep(self._pause * self._random.random())
        except Exception as error:  # noqa: BLE001  a stream that ends by itself is what is looked for
            self._world.violated(f"the stream of quotes ended: {error!r} (cause {error.__cause__!r})")

    def _hear_status(self, status: StreamStatus) -> None:
        self._world.note("quotes", status.kind, status.symbol, status.detail)
        if status.kind == "restored" and not status.detail:
            self._from = len(self._world.lines) - 1
        if status.kind == "dropped" and status.symbol != UNKNOWN:
            self._world.violated(f"a symbol was given up: {status}")

    # -- judging -----------------------------------------------------------------------------------------

    def _judge(self, quote: Quote) -> None:
        symbol, raw, lines = quote.symbol, quote.raw, self._world.lines
        self.read += 1
        self._world.note("quote", symbol, raw.get("lp"), raw.get("lp_time"), raw.get("volume"))
        if not self._wanted[symbol]:
            self._world.violated(f"a quote of {symbol} came after it was removed")
            return
        # where every change is kept, those that were not read before a loss come after it
        first = 0 if self._every else self._from
        for number in range(len(lines) - 1, first - 1, -1):
            line = lines[number]
            if line.shuffled:
                self._place[symbol] = (number, 0)
                return
            place = line.ledger.place(symbol, raw)
            if place is not None:
                self._follow(symbol, number, place)
                return
        self._world.violated(f"a quote of {symbol} that the server has never told since connection {first}: {raw}")

    def _follow(self, symbol: str, number: int, place: int) -> None:
        """Compare the state that was delivered with the one before it: its connection, and its place there."""
        last = self._place.get(symbol)
        self._place[symbol] = (number, place)
        if last is None:
            return
        if (number, place) < last:
            self._world.violated(f"a quote of {symbol} came after a newer one: {(number, place)} after {last}")
        elif self._every and number == last[0] and place > last[1] + 1:
            self._world.violated(f"{place - last[1] - 1} changes of {symbol} were not delivered")

    def state(self, line: Line) -> list[str]:
        """Return what is not as it should be: a symbol that is missing, or behind."""
        wanted = set(+self._wanted)
        told = [set(session.symbols) - {UNKNOWN} for session in line.session.quotes.values()]
        wrong = [] if told == [wanted] else [f"the server has {told}, wanted is {wanted}"]
        if set(self._stream.symbols) - {UNKNOWN} != wanted:
            wrong.append(f"the stream follows {self._stream.symbols}, wanted is {wanted}")
        speed, market = self._world.speed, self._world.market()
        for symbol in sorted(wanted):
            quote = self._stream.get(symbol)
            if quote is None:
                wrong.append(f"there is no quote of {symbol}")
            elif symbol.startswith(AROUND_THE_CLOCK):
                behind = market - quote.raw["lp_time"]
                if behind > _BEHIND * speed:
                    wrong.append(f"{symbol} is {behind:g} market seconds behind")
                number, _ = self._place.get(symbol, (-1, 0))
                if number < self._from:
                    wrong.append(f"nothing of {symbol} has been delivered on this connection")
        return wrong

    async def settle(self, line: Line) -> list[str]:
        """Wait until nothing is under way; return what the client knows wrong, or the server."""
        wrong: list[str] = []
        for _ in range(100):
            await asyncio.sleep(0.05)
            newest = line.ledger.newest
            wrong = [
                f"{symbol}: known is {self._stream.snapshot().get(symbol)}, told was {newest.get(symbol)}"
                for symbol in sorted(+self._wanted)
                if (quote := self._stream.get(symbol)) is None or freeze(quote.raw) != freeze(newest.get(symbol, {}))
            ]
            if not wrong:
                return self._untrue(line)
        return wrong

    def _untrue(self, line: Line) -> list[str]:
        """Return what the client knows and the market does not: both as of the last trade."""
        wrong = []
        feed = MarketFeed(self._world.true_market)
        for symbol in sorted(+self._wanted):
            if not symbol.startswith(AROUND_THE_CLOCK):
                continue
            quote = self._stream[symbol]
            ((_, lane),) = feed.lanes([Descriptor.parse(symbol)], float(quote.raw["lp_time"]))
            (values,) = lane.read(float(quote.raw["lp_time"]))
            moving = {name: value for name, value in zip(LIVE, values, strict=True) if value is not ABSENT}
            true: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(lane.identity(0) | moving))
            differ = {name: (value, true.get(name)) for name, value in quote.raw.items() if value != true.get(name)}
            if differ:
                wrong.append(f"{symbol}: {differ} (known, true)")
        return wrong
