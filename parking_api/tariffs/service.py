"""Tariff commands: draft, change, submit, approve, publish and withdraw versions.

No two versions ever price one thing at one time, and no lot loses its price unless somebody says
so. Once a version has left its draft, only its progress changes.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import asyncpg

import pricing
from parking_api.decisions import service as decisions
from parking_api.errors import ApiError
from parking_api.people.service import require_standing
from parking_api.price_controls import service as price_controls
from parking_api.price_controls.service import Target
from parking_api.quotes import coverage
from parking_api.quotes.models import UnpricedLots
from parking_api.quotes.prices import Prices
from parking_api.tariffs import queries
from parking_api.tariffs.documents import checked, columns
from parking_api.tariffs.errors import (
    EffectiveTimesError,
    EffectsOverlapError,
    TargetUnknownError,
    TariffExistsError,
    TariffUnknownError,
    VersionStateError,
)
from parking_api.tariffs.key import Key
from parking_api.tariffs.models import (
    BureauVersion,
    EffectiveVersion,
    NewTariff,
    NewVersion,
    Publication,
    Schedule,
    Submission,
    WithdrawalOf,
)
from parking_api.worker import off_loop
from parking_api.workflow import Act, NotTheDrafterError, Step, Workflow, change, in_words
from sql.engine import AdvisoryLock, Db, Transaction, lock, undone
from sql.kinds import APPROVER, DRAFTER

ON_STREET: Final = "on_street"


async def version(db: Db, key: Key, at: datetime, *, include_drafts: bool) -> BureauVersion:
    """Read one version with its state at a time.

    Raises:
        TariffUnknownError: There is none, or it was never published and `include_drafts` is not
            set.
    """
    for found in await queries.versions(
        db,
        at,
        tariff_id=key.tariff_id,
        version=key.version,
        include_drafts=include_drafts,
        most=1,
    ):
        return found
    raise TariffUnknownError


async def _locked(db: Transaction, key_at: tuple[Key, datetime]) -> BureauVersion:
    """Lock a version and read it: all steps but `change`, which writes it anew, read it once."""
    key, at = key_at
    if await queries.lock_version(db, key.tariff_id, key.version) is None:
        raise TariffUnknownError
    return await version(db, key, at, include_drafts=True)


def _wrong_state(version: BureauVersion, step: str, starts: Sequence[str]) -> ApiError:
    subject = f"Version {version.version} of {version.tariff_id}"
    if step.startswith("withdraw"):
        return VersionStateError(f"{subject} is {in_words(version.state)} already.")
    if "draft" in starts:
        return VersionStateError(
            f"{subject} is {in_words(version.stage)}, no draft any more: draft a new version."
        )
    return VersionStateError(f"{subject} is {in_words(version.stage)}, not {in_words(starts[0])}.")


def _not_drafter(_: BureauVersion, step: str) -> ApiError:
    if step == "withdraw":
        return NotTheDrafterError("Drafters withdraw their own versions, until they are published.")
    return NotTheDrafterError()


UNPUBLISHED: Final = ("draft", "in_review", "approved")
VERSIONS: Final = Workflow[tuple[Key, datetime], BureauVersion](
    kind="tariff",
    steps={
        "draft": [Step(DRAFTER, (), ("draft",))],
        "change": [Step(DRAFTER, ("draft",), ("draft",), "drafter")],
        "submit": [Step(DRAFTER, ("draft",), ("in_review",), "drafter")],
        "approve": [Step(APPROVER, ("in_review",), ("approved",), "second")],
        "publish": [Step(APPROVER, ("approved",), ("scheduled", "in_force"))],
        "withdraw": [
            Step(DRAFTER, UNPUBLISHED, ("withdrawn",), "drafter"),
            Step(APPROVER, UNPUBLISHED, ("withdrawn",)),
        ],
        # By two persons: see WITHDRAWAL.
        "withdraw_published": [Step(APPROVER, ("scheduled", "in_force"), ("withdrawn",))],
    },
    lock=_locked,
    authors=lambda version: (version.drafted_by, version.submitted_by),
    subject=lambda version: Key(version.tariff_id, version.version).subject,
    audited=lambda version: version,
    wrong_state=_wrong_state,
    not_drafter=_not_drafter,
)


async def draft_tariff(act: Act, new: NewTariff) -> BureauVersion:
    """Draft a new tariff: its version 1.

    Raises:
        TariffInvalidError: The document has faults.
        TargetUnknownError: It would apply to what is not there.
        TariffExistsError: Its id is taken.
    """
    tariff = await off_loop(checked, new.document)
    await _check_target(act.db, new.applies_to)
    if not await queries.add_tariff(act.db, tariff.id, act.person_id, act.at):
        raise TariffExistsError
    return await _add(act, Key(tariff.id, 1), new.document, new.applies_to)


async def draft_version(act: Act, tariff_id: str, new: NewVersion) -> BureauVersion:
    """Draft a further version of a tariff.

    Raises:
        TariffUnknownError: There is no such tariff, or no such version to go back to.
        TariffInvalidError: The document has faults.
        TargetUnknownError: It would apply to what is not there.
    """
    if not await queries.lock_tariff(act.db, tariff_id):
        raise TariffUnknownError
    newest = await queries.newest(act.db, tariff_id)
    model = await version(
        act.db, Key(tariff_id, new.copy_of or newest), act.at, include_drafts=True
    )
    document = new.document or model.document
    await off_loop(checked, document, tariff_id)
    target: Target = new.applies_to or model.applies_to
    await _check_target(act.db, target)
    return await _add(act, Key(tariff_id, newest + 1), document, target, new.copy_of)


async def _add(
    act: Act, key: Key, document: dict[str, Any], target: Target, copy_of: int | None = None
) -> BureauVersion:
    await queries.add_version(
        act.db,
        tariff_id=key.tariff_id,
        version=key.version,
        **columns(document, target),
        copy_of=copy_of,
        by=act.person_id,
        at=act.at,
    )
    drafted = await version(act.db, key, act.at, include_drafts=True)
    VERSIONS.keep(act, "draft", None, drafted)
    return drafted


async def change_draft(act: Act, key: Key, new: NewTariff) -> BureauVersion:
    """Write one's own draft anew.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is no draft any more.
        NotTheDrafterError: It is somebody else's.
        TariffInvalidError: The document has faults.
        TargetUnknownError: It would apply to what is not there.
    """
    async with change(act, VERSIONS, "change", (key, act.at)) as taken:
        await off_loop(checked, new.document, key.tariff_id)
        await _check_target(act.db, new.applies_to)
        await queries.change_draft(
            act.db,
            tariff_id=key.tariff_id,
            version=key.version,
            **columns(new.document, new.applies_to),
            at=act.at,
        )
        taken.after = await version(act.db, key, act.at, include_drafts=True)
    return taken.after


async def _check_target(db: Db, target: Target) -> None:
    if unknown := await queries.unknown_targets(db, target.zones, target.lots):
        raise TargetUnknownError(unknown)


async def submit(
    act: Act, key: Key, times: Submission
) -> tuple[BureauVersion, list[str], UnpricedLots]:
    """Hand one's own draft in for review: from here on it is immutable.

    What may still change until it is published is in the answer, and is no refusal.

    Args:
        act: Who does it, when and why.
        key: The version.
        times: When it is meant to be in force.

    Returns:
        The version; what stands in the way of publishing it then, as things are; and the lots
        that would lose their price by it.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is no draft any more.
        NotTheDrafterError: It is somebody else's.
        EffectiveTimesError: It would end before it begins.
        PriceControlError: It goes beyond the price control of that time.
    """
    start, end = max(times.effective_from or act.at, act.at), times.effective_to
    if end is not None and end <= start:
        raise EffectiveTimesError
    await lock(act.db, AdvisoryLock.TARIFFS)
    async with change(act, VERSIONS, "submit", (key, act.at)) as taken:
        before = taken.before
        await price_controls.check(act.db, before.tariff, before.applies_to, start, end)
        taken.after = await queries.settle(
            act.db, key.tariff_id, key.version, state="in_review", by=act.person_id, at=act.at
        )
    conflicts, unpriced = await _foreseen(act, before, start, end)
    return taken.after, conflicts, unpriced


async def _foreseen(
    act: Act, version: BureauVersion, start: datetime, end: datetime | None
) -> tuple[list[str], UnpricedLots]:
    """Publish and undo it, so that nothing is foreseen in another way than it comes."""
    before = await coverage.read(act.db)
    async with undone(act.db) as tried:
        try:
            await _take_over(tried, version, start, end)
        except EffectsOverlapError as error:
            return [fault.message for fault in error.faults], coverage.answer([])
        except VersionStateError as error:
            return [error.detail], coverage.answer([])
        after = await coverage.read(tried)
    return [], coverage.answer(coverage.newly_unpriced(before, after, act.at))


async def approve(act: Act, key: Key) -> BureauVersion:
    """Approve what is in review. Of two who approve at once, one wins.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is not in review, or not any more.
        SamePersonError: It was drafted or submitted by whoever approves.
        NotStandingError: Whoever submitted it has lost their role, or all keys.
    """
    async with change(act, VERSIONS, "approve", (key, act.at)) as taken:
        await require_standing(act, taken.before.submitted_by, DRAFTER)
        taken.after = await queries.settle(
            act.db, key.tariff_id, key.version, state="approved", by=act.person_id, at=act.at
        )
    return taken.after


async def publish(
    act: Act, key: Key, start: datetime, given: Publication | Schedule
) -> tuple[BureauVersion, UnpricedLots]:
    """Have an approved version price what it applies to.

    The tariff's version before ends then. What another tariff prices stays with it.

    Args:
        act: Who does it, when and why.
        key: The version.
        start: When it comes into force: now or later.
        given: When it ends; whether lots may lose their price by it, where it ends, or prices less
            than the version before; and who issues its notice.

    Returns:
        The version, and the lots that lose their price.

    Raises:
        TariffUnknownError: There is no such version.
        EffectiveTimesError: `start` lies in the past, or `end` not after it.
        VersionStateError: It is not approved, or published already; or a newer one is.
        PriceControlError: It goes beyond the price control.
        EffectsOverlapError: Another version prices the same then.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    end, office = given.effective_to, given.issuing_office
    if start < act.at or (end is not None and end <= start):
        raise EffectiveTimesError
    await lock(act.db, AdvisoryLock.TARIFFS)
    async with change(act, VERSIONS, "publish", (key, act.at)) as taken:
        version = taken.before
        await price_controls.check(act.db, version.tariff, version.applies_to, start, end)
        before = await coverage.read(act.db)
        await _take_over(act.db, version, start, end)
        taken.after = await queries.settle(
            act.db,
            key.tariff_id,
            key.version,
            state="published",
            by=act.person_id,
            at=act.at,
            office_zh=office.zh if office else None,
            office_en=office.en if office else None,
            document_number=given.document_number,
            issued_on=given.issued_on,
        )
    unpriced = await coverage.require_prices(
        act, before, key.subject, allowed=given.leaves_unpriced
    )
    return taken.after, unpriced


async def _take_over(
    db: Transaction, version: BureauVersion, start: datetime, end: datetime | None
) -> None:
    if later := await queries.later_versions(db, version.tariff_id, start):
        numbers = ", ".join(map(str, later))
        raise VersionStateError(
            f"Version {numbers} of {version.tariff_id} comes into force then or later: withdraw "
            "it first."
        )
    # What two persons have agreed on since holds: one alone does not go back behind it.
    if newer := await queries.newer_versions(db, version.tariff_id, version.version):
        numbers = ", ".join(map(str, newer))
        raise VersionStateError(
            f"Version {numbers} of {version.tariff_id} was drafted after it, and is published: to "
            "go back, draft a copy of this one as a new version."
        )
    await queries.cut_effects(db, version.tariff_id, start)
    others = await queries.overlapping(
        db,
        zones=version.applies_to.zones,
        lot_types=version.applies_to.lot_types,
        lots=version.applies_to.lots,
        starts_at=start,
        ends_at=end,
    )
    if others:
        raise EffectsOverlapError(others)
    try:
        await queries.add_effects(
            db,
            tariff_id=version.tariff_id,
            version=version.version,
            zones=version.applies_to.zones,
            lot_types=version.applies_to.lot_types,
            lots=version.applies_to.lots,
            starts_at=start,
            ends_at=end,
        )
    except asyncpg.ExclusionViolationError as error:
        # Only somebody who does not take the lock can come in between.
        raise EffectsOverlapError from error


async def withdraw(act: Act, key: Key) -> BureauVersion:
    """Give up a version that was never published.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is published or withdrawn already.
        NotTheDrafterError: It takes an approver: it is somebody else's.
    """
    async with change(act, VERSIONS, "withdraw", (key, act.at)) as taken:
        taken.after = await queries.settle(
            act.db, key.tariff_id, key.version, state="withdrawn", by=act.person_id, at=act.at
        )
    return taken.after


async def _withdraw_published(act: Act, given: WithdrawalOf) -> EffectiveVersion:
    """Withdraw a published version.

    One that is scheduled never comes into force, and the version before goes on; so does one whose
    start is held back by a suspension. One in force ends now, and nothing of the tariff follows it.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is not published, or superseded or withdrawn already.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    key = Key(given.tariff_id, given.version)
    await lock(act.db, AdvisoryLock.TARIFFS)
    async with change(act, VERSIONS, "withdraw_published", (key, act.at)) as taken:
        before = await coverage.read(act.db)
        if gone := await queries.remove_effects(act.db, key.tariff_id, key.version, act.at):
            await queries.restore_effects(act.db, key.tariff_id, gone[0])
        await queries.cut_effects(act.db, key.tariff_id, act.at, key.version)
        taken.after = await queries.settle(
            act.db, key.tariff_id, key.version, state="withdrawn", by=act.person_id, at=act.at
        )
    unpriced = await coverage.require_prices(
        act, before, key.subject, allowed=given.leaves_unpriced
    )
    return EffectiveVersion.model_construct(**dict(taken.after), unpriced=unpriced)


WITHDRAWAL: Final = decisions.declare("tariff.withdraw", WithdrawalOf, _withdraw_published)


async def findings(
    db: Db, prices: Prices, tariff: pricing.Tariff, target: Target | None, now: datetime
) -> list[pricing.Lint]:
    """Look a tariff over, errors first.

    Args:
        db: A connection.
        prices: The published tariffs: one for off-street lots is held against its zones' on-street
            one.
        tariff: The document.
        target: What it is meant for; the price control of that holds.
        now: Its year is looked at.
    """
    ceilings: Sequence[pricing.Ceiling] = []
    on_street = None
    if target is not None:
        ceilings = await price_controls.ceilings_of(db, tariff, target, now)
        if ON_STREET not in target.lot_types:
            on_street = prices.tariff_of_zones(target.zones, ON_STREET, now)
    days = map(date.fromisoformat, prices.calendar.holidays)
    return await price_controls.looked_over(
        pricing.lint,
        tariff,
        year=now.year,
        calendar=prices.calendar,
        ceilings=ceilings,
        on_street=on_street,
        # What a tariff's own calendar forgets, of the moon's holidays too.
        public_holidays=[day for day in days if day.year == now.year],
    )
