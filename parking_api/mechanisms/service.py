"""What is done with price mechanisms: drafted, approved, reviewed again and again, retired."""

import json
import math
from typing import Any, Final, TypedDict

import pricing
from parking_api.errors import ApiError
from parking_api.mechanisms import history, queries
from parking_api.mechanisms.errors import (
    MechanismExistsError,
    MechanismsOverlapError,
    MechanismStateError,
    MechanismUnfitError,
    MechanismUnknownError,
    ReviewStateError,
    ReviewUnknownError,
)
from parking_api.mechanisms.models import MechanismAnswer, ProposalAnswer, Target
from parking_api.mechanisms.queries import Mode, Review, StoredMechanism
from parking_api.mechanisms.tariff import check_control, check_limits, in_force, target_of
from parking_api.models import LotType, Name
from parking_api.tariffs import service as tariffs
from parking_api.tariffs.key import Key
from parking_api.tariffs.models import NewVersion
from parking_api.tariffs.queries import Version
from parking_api.workflow import Act, NotTheDrafterError, Step, Workflow, change
from parking_api.zones import queries as zone_queries
from pricing.mechanism import Mechanism, Proposal, moved, review_tariff
from sql.engine import AdvisoryLock, Db, Transaction, lock


async def mechanism(db: Db, mechanism_id: str, *, include_drafts: bool) -> StoredMechanism:
    """Read one mechanism.

    Raises:
        MechanismUnknownError: There is none, or it was never approved and drafts do not count.
    """
    for found in await queries.mechanisms(
        db, include_drafts=include_drafts, mechanism_id=mechanism_id
    ):
        return found
    raise MechanismUnknownError


async def _locked(db: Transaction, mechanism_id: str) -> StoredMechanism:
    if found := await queries.mechanism(db, mechanism_id):
        return found
    raise MechanismUnknownError


def _subject(mechanism: StoredMechanism) -> str:
    return f"mechanism/{mechanism.mechanism_id}"


def _wrong_state(mechanism: StoredMechanism, step: Step) -> ApiError:
    starts = " or ".join(step.starts)
    return MechanismStateError(f"{mechanism.mechanism_id} is {mechanism.state}, not {starts}.")


MECHANISMS: Final = Workflow[str, StoredMechanism](
    kind="mechanism",
    steps={
        "draft": Step(ends="draft"),
        "change": Step(("draft",), by="drafter"),
        "approve": Step(("draft",), "approved", by="second"),
        "freeze": Step(("approved",)),
        "resume": Step(("approved",)),
        "review": Step(("approved",)),
        "retire": Step(("draft", "approved"), "retired"),
    },
    lock=_locked,
    subject=_subject,
    audited=MechanismAnswer.model_validate,
    wrong_state=_wrong_state,
)


async def draft(act: Act, new: Mechanism) -> StoredMechanism:
    """Draft a mechanism.

    Raises:
        MechanismExistsError: Its id is taken.
        MechanismUnfitError: Its zone is not there, or its limits go beyond the price control.
    """
    await _check(act, new)
    added = await queries.add(
        act.db, mechanism_id=new.id, **_columns(new), by=act.person_id, at=act.at
    )
    if added is None:
        raise MechanismExistsError
    MECHANISMS.keep(act, "draft", None, added)
    return added


async def change_draft(act: Act, mechanism_id: str, new: Mechanism) -> StoredMechanism:
    """Write one's own draft anew.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is no draft any more, or it would get another id.
        NotTheDrafterError: It is somebody else's.
        MechanismUnfitError: Its zone is not there, or its limits go beyond the price control.
    """
    async with change(act, MECHANISMS, "change", mechanism_id) as taken:
        if new.id != mechanism_id:
            raise MechanismStateError(f"A mechanism keeps its id: it should be {mechanism_id}.")
        await _check(act, new)
        taken.after = await queries.change(
            act.db, mechanism_id=mechanism_id, **_columns(new), at=act.at
        )
    return taken.after


async def _check(act: Act, new: Mechanism) -> None:
    if await zone_queries.published(act.db, new.zone_id) is None:
        raise MechanismUnfitError(("zone_id", f"there is no zone {new.zone_id}"))
    await check_limits(act.db, new, act.at)


class _Columns(TypedDict):
    definition: str
    hash: str
    zone_id: str
    lot_types: list[LotType]
    mode: Mode


def _columns(new: Mechanism) -> _Columns:
    definition = _definition(new)
    return {
        "definition": _text(definition),
        "hash": pricing.content_hash(definition),
        "zone_id": new.zone_id,
        "lot_types": sorted(set(new.lot_types)),
        "mode": new.mode,
    }


def _definition(mechanism: Mechanism) -> dict[str, Any]:
    """A mechanism in JSON's types, every field written out."""
    return mechanism.model_dump(mode="json", by_alias=True)


def _text(given: object) -> str:
    return json.dumps(given, ensure_ascii=False, allow_nan=False)


async def approve(act: Act, mechanism_id: str) -> StoredMechanism:
    """Approve a draft: it may be reviewed from then on.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is no draft any more.
        SamePersonError: It was drafted by whoever approves.
        MechanismUnfitError: It fits neither tariff nor price control.
        MechanismsOverlapError: Another moves one of its prices already.
    """
    # Neither tariff nor price control changes meanwhile.
    await lock(act.db, AdvisoryLock.TARIFFS)
    async with change(act, MECHANISMS, "approve", mechanism_id) as taken:
        given = taken.before.mechanism
        now = await in_force(act.db, given, act.at)
        await check_control(act.db, given, now.tariff.currency, act.at)
        await queries.add_targets(act.db, mechanism_id)
        if others := await queries.targets_of_others(act.db, mechanism_id):
            raise MechanismsOverlapError(others)
        taken.after = await queries.settle(
            act.db,
            mechanism_id,
            state="approved",
            approved_by=act.person_id,
            approved_at=act.at,
        )
    return taken.after


async def set_mode(act: Act, mechanism_id: str, mode: Mode) -> StoredMechanism:
    """Freeze an approved mechanism, or let it go on.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is not approved, or in that mode already.
    """
    step = "freeze" if mode == "frozen" else "resume"
    async with change(act, MECHANISMS, step, mechanism_id) as taken:
        if taken.before.mode == mode:
            raise MechanismStateError(f"{mechanism_id} is {mode} already.")
        taken.after = await queries.settle(act.db, mechanism_id, mode=mode)
    return taken.after


async def retire(act: Act, mechanism_id: str, *, may_end: bool) -> StoredMechanism:
    """End a mechanism for good, or give a draft up. Prices stay.

    Args:
        act: Who does it, when and why.
        mechanism_id: Which.
        may_end: Whether whoever asks may retire what is approved, or another's draft.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is retired already.
        NotTheDrafterError: `may_end` is not set, and it is not a draft of their own.
    """
    async with change(act, MECHANISMS, "retire", mechanism_id) as taken:
        before = taken.before
        own_draft = before.state == "draft" and before.drafted_by == act.person_id
        if not (may_end or own_draft):
            raise NotTheDrafterError(
                "Drafters retire their own mechanisms, until they are approved."
            )
        await queries.remove_targets(act.db, mechanism_id)
        taken.after = await queries.settle(
            act.db, mechanism_id, state="retired", retired_by=act.person_id, retired_at=act.at
        )
    return taken.after


async def review(act: Act, mechanism_id: str, calendar: pricing.Calendar) -> Review:
    """Review a mechanism's prices as of `act.at`, and record what its rule proposes.

    No money changes: that takes a tariff version, drafted from the review and approved.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is not approved.
        MechanismUnfitError: It does not fit the tariff that is in force now.
    """
    stored = await _locked(act.db, mechanism_id)
    MECHANISMS.check(MECHANISMS.steps["review"], stored, act.person_id)
    mechanism = stored.mechanism
    now = await in_force(act.db, mechanism, act.at)
    seen = await history.read(act.db, mechanism, now, calendar, act.at)
    proposals = review_tariff(mechanism, now.periods, now.states, seen.readings, act.at)
    added = await queries.add_review(
        act.db,
        mechanism_id=mechanism_id,
        at=act.at,
        by=act.person_id,
        definition=_text(_definition(mechanism)),
        read_from=seen.start,
        read_to=seen.end,
        lots=seen.lots,
        tariff_id=now.key.tariff_id,
        version=now.key.version,
        proposals=_text([_proposal(each).model_dump(mode="json") for each in proposals]),
    )
    _keep(act, "review", added)
    return added


def _proposal(given: Proposal) -> ProposalAnswer:
    """What is kept of a proposal; an occupancy that is not known is null."""
    reading = given.reading
    return ProposalAnswer(
        time_band=reading.time_band,
        season=reading.season,
        occupancy=None if math.isnan(reading.occupancy) else reading.occupancy,
        coverage=reading.coverage,
        pressure=reading.pressure,
        pressure_beside=reading.pressure_beside,
        spaces=reading.spaces,
        target=Target(lower=given.band.lower, upper=given.band.upper),
        rests=Target(lower=given.rest.lower, upper=given.rest.upper),
        rule=given.rule,
        before_minor=given.before_minor,
        after_minor=given.after_minor,
        reason=given.reason,
        text=Name(zh=given.text.zh, en=given.text.en),
    )


def _keep(act: Act, step: str, review: Review) -> None:
    """Keep for the audit what moves prices; the review itself has the rest."""
    columns = ("tariff_id", "version", "drafted_version", "proposals")
    kept = {column: getattr(review, column) for column in columns}
    subject = f"mechanism/{review.mechanism_id}/{review.number}"
    act.keep(f"mechanism.{step}", subject, None, kept)


async def one_review(db: Db, mechanism_id: str, number: int) -> Review:
    """Read one review.

    Raises:
        ReviewUnknownError: There is none.
    """
    for found in await queries.reviews(db, mechanism_id, most=1, number=number):
        return found
    raise ReviewUnknownError


async def draft_version(act: Act, mechanism_id: str, number: int) -> Version:
    """Draft a tariff version with what a review proposes.

    Raises:
        MechanismUnknownError: There is no such mechanism.
        ReviewUnknownError: There is no such review.
        ReviewStateError: It is not the newest, or has been drafted from, or proposes no change, or
            prices have changed since, or the mechanism is frozen or retired.
        MechanismUnfitError: The mechanism does not fit the tariff any more.
    """
    stored = await _locked(act.db, mechanism_id)
    found = await one_review(act.db, mechanism_id, number)
    await _check_draftable(act.db, stored, found)
    mechanism = stored.mechanism
    now = await in_force(act.db, mechanism, act.at)
    if now.key != Key(found.tariff_id, found.version):
        raise ReviewStateError(f"Since review {number} another version has come into force.")
    changes = _changes(found)
    if not changes:
        raise ReviewStateError(f"Review {number} proposes no change.")
    document = moved(now.document, now.periods, changes)
    new = NewVersion(document=document, applies_to=target_of(mechanism), reason=act.reason or "")
    drafted = await tariffs.draft_version(act, now.key.tariff_id, new)
    noted = await queries.note_draft(
        act.db,
        mechanism_id=mechanism_id,
        number=number,
        version=drafted.version,
        by=act.person_id,
        at=act.at,
    )
    _keep(act, "draft_version", noted)
    return drafted


async def _check_draftable(db: Db, stored: StoredMechanism, found: Review) -> None:
    if (stored.state, stored.mode) != ("approved", "on"):
        raise ReviewStateError(f"{stored.mechanism_id} is {stored.state} and {stored.mode}.")
    (newest,) = await queries.reviews(db, stored.mechanism_id, most=1)
    if newest.number != found.number:
        raise ReviewStateError(
            f"Review {found.number} is not the newest: prices are held by that one."
        )
    if found.drafted_version:
        drafted = f"version {found.drafted_version} of {found.tariff_id}"
        raise ReviewStateError(f"From review {found.number}, {drafted} was drafted already.")


def _changes(review: Review) -> dict[tuple[str, str | None], int]:
    """By how much a review moves the price of each time band and season, where it does."""
    found = {
        (each["time_band"], each["season"]): each["after_minor"] - each["before_minor"]
        for each in review.proposals
    }
    return {which: by for which, by in found.items() if by}
