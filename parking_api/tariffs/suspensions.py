"""Suspensions: one person stops a version at once; unless a second confirms it, it lapses.

What a suspension does to quotes stands in `quotes.effects`. To lift one takes two persons, as it
changes what a stay costs.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from parking_api.decisions import service as decisions
from parking_api.errors import ApiError
from parking_api.people.service import require_standing
from parking_api.tariffs import queries
from parking_api.tariffs.errors import (
    SuspendedBeforeError,
    TariffUnknownError,
    VersionStateError,
    VersionSuspensionError,
)
from parking_api.tariffs.key import Key
from parking_api.tariffs.models import BureauSuspension, VersionNamed
from parking_api.tariffs.service import version
from parking_api.workflow import Act, SamePersonError, Step, Workflow, change, in_words
from sql.engine import AdvisoryLock, Transaction, lock
from sql.kinds import APPROVER, DRAFTER

# What one person may do alone lasts so long.
CONFIRM_WITHIN: Final = timedelta(hours=24)


async def _locked(db: Transaction, key_at: tuple[Key, datetime]) -> BureauSuspension:
    key, at = key_at
    await lock(db, AdvisoryLock.TARIFFS)
    found = await queries.latest_suspension(db, key.tariff_id, key.version, at)
    if found is None:
        raise VersionSuspensionError
    return found


def _wrong_state(suspension: BureauSuspension, _: str, __: Sequence[str]) -> ApiError:
    return VersionSuspensionError(
        f"The suspension of version {suspension.version} of {suspension.tariff_id} is "
        f"{in_words(suspension.state)} already."
    )


def _same_person(_: BureauSuspension) -> ApiError:
    return SamePersonError("Whoever suspended it may not confirm that: it takes a second person.")


SUSPENSIONS: Final = Workflow[tuple[Key, datetime], BureauSuspension](
    kind="tariff_suspension",
    steps={
        "suspend": [
            Step(DRAFTER, (), ("unconfirmed",)),
            Step(APPROVER, (), ("unconfirmed",)),
        ],
        "confirm": [Step(APPROVER, ("unconfirmed",), ("confirmed",), "second")],
        # By two persons: see RESUMPTION.
        "resume": [Step(APPROVER, ("unconfirmed", "confirmed"), ("resumed",))],
    },
    lock=_locked,
    authors=lambda suspension: (suspension.suspended_by,),
    subject=lambda each: f"{Key(each.tariff_id, each.version).subject}/suspension",
    audited=lambda suspension: suspension,
    wrong_state=_wrong_state,
    same_person=_same_person,
)


async def suspend(act: Act, key: Key) -> BureauSuspension:
    """Suspend a version that is published: at once, for 24 hours unless it is confirmed.

    Args:
        act: Who does it, when and why.
        key: The version.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is not scheduled or in force.
        VersionSuspensionError: It is suspended already.
        SuspendedBeforeError: An earlier suspension by the same person lapsed unconfirmed.
    """
    await lock(act.db, AdvisoryLock.TARIFFS)
    if await queries.lock_version(act.db, key.tariff_id, key.version) is None:
        raise TariffUnknownError
    found = await version(act.db, key, act.at, include_drafts=True)
    if found.state not in {"scheduled", "in_force"}:
        raise VersionStateError(
            f"Version {key.version} of {key.tariff_id} is {in_words(found.state)}: what is "
            "scheduled or in force can be suspended."
        )
    latest = await queries.latest_suspension(act.db, key.tariff_id, key.version, act.at)
    if latest and latest.state in {"unconfirmed", "confirmed"}:
        raise VersionSuspensionError(
            f"Version {key.version} of {key.tariff_id} is suspended already."
        )
    if await queries.has_lapsed(act.db, key.tariff_id, key.version, act.person_id):
        raise SuspendedBeforeError
    suspended = await queries.suspend(
        act.db,
        tariff_id=key.tariff_id,
        version=key.version,
        by=act.person_id,
        at=act.at,
        lapses_at=act.at + CONFIRM_WITHIN,
        reason=act.reason or "",
    )
    SUSPENSIONS.keep(act, "suspend", None, suspended)
    return suspended


async def confirm(act: Act, key: Key) -> BureauSuspension:
    """Confirm a suspension within 24 hours: it lasts until it is lifted. Of two at once, one wins.

    Raises:
        VersionSuspensionError: The version is not suspended, or that has lapsed or is confirmed.
        SamePersonError: Whoever confirms has suspended it.
        NotStandingError: Whoever suspended it has lost their role, or all keys.
    """
    async with change(act, SUSPENSIONS, "confirm", (key, act.at)) as taken:
        await require_standing(act, taken.before.suspended_by, DRAFTER, APPROVER)
        taken.after = await queries.confirm_suspension(
            act.db, taken.before.suspension_id, by=act.person_id, at=act.at
        )
    return taken.after


async def _resume(act: Act, named: VersionNamed) -> BureauSuspension:
    key = Key(named.tariff_id, named.version)
    async with change(act, SUSPENSIONS, "resume", (key, act.at)) as taken:
        taken.after = await queries.resume(
            act.db, taken.before.suspension_id, by=act.person_id, at=act.at
        )
    return taken.after


RESUMPTION: Final = decisions.declare("tariff_suspension.resume", VersionNamed, _resume)
