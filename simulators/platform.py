"""What the running platform says of closures and prices, asked over its public HTTP."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import httpx
import msgspec
import structlog

from simulators.world import World

# How often closures and prices are asked for, in real seconds.
CLOSURES_S: Final = 10.0
PRICES_S: Final = 300.0
# Longest that all pages of an answer may take.
_TIMEOUT_S: Final = 10.0
_PAGE: Final = 1_000
_PAGES_MAX: Final = 20
# The stay whose price drivers know: two hours from ten o'clock.
_STAY_MIN: Final = 120
_STAY_AT: Final = time(10)
# Prices beyond these multiples of the base price are taken for them.
_LEAST, _MOST = 0.1, 10.0
# San Francisco's streets: Pierce and Shoup, Getting the Prices Right, 2013.
ELASTICITY: Final = -0.4

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of which platform.

    Attributes:
        url: the platform's, such as `http://127.0.0.1:8000`.
        base_day: the day whose prices are the base; None: drivers do not look at prices.
        elasticity: of demand by price, negative or 0.
    """

    url: str
    base_day: date | None = None
    elasticity: float = ELASTICITY


class _Quote(msgspec.Struct):
    total_minor: int


class _Lot(msgspec.Struct):
    """A lot of `/v1/lots`; one that is closed for a time says until when, null for good."""

    lot_id: str
    closed_until: str | msgspec.UnsetType | None = msgspec.UNSET
    quote: _Quote | None = None


class _Page(msgspec.Struct):
    items: list[_Lot]
    next: str | None = None


class AnswerError(Exception):
    """The platform gives no answer, or none that can be used."""


class Platform:
    """Follows a platform, and tells a world of its closures and prices.

    While the platform cannot be asked, what it said last goes on to hold.

    Args:
        asking: what is asked.
        world: who is told.
        now: the wall clock, aware, with the city's offset.
        transport: asks in place of the network.

    Attributes:
        asked: is set once everything has been asked for, answered or not.
    """

    def __init__(
        self,
        asking: Asking,
        world: World,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._asking, self._world, self._now = asking, world, now
        self._client = httpx.AsyncClient(
            base_url=asking.url, timeout=_TIMEOUT_S, trust_env=False, transport=transport
        )
        self._closed: frozenset[str] = frozenset()
        self._relative: Mapping[str, float] = {}
        self._errors: dict[str, str] = {}
        self.asked = asyncio.Event()

    async def run(self) -> None:
        """Ask until cancelled."""
        async with self._client:
            for turn in itertools.count():
                await self.ask(prices=turn % round(PRICES_S / CLOSURES_S) == 0)
                self.asked.set()
                await asyncio.sleep(CLOSURES_S)

    async def ask(self, *, prices: bool) -> None:
        """Ask for closures, and for prices if it is their turn; never raises."""
        try:
            closed = await self._items({"status": "closed"})
            self._closed = frozenset(
                lot.lot_id for lot in closed if lot.closed_until is not msgspec.UNSET
            )
            self._world.tell_closed(self._closed)
            self._heard("closures")
        except AnswerError as error:
            self._missed("closures", error)
        base_day = self._asking.base_day
        if base_day is None or not (prices or "prices" in self._errors):
            return
        try:
            self._relative = await self._prices(base_day)
            self._world.tell_prices(self._relative, self._asking.elasticity)
            self._heard("prices")
        except AnswerError as error:
            self._missed("prices", error)

    @property
    def has_prices(self) -> bool:
        """Whether drivers look at prices."""
        return self._asking.base_day is not None

    def figures(self) -> dict[str, object]:
        """Return what was heard last, for the status line."""
        figures: dict[str, object] = {
            "platform": "; ".join(f"{what}: {why}" for what, why in self._errors.items())
            or "heard",
            "closed": len(self._closed),
        }
        if self.has_prices:
            changed = [one for one in self._relative.values() if one != 1.0]
            figures["priced"] = len(self._relative)
            figures["price_changed"] = len(changed)
        return figures

    def _heard(self, what: str) -> None:
        if self._errors.pop(what, None):
            log.info("the platform answers again", asked=what)

    def _missed(self, what: str, error: AnswerError) -> None:
        if what not in self._errors:
            log.warning(
                "the platform does not answer: its last holds", asked=what, error=str(error)
            )
        self._errors[what] = str(error)

    async def _prices(self, base_day: date) -> dict[str, float]:
        """Return today's price over that of the base day's week, for each lot that has both."""
        today = self._now()
        earlier = timedelta(days=(base_day.weekday() - today.weekday()) % 7)
        now, base = [
            {
                lot.lot_id: max(lot.quote.total_minor, 1)
                for lot in await self._items(_stay(day, today))
                if lot.quote is not None
            }
            for day in (today.date(), base_day - earlier)
        ]
        return {
            lot_id: min(max(price / base[lot_id], _LEAST), _MOST)
            for lot_id, price in now.items()
            if lot_id in base
        }

    async def _items(self, asked: Mapping[str, str | int]) -> list[_Lot]:
        """Ask for all pages of lots.

        Raises:
            AnswerError: one of them is missing, or none.
        """
        items: list[_Lot] = []
        path = str(httpx.URL("/v1/lots", params={**asked, "limit": _PAGE}))
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                for _ in range(_PAGES_MAX):
                    answer = (await self._client.get(path)).raise_for_status()
                    page = msgspec.json.decode(answer.content, type=_Page)
                    items += page.items
                    if page.next is None:
                        return items
                    path = page.next
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, TimeoutError) as error:
            raise AnswerError(str(error) or type(error).__name__) from error
        raise AnswerError(f"more than {_PAGES_MAX} pages of lots")


def _stay(day: date, now: datetime) -> dict[str, str | int]:
    at = datetime.combine(day, _STAY_AT, now.tzinfo)
    return {"at": at.isoformat(), "duration_min": _STAY_MIN}
