"""What is done with tariffs: versions drafted, submitted, approved, published and withdrawn.

No two versions ever price one thing at one time, and no lot loses its price unless somebody says
so. Once a version has left its draft, only its progress changes.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import asyncpg
import msgspec

import pricing
from parking_api.errors import ApiError
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
from parking_api.tariffs.models import BureauVersion, NewTariff, NewVersion, Submission
from parking_api.tariffs.queries import Stage, Version
from parking_api.worker import off_loop
from parking_api.workflow import Act, NotTheDrafterError, Step, Workflow, change
from sql.engine import AdvisoryLock, Db, Transaction, lock, undone

ON_STREET: Final = "on_street"


async def version(db: Db, key: Key, at: datetime, *, include_drafts: bool) -> Version:
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


async def _locked(db: Transaction, asked: tuple[Key, datetime]) -> Version:
    """Lock a version and read it, all of it: nothing of a change reads it a second time."""
    key, at = asked
    if found := await queries.locked(db, key.tariff_id, key.version, at):
        return found
    raise TariffUnknownError


def _wrong_state(version: Version, step: Step) -> ApiError:
    said = f"Version {version.version} of {version.tariff_id} is"
    if step.ends == "withdrawn":
        return VersionStateError(f"{said} {version.state} already.")
    if "draft" in step.starts:
        return VersionStateError(f"{said} {version.stage}, no draft any more: draft a new version.")
    return VersionStateError(f"{said} {version.stage}, not {step.starts[0].replace('_', ' ')}.")


VERSIONS: Final = Workflow[tuple[Key, datetime], Version](
    kind="tariff",
    steps={
        "draft": Step(ends="draft"),
        "change": Step(("draft",), by="drafter"),
        "submit": Step(("draft",), "in_review", by="drafter"),
        "approve": Step(("in_review",), "approved", by="second"),
        "publish": Step(("approved",), "published"),
        "withdraw": Step(("draft", "in_review", "approved", "scheduled", "in_force"), "withdrawn"),
    },
    lock=_locked,
    subject=lambda version: Key(version.tariff_id, version.version).subject,
    audited=BureauVersion.model_validate,
    wrong_state=_wrong_state,
)


async def draft_tariff(act: Act, new: NewTariff) -> Version:
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


async def draft_version(act: Act, tariff_id: str, new: NewVersion) -> Version:
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
    target: Target = new.applies_to or model
    await _check_target(act.db, target)
    return await _add(act, Key(tariff_id, newest + 1), document, target, new.copy_of)


async def _add(
    act: Act, key: Key, document: dict[str, Any], target: Target, copy_of: int | None = None
) -> Version:
    await queries.add_version(
        act.db,
        tariff_id=key.tariff_id,
        version=key.version,
        **columns(document, target),
        copy_of=copy_of,
        by=act.person_id,
        at=act.at,
    )
    drafted = await _locked(act.db, (key, act.at))
    VERSIONS.keep(act, "draft", None, drafted)
    return drafted


async def change_draft(act: Act, key: Key, new: NewTariff) -> Version:
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
        values = columns(new.document, new.applies_to)
        await queries.change_draft(
            act.db, tariff_id=key.tariff_id, version=key.version, **values, at=act.at
        )
        taken.after = msgspec.structs.replace(taken.before, **values, drafted_at=act.at)
    return taken.after


async def _check_target(db: Db, target: Target) -> None:
    if unknown := await queries.unknown_targets(db, target.zones, target.lots):
        raise TargetUnknownError(unknown)


async def submit(act: Act, key: Key, times: Submission) -> tuple[Version, list[str], UnpricedLots]:
    """Hand one's own draft in for review: from here on it is immutable.

    What time can mend until it is published is told, not refused.

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
        await price_controls.check(act.db, before.tariff, before, start, end)
        taken.after = await _settled(act, before, "in_review")
    conflicts, unpriced = await _foreseen(act, before, start, end)
    return taken.after, conflicts, unpriced


async def _settled(act: Act, version: Version, stage: Stage) -> Version:
    progress = await queries.settle(
        act.db, version.tariff_id, version.version, state=stage, by=act.person_id, at=act.at
    )
    return msgspec.structs.replace(version, **msgspec.structs.asdict(progress))


async def _foreseen(
    act: Act, version: Version, start: datetime, end: datetime | None
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


async def approve(act: Act, key: Key) -> Version:
    """Approve what is in review. Of two who approve at once, one wins.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is not in review, or not any more.
        SamePersonError: It was drafted or submitted by whoever approves.
    """
    async with change(act, VERSIONS, "approve", (key, act.at)) as taken:
        taken.after = await _settled(act, taken.before, "approved")
    return taken.after


async def publish(
    act: Act, key: Key, start: datetime, end: datetime | None, *, leaves_unpriced: bool
) -> tuple[Version, UnpricedLots]:
    """Have an approved version price what it applies to.

    The tariff's version before ends then. What another tariff prices stays with it.

    Args:
        act: Who does it, when and why.
        key: The version.
        start: When it comes into force: now or later.
        end: Exclusive; None for no end.
        leaves_unpriced: Whether lots may lose their price by it: where it ends, or prices less
            than the version before.

    Returns:
        The version, and the lots that lose their price.

    Raises:
        TariffUnknownError: There is no such version.
        EffectiveTimesError: `start` lies in the past, or `end` not after it.
        VersionStateError: It is not approved, or published already.
        PriceControlError: It goes beyond the price control.
        EffectsOverlapError: Another version prices the same then.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    if start < act.at or (end is not None and end <= start):
        raise EffectiveTimesError
    await lock(act.db, AdvisoryLock.TARIFFS)
    async with change(act, VERSIONS, "publish", (key, act.at)) as taken:
        version = taken.before
        await price_controls.check(act.db, version.tariff, version, start, end)
        before = await coverage.read(act.db)
        await _take_over(act.db, version, start, end)
        taken.after = await _settled(act, version, "published")
    unpriced = await coverage.require_prices(act, before, key.subject, allowed=leaves_unpriced)
    return taken.after, unpriced


async def _take_over(
    db: Transaction, version: Version, start: datetime, end: datetime | None
) -> None:
    if later := await queries.later_versions(db, version.tariff_id, start):
        numbers = ", ".join(map(str, later))
        raise VersionStateError(
            f"Version {numbers} of {version.tariff_id} comes into force then or later: withdraw "
            "it first."
        )
    await queries.cut_effects(db, version.tariff_id, start)
    others = await queries.overlapping(
        db,
        zones=version.zones,
        lot_types=version.lot_types,
        lots=version.lots,
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
            zones=version.zones,
            lot_types=version.lot_types,
            lots=version.lots,
            starts_at=start,
            ends_at=end,
        )
    except asyncpg.ExclusionViolationError as error:
        # Only somebody who does not take the lock can come in between.
        raise EffectsOverlapError from error


async def withdraw(
    act: Act, key: Key, *, may_end: bool, leaves_unpriced: bool
) -> tuple[Version, UnpricedLots]:
    """Withdraw a version.

    One that was never published is given up. One that is scheduled never comes into force, and
    the version before goes on. One in force ends now, and nothing of the tariff follows it.

    Args:
        act: Who does it, when and why.
        key: The version.
        may_end: Whether whoever asks may withdraw what is published.
        leaves_unpriced: Whether lots may lose their price by it.

    Returns:
        The version, and the lots that lose their price.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is superseded or withdrawn already.
        NotTheDrafterError: It is published, and `may_end` is not set; or somebody else's draft.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    await lock(act.db, AdvisoryLock.TARIFFS)
    async with change(act, VERSIONS, "withdraw", (key, act.at)) as taken:
        version = taken.before
        if not may_end and (version.published_by or version.drafted_by != act.person_id):
            raise NotTheDrafterError(
                "Drafters withdraw their own versions, until they are published."
            )
        before = await coverage.read(act.db)
        if gone := await queries.remove_effects(act.db, key.tariff_id, key.version, act.at):
            await queries.restore_effects(act.db, key.tariff_id, gone[0])
        await queries.cut_effects(act.db, key.tariff_id, act.at, key.version)
        taken.after = await _settled(act, version, "withdrawn")
    unpriced = await coverage.require_prices(act, before, key.subject, allowed=leaves_unpriced)
    return taken.after, unpriced


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
