"""Zone commands: draft, change, check, publish, withdraw and end.

No two zones in force ever overlap, and no lot loses its price unless the request allows it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypedDict

from parking_api.decisions import service as decisions
from parking_api.errors import ApiError
from parking_api.people.service import require_standing
from parking_api.quotes import coverage
from parking_api.quotes.models import UnpricedLots
from parking_api.workflow import Act, NotTheDrafterError, Step, Workflow, change, in_words
from parking_api.zones import queries
from parking_api.zones.errors import (
    ZoneDraftUnknownError,
    ZoneExistsError,
    ZonesOverlapError,
    ZoneStateError,
    ZoneTimesError,
    ZoneUnknownError,
)
from parking_api.zones.models import (
    DrawnDraft,
    DrawnZone,
    EndedZone,
    EndOf,
    NewZone,
    PublishedZone,
    ZoneBody,
    ZoneFacts,
)
from parking_api.zones.queries import Overlap
from sql.engine import AdvisoryLock, Db, Transaction, lock, undone
from sql.kinds import APPROVER, DRAFTER

# Less than a bay of 2.5 m by 5 m.
OVERLAP_TOLERANCE_M2: Final = 10.0
# A border of many kilometres that two wrote down with seven decimals, a centimetre each.
BORDER_WIDTH_M: Final = 0.1


async def zone_at(db: Db, zone_id: str, at: datetime) -> DrawnZone:
    """Read one zone.

    Raises:
        ZoneUnknownError: There is none of that id in force at `at`.
    """
    for zone in await queries.zones_at(db, at, zone_id):
        return zone
    raise ZoneUnknownError


async def draft(db: Transaction, zone_id: str) -> DrawnDraft:
    """Read one draft and lock it until the transaction ends.

    Raises:
        ZoneDraftUnknownError: There is none of that id.
    """
    if found := await queries.draft(db, zone_id):
        return found
    raise ZoneDraftUnknownError


async def _published(db: Transaction, zone_id: str) -> PublishedZone:
    if found := await queries.published(db, zone_id):
        return found
    raise ZoneUnknownError("There is no such zone.")


def _wrong_state(zone: DrawnDraft | PublishedZone, *_: object) -> ApiError:
    return ZoneStateError(f"{zone.zone_id} is {in_words(zone.state)} already.")


def _not_drafter(_: DrawnDraft, step: str) -> ApiError:
    if step == "withdraw":
        return NotTheDrafterError("Drafters withdraw their own drafts of zones.")
    return NotTheDrafterError()


def _subject(zone: ZoneFacts) -> str:
    return f"zone/{zone.zone_id}"


def _audited(zone: ZoneFacts) -> dict[str, Any]:
    """Return what the audit keeps: all but the corners, for which area and digest stand."""
    facts = zone.model_dump(exclude={"name", "geometry"})
    return facts | {"name_zh": zone.name.zh, "name_en": zone.name.en}


DRAFTS: Final = Workflow[str, DrawnDraft](
    kind="zone",
    steps={
        "draft": [Step(DRAFTER, (), ("draft",))],
        "change": [Step(DRAFTER, ("draft",), ("draft",), "drafter")],
        "withdraw": [
            Step(DRAFTER, ("draft",), ("withdrawn",), "drafter"),
            Step(APPROVER, ("draft",), ("withdrawn",)),
        ],
        "publish": [Step(APPROVER, ("draft",), ("published",), "second")],
    },
    lock=draft,
    authors=lambda draft: (draft.drafted_by,),
    subject=_subject,
    audited=_audited,
    wrong_state=_wrong_state,
    not_drafter=_not_drafter,
)
# What drafts become.
ZONES: Final = Workflow[str, PublishedZone](
    kind="zone",
    steps={"end": [Step(APPROVER, ("published",), ("published",))]},
    lock=_published,
    authors=lambda _: (),
    subject=_subject,
    audited=_audited,
    wrong_state=_wrong_state,
)


async def add_draft(act: Act, new: NewZone) -> DrawnDraft:
    """Add a draft of a zone.

    Raises:
        ZoneExistsError: Its id is taken.
    """
    added = await queries.add_draft(
        act.db, zone_id=new.zone_id, **_columns(new), by=act.person_id, at=act.at
    )
    if added is None:
        raise ZoneExistsError
    DRAFTS.keep(act, "draft", None, added)
    return added


async def change_draft(act: Act, zone_id: str, body: ZoneBody) -> DrawnDraft:
    """Replace the content of one's own draft.

    Raises:
        ZoneDraftUnknownError: There is none.
        ZoneStateError: It is published or withdrawn.
        NotTheDrafterError: It is somebody else's.
    """
    async with change(act, DRAFTS, "change", zone_id) as taken:
        taken.after = await queries.change_draft(
            act.db, zone_id=zone_id, **_columns(body), at=act.at
        )
    return taken.after


class _Columns(TypedDict):
    name_zh: str
    name_en: str
    zone_class: int
    valid_from: datetime
    valid_to: datetime | None
    replaces: list[str]
    ewkb: bytes


def _columns(body: ZoneBody) -> _Columns:
    return {
        "name_zh": body.name.zh,
        "name_en": body.name.en,
        "zone_class": body.zone_class,
        "valid_from": body.valid_from,
        "valid_to": body.valid_to,
        "replaces": list(dict.fromkeys(body.replaces)),
        "ewkb": body.geometry.ewkb,
    }


async def withdraw_draft(act: Act, zone_id: str) -> DrawnDraft:
    """Withdraw a draft.

    Raises:
        ZoneDraftUnknownError: There is none.
        ZoneStateError: It is published or withdrawn.
        NotTheDrafterError: It takes an approver: it is somebody else's.
    """
    async with change(act, DRAFTS, "withdraw", zone_id) as taken:
        taken.after = await queries.settle_draft(act.db, zone_id, "withdrawn")
    return taken.after


async def publish(
    act: Act, zone_ids: Sequence[str], *, leaves_unpriced: bool
) -> tuple[list[DrawnDraft], UnpricedLots]:
    """Put drafts in force from their `valid_from` on, all at once.

    Args:
        act: Who does it, when and why.
        zone_ids: The drafts.
        leaves_unpriced: Whether lots may lose their price by it.

    Returns:
        The drafts, published, and the lots that lose their price.

    Raises:
        ZoneDraftUnknownError: One is not there.
        SamePersonError: One was drafted by whoever publishes.
        NotStandingError: Whoever drafted one has lost their role, or all keys.
        ZoneStateError: One is published or withdrawn already.
        ZoneTimesError: One would begin in the past, or replace what is not there to be replaced.
        ZoneExistsError: There is a zone of that id, which came in by import.
        ZonesOverlapError: Two zones would overlap.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    await lock(act.db, AdvisoryLock.TARIFFS)
    before = await coverage.read(act.db)
    published = []
    # In one order, so that two that publish never wait for each other.
    for zone_id in sorted(set(zone_ids)):
        async with change(act, DRAFTS, "publish", zone_id) as taken:
            await require_standing(act, taken.before.drafted_by, DRAFTER)
            await _put_in_force(act, taken.before)
            taken.after = await queries.settle_draft(
                act.db, zone_id, "published", act.person_id, act.at
            )
        published.append(taken.after)
    await check_overlaps(act.db, [each.zone_id for each in published])
    await queries.move_lots(act.db, act.at)
    unpriced = await coverage.require_prices(
        act, before, f"zone/{zone_ids[0]}", allowed=leaves_unpriced
    )
    return published, unpriced


async def _put_in_force(act: Act, draft: DrawnDraft) -> None:
    if draft.valid_from < act.at:
        raise ZoneTimesError(f"{draft.zone_id} would begin in the past: draft it for a time ahead.")
    for old in draft.replaces:
        try:
            await _end(act, old, draft.valid_from)
        except (ZoneUnknownError, ZoneTimesError) as error:
            raise ZoneTimesError(
                f"{draft.zone_id} replaces {old}, which is not in force when it begins."
            ) from error
    if await queries.put_in_force(act.db, draft.zone_id) is None:
        raise ZoneExistsError


async def _end(act: Act, zone_id: str, valid_to: datetime) -> PublishedZone:
    async with change(act, ZONES, "end", zone_id) as taken:
        if valid_to < act.at:
            raise ZoneTimesError("A zone ends now or later, not in the past.")
        ended = await queries.end_zone(act.db, zone_id, valid_to)
        if ended is None:
            raise ZoneTimesError("A zone ends after it begins, and no later than it would anyway.")
        taken.after = ended
    return ended


async def _end_alone(act: Act, given: EndOf) -> EndedZone:
    """End a published zone.

    Raises:
        ZoneUnknownError: It is not there.
        ZoneTimesError: It would end in the past, or before it begins, or has ended before.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    await lock(act.db, AdvisoryLock.TARIFFS)
    priced = await coverage.read(act.db)
    ended = await _end(act, given.zone_id, given.valid_to)
    await queries.move_lots(act.db, act.at)
    unpriced = await coverage.require_prices(
        act, priced, _subject(ended), allowed=given.leaves_unpriced
    )
    return EndedZone.model_construct(**dict(ended), unpriced=unpriced)


# By two persons.
END: Final = decisions.declare("zone.end", EndOf, _end_alone)


async def check(
    db: Transaction, zone_ids: Sequence[str], at: datetime
) -> tuple[list[Overlap], int, UnpricedLots]:
    """Return what would happen if drafts were published at `at`.

    It publishes them and undoes that, so that the check and the publication never differ.

    Args:
        db: Stays as it was.
        zone_ids: The draft, and those that would be published with it.
        at: Now.

    Returns:
        The overlaps, the number of lots in the draft, and the lots that would lose their price.

    Raises:
        ZoneDraftUnknownError: One is not there.
        ZoneStateError: One is published or withdrawn already.
        ZoneExistsError: There is a zone of that id, which came in by import.
    """
    await lock(db, AdvisoryLock.TARIFFS)
    before = await coverage.read(db)
    lots = await queries.lots_within(db, zone_ids[0])
    async with undone(db) as tried:
        for zone_id in sorted(set(zone_ids)):
            found = await draft(tried, zone_id)
            if found.state != "draft":
                raise _wrong_state(found)
            for old in found.replaces:
                await queries.end_zone(tried, old, found.valid_from)
            if await queries.put_in_force(tried, zone_id) is None:
                raise ZoneExistsError
        overlaps = await _overlaps(tried, zone_ids)
        after = await coverage.read(tried)
    return overlaps, lots, coverage.answer(coverage.newly_unpriced(before, after, at))


async def check_overlaps(db: Transaction, zone_ids: Sequence[str]) -> None:
    """Refuse zones that overlap others; call it where they were written, under the lock.

    Raises:
        ZonesOverlapError: Two share more than `OVERLAP_TOLERANCE_M2` at the same time, strips
            along a border apart.
    """
    if found := await _overlaps(db, zone_ids):
        raise ZonesOverlapError(found)


async def _overlaps(db: Db, zone_ids: Sequence[str]) -> list[Overlap]:
    return await queries.overlaps(db, list(zone_ids), OVERLAP_TOLERANCE_M2, BORDER_WIDTH_M)
