"""Price mechanism commands: draft, approve, freeze, resume, review and retire."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from parking_api.mechanisms.models import (
    BureauMechanism,
    Mode,
    ProposalAnswer,
    ReviewAnswer,
    TargetShares,
)
from parking_api.mechanisms.tariff import check_control, check_limits, in_force, target_of
from parking_api.models import LotType, Name
from parking_api.people.service import require_standing
from parking_api.tariffs import service as tariffs
from parking_api.tariffs.key import Key
from parking_api.tariffs.models import BureauVersion, NewVersion
from parking_api.workflow import Act, NotTheDrafterError, Step, Workflow, change, in_words
from parking_api.zones import queries as zone_queries
from pricing.mechanism import Mechanism, Proposal, moved, review_tariff
from sql.engine import AdvisoryLock, Db, Transaction, lock
from sql.kinds import APPROVER, DRAFTER, OPERATIONS


async def mechanism(db: Db, mechanism_id: str, *, include_drafts: bool) -> BureauMechanism:
    """Read one mechanism.

    Raises:
        MechanismUnknownError: There is none, or it was never approved and drafts do not count.
    """
    for found in await queries.mechanisms(
        db, include_drafts=include_drafts, mechanism_id=mechanism_id
    ):
        return found
    raise MechanismUnknownError


async def _locked(db: Transaction, mechanism_id: str) -> BureauMechanism:
    if await queries.lock(db, mechanism_id) is None:
        raise MechanismUnknownError
    return await mechanism(db, mechanism_id, include_drafts=True)


def _wrong_state(mechanism: BureauMechanism, _: str, starts: Sequence[str]) -> ApiError:
    return MechanismStateError(
        f"{mechanism.mechanism_id} is {in_words(mechanism.state)}, "
        f"not {' or '.join(map(in_words, starts))}."
    )


def _not_drafter(_: BureauMechanism, step: str) -> ApiError:
    if step == "retire":
        return NotTheDrafterError("Drafters retire their own mechanisms, until they are approved.")
    return NotTheDrafterError()


MECHANISMS: Final = Workflow[str, BureauMechanism](
    kind="mechanism",
    steps={
        "draft": [Step(DRAFTER, (), ("draft",))],
        "change": [Step(DRAFTER, ("draft",), ("draft",), "drafter")],
        "approve": [Step(APPROVER, ("draft",), ("approved",), "second")],
        "freeze": [Step(APPROVER, ("approved",), ("approved",))],
        "resume": [Step(APPROVER, ("approved",), ("approved",))],
        "retire": [
            Step(DRAFTER, ("draft",), ("retired",), "drafter"),
            Step(APPROVER, ("draft", "approved"), ("retired",)),
        ],
    },
    lock=_locked,
    authors=lambda mechanism: (mechanism.drafted_by,),
    subject=lambda mechanism: f"mechanism/{mechanism.mechanism_id}",
    audited=lambda mechanism: mechanism,
    wrong_state=_wrong_state,
    not_drafter=_not_drafter,
)


@dataclass(frozen=True)
class Reviewed:
    """A mechanism and one of its reviews, or the one that is about to be made.

    Attributes:
        mechanism: The mechanism.
        review: The review; None where it is not made yet.
        is_newest: Whether no other was made since.
    """

    mechanism: BureauMechanism
    review: ReviewAnswer | None = None
    is_newest: bool = True

    @property
    def made(self) -> ReviewAnswer:
        """The review.

        Raises:
            ReviewUnknownError: It is not made yet.
        """
        if self.review is None:
            raise ReviewUnknownError
        return self.review

    @property
    def state(self) -> str:
        """The mechanism's where that keeps the review from coming to anything; else its own."""
        if self.review is None or self.mechanism.state != "approved":
            return self.mechanism.state
        if self.mechanism.mode == "frozen":
            return "frozen"
        if not self.is_newest:
            return "superseded"
        return "drafted" if self.review.drafted else "open"


async def _locked_review(db: Transaction, key: tuple[str, int | None]) -> Reviewed:
    """Lock a mechanism, and read one of its reviews, or none."""
    mechanism_id, number = key
    mechanism = await _locked(db, mechanism_id)
    if number is None:
        return Reviewed(mechanism)
    found = await one_review(db, mechanism_id, number)
    (newest,) = await queries.reviews(db, mechanism_id, most=1)
    return Reviewed(mechanism, found, newest.number == found.number)


def _wrong_review_state(reviewed: Reviewed, step: str, starts: Sequence[str]) -> ApiError:
    mechanism, found = reviewed.mechanism, reviewed.review
    if found is None:
        return _wrong_state(mechanism, step, starts)
    if reviewed.state == "superseded":
        return ReviewStateError(
            f"Review {found.number} is not the newest: prices are held by that one."
        )
    if reviewed.state == "drafted" and found.drafted:
        drafted = f"version {found.drafted.version} of {found.tariff_id}"
        return ReviewStateError(f"From review {found.number}, {drafted} was drafted already.")
    return ReviewStateError(f"{mechanism.mechanism_id} is {in_words(reviewed.state)}.")


def _audited_review(reviewed: Reviewed) -> dict[str, object] | None:
    """Return what moves prices; the review itself has the rest."""
    review = reviewed.review
    if review is None:
        return None
    return {
        "tariff_id": review.tariff_id,
        "version": review.version,
        "drafted_version": review.drafted and review.drafted.version,
        "proposals": review.proposals,
    }


def _review_subject(reviewed: Reviewed) -> str:
    number = f"/{reviewed.review.number}" if reviewed.review else ""
    return f"mechanism/{reviewed.mechanism.mechanism_id}{number}"


# By the mechanism's id and the review's number.
REVIEWS: Final = Workflow[tuple[str, int | None], Reviewed](
    kind="mechanism",
    steps={
        "review": [
            Step(role, ("approved",), ("open", "frozen"))
            for role in (DRAFTER, APPROVER, OPERATIONS)
        ],
        "draft_version": [Step(DRAFTER, ("open",), ("drafted",))],
    },
    lock=_locked_review,
    authors=lambda _: (),
    subject=_review_subject,
    audited=_audited_review,
    wrong_state=_wrong_review_state,
)


async def draft(act: Act, new: Mechanism) -> BureauMechanism:
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


async def change_draft(act: Act, mechanism_id: str, new: Mechanism) -> BureauMechanism:
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


async def approve(act: Act, mechanism_id: str) -> BureauMechanism:
    """Approve a draft: it may be reviewed from then on.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is no draft any more.
        SamePersonError: It was drafted by whoever approves.
        NotStandingError: Whoever drafted it has lost their role, or all keys.
        MechanismUnfitError: It fits neither tariff nor price control.
        MechanismsOverlapError: Another moves one of its prices already.
    """
    # Neither tariff nor price control changes meanwhile.
    await lock(act.db, AdvisoryLock.TARIFFS)
    async with change(act, MECHANISMS, "approve", mechanism_id) as taken:
        await require_standing(act, taken.before.drafted_by, DRAFTER)
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


async def set_mode(act: Act, mechanism_id: str, mode: Mode) -> BureauMechanism:
    """Freeze an approved mechanism, or let it go on.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is not approved, or in that mode already.
    """
    step = "freeze" if mode == "frozen" else "resume"
    async with change(act, MECHANISMS, step, mechanism_id) as taken:
        if taken.before.mode == mode:
            now = "frozen already" if mode == "frozen" else "not frozen"
            raise MechanismStateError(f"{mechanism_id} is {now}.")
        taken.after = await queries.settle(act.db, mechanism_id, mode=mode)
    return taken.after


async def retire(act: Act, mechanism_id: str) -> BureauMechanism:
    """End a mechanism for good, or give a draft up. Prices stay.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is retired already.
        NotTheDrafterError: It takes an approver: it is approved, or somebody else's draft.
    """
    async with change(act, MECHANISMS, "retire", mechanism_id) as taken:
        await queries.remove_targets(act.db, mechanism_id)
        taken.after = await queries.settle(
            act.db, mechanism_id, state="retired", retired_by=act.person_id, retired_at=act.at
        )
    return taken.after


async def review(act: Act, mechanism_id: str, calendar: pricing.Calendar) -> ReviewAnswer:
    """Review a mechanism's prices as of `act.at`, and record what its rule proposes.

    No money changes: that takes a tariff version, drafted from the review and approved.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is not approved.
        MechanismUnfitError: It does not fit the tariff that is in force now.
    """
    async with change(act, REVIEWS, "review", (mechanism_id, None)) as taken:
        mechanism = taken.before.mechanism.mechanism
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
        taken.after = replace(taken.before, review=added)
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
        target=TargetShares(lower=given.band.lower, upper=given.band.upper),
        rests=TargetShares(lower=given.rest.lower, upper=given.rest.upper),
        rule=given.rule,
        before_minor=given.before_minor,
        after_minor=given.after_minor,
        reason=given.reason,
        text=Name(zh=given.text.zh, en=given.text.en),
    )


async def one_review(db: Db, mechanism_id: str, number: int) -> ReviewAnswer:
    """Read one review.

    Raises:
        ReviewUnknownError: There is none.
    """
    for found in await queries.reviews(db, mechanism_id, most=1, number=number):
        return found
    raise ReviewUnknownError


async def draft_version(act: Act, mechanism_id: str, number: int) -> BureauVersion:
    """Draft a tariff version with what a review proposes.

    Raises:
        MechanismUnknownError: There is no such mechanism.
        ReviewUnknownError: There is no such review.
        ReviewStateError: It is not the newest, or has been drafted from, or proposes no change, or
            prices have changed since, or the mechanism is frozen or retired.
        MechanismUnfitError: The mechanism does not fit the tariff any more.
    """
    async with change(act, REVIEWS, "draft_version", (mechanism_id, number)) as taken:
        drafted = await _draft_moved(act, taken.before.mechanism.mechanism, taken.before.made)
        noted = await queries.note_draft(
            act.db,
            mechanism_id=mechanism_id,
            number=number,
            version=drafted.version,
            by=act.person_id,
            at=act.at,
        )
        taken.after = replace(taken.before, review=noted)
    return drafted


async def _draft_moved(act: Act, mechanism: Mechanism, review: ReviewAnswer) -> BureauVersion:
    now = await in_force(act.db, mechanism, act.at)
    if now.key != Key(review.tariff_id, review.version):
        raise ReviewStateError(f"Since review {review.number} another version has come into force.")
    changes = _changes(review)
    if not changes:
        raise ReviewStateError(f"Review {review.number} proposes no change.")
    document = moved(now.document, now.periods, changes)
    new = NewVersion(document=document, applies_to=target_of(mechanism), reason=act.reason or "")
    return await tariffs.draft_version(act, now.key.tariff_id, new)


def _changes(review: ReviewAnswer) -> dict[tuple[str, str | None], int]:
    """By how much a review moves the price of each time band and season, where it does."""
    found = {
        (each.time_band, each.season): each.after_minor - each.before_minor
        for each in review.proposals
    }
    return {which: by for which, by in found.items() if by}
