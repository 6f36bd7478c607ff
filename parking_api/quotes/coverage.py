"""Finds the lots that lose their price by a change, and for how long.

Zones end and become smaller, tariffs end and move to other zones. Each such change is compared with
the state before it, over all time to come. A lot that had no price before does not count.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from parking_api.quotes import queries
from parking_api.quotes.errors import LeavesUnpricedError
from parking_api.quotes.models import Lack, UnpricedLot, UnpricedLots
from parking_api.quotes.prices import Situation, read_situations
from parking_api.workflow import Act
from sql.engine import Transaction

# As many lots as an answer names; it tells the number of all.
MOST_NAMED: Final = 100

Span = tuple[datetime, datetime | None]
_NO_SPANS: Final[tuple[Span, ...]] = ()


@dataclass(frozen=True)
class Coverage:
    """When each lot has a price.

    Attributes:
        lots: By lot_id.
        spans: When something prices each target, `(lot_id,)` or `(zone_id, lot_type)`.
    """

    lots: Mapping[str, Situation]
    spans: Mapping[tuple[str, ...], tuple[Span, ...]]

    def own(self, lot_id: str) -> tuple[Span, ...]:
        """Return when a lot has a tariff of its own."""
        return self.spans.get((lot_id,), _NO_SPANS)

    def lack(self, lot_id: str, at: datetime) -> Lack | None:
        """Return what a lot lacks for a price at `at`; None where it has one."""
        if _covers(self.own(lot_id), at):
            return None
        situation = self.lots[lot_id]
        zone_id = situation.zone_at(at)
        if zone_id is None:
            return "zone"
        by_zone = self.spans.get((zone_id, situation.lot_type), _NO_SPANS)
        return None if _covers(by_zone, at) else "tariff"

    def turns(self, lot_id: str) -> set[datetime]:
        """Return all instants at which a lot may gain or lose its price."""
        situation = self.lots[lot_id]
        zoned = [(start, end) for _, start, end in situation.zones]
        for zone_id, _, _ in situation.zones:
            zoned += self.spans.get((zone_id, situation.lot_type), _NO_SPANS)
        return {at for span in (*self.own(lot_id), *zoned) for at in span if at}


def _covers(spans: Sequence[Span], at: datetime) -> bool:
    return any(start <= at and (end is None or at < end) for start, end in spans)


async def read(db: Transaction) -> Coverage:
    """Read when each lot has a price, in the transaction's view."""
    spans = defaultdict(list)
    for effect in await queries.effects(db):
        spans[effect.target].append((effect.starts_at, effect.ends_at))
    lots = await read_situations(db)
    return Coverage(lots, {target: tuple(each) for target, each in spans.items()})


def newly_unpriced(before: Coverage, after: Coverage, since: datetime) -> list[UnpricedLot]:
    """Return the lots that had a price before a change and, from some time on, have none.

    Args:
        before: As it was.
        after: As it is.
        since: What was earlier does not count.

    Returns:
        The first such time of each lot, the earliest first; of none that is retired.
    """
    # Lots of one kind in the same zones share their fate.
    known: dict[object, tuple[datetime, datetime | None, Lack] | None] = {}
    found = []
    for lot_id, situation in after.lots.items():
        if lot_id not in before.lots or situation.retired_at:
            continue
        kind = (before.own(lot_id), after.own(lot_id), before.lots[lot_id], situation)
        if kind not in known:
            known[kind] = _first_gap(before, after, lot_id, since)
        gap = known[kind]
        if gap:
            start, end, lacks = gap
            found.append(UnpricedLot(lot_id=lot_id, from_=start, to=end, lacks=lacks))
    return sorted(found, key=lambda each: (each.from_, each.lot_id))


def _first_gap(
    before: Coverage, after: Coverage, lot_id: str, since: datetime
) -> tuple[datetime, datetime | None, Lack] | None:
    turns = before.turns(lot_id) | after.turns(lot_id)
    times = [since, *sorted(at for at in turns if at > since)]
    for place, at in enumerate(times):
        lack = after.lack(lot_id, at)
        if lack and before.lack(lot_id, at) is None:
            rest = times[place + 1 :]
            end = next((each for each in rest if after.lack(lot_id, each) is None), None)
            return at, end, lack
    return None


async def require_prices(
    act: Act, before: Coverage, subject: str, *, allowed: bool
) -> UnpricedLots:
    """Refuse an act that leaves lots without a price, unless that is allowed.

    Args:
        act: Who changes it, when and why; the change is made.
        before: As it was before the change.
        subject: What the audit calls what was changed.
        allowed: Whether lots may be left without a price.

    Returns:
        The lots that have lost their price.

    Raises:
        LeavesUnpricedError: There are some, and `allowed` is not set.
    """
    found = newly_unpriced(before, await read(act.db), act.at)
    sentences = [described(each) for each in found[:MOST_NAMED]]
    if found and not allowed:
        raise LeavesUnpricedError(len(found), sentences)
    if found:
        act.keep("price.leave", subject, None, {"lots": len(found), "named": sentences})
    return answer(found)


def described(lot: UnpricedLot) -> str:
    """Return a sentence about a lot without price."""
    until = f" to {lot.to.isoformat()}" if lot.to else " on"
    why = "no zone contains it" if lot.lacks == "zone" else "no tariff prices its zone and type"
    return f"{lot.lot_id} from {lot.from_.isoformat()}{until}: {why}"


def answer(lots: Sequence[UnpricedLot]) -> UnpricedLots:
    """Return the answer: how many lots lost their price, which, and from when on."""
    return UnpricedLots(
        lots=len(lots),
        from_=lots[0].from_ if lots else None,
        items=list(lots[:MOST_NAMED]),
    )
