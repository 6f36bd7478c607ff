"""Price control commands: draft, approve and end; holds tariffs against price controls."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, ParamSpec, Protocol, TypeVar

import pricing
from parking_api.decisions import service as decisions
from parking_api.errors import ParameterFault
from parking_api.people.service import require_standing
from parking_api.price_controls import queries
from parking_api.price_controls.errors import (
    ControlExistsError,
    ControlStateError,
    ControlUnknownError,
    PriceControlError,
)
from parking_api.price_controls.models import (
    BureauControl,
    EndOf,
    NewControl,
    PriceControl,
    VersionBeyond,
)
from parking_api.quotes import queries as quote_queries
from parking_api.quotes.errors import TariffInvalidError
from parking_api.quotes.prices import calendar_of
from parking_api.worker import off_loop
from parking_api.workflow import Act, Step, Workflow, change
from sql.engine import AdvisoryLock, Db, Transaction, lock
from sql.kinds import APPROVER, DRAFTER

P = ParamSpec("P")
R = TypeVar("R")


class Target(Protocol):
    """What a tariff applies to: each of the zones with each of the lot types; or single lots."""

    @property
    def zones(self) -> Sequence[str]:
        """Ids of zones."""

    @property
    def lot_types(self) -> Sequence[str]:
        """Types of lots."""

    @property
    def lots(self) -> Sequence[str]:
        """Ids of lots."""


async def looked_over(look: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Look a tariff over in some way, off the loop: one may take a second.

    Raises:
        TariffInvalidError: The document takes too many steps to look over.
    """
    try:
        return await off_loop(look, *args, **kwargs)
    except pricing.TooMuchWorkError as error:
        fault = ParameterFault(parameter="document", message=str(error))
        raise TariffInvalidError(faults=[fault]) from error


async def applying(
    db: Db, target: Target, start: datetime, end: datetime | None
) -> list[PriceControl]:
    """Read the price controls that hold for what a tariff applies to, within a time."""
    return await queries.applying(
        db,
        zones=target.zones,
        lot_types=target.lot_types,
        lots=target.lots,
        starts_at=start,
        ends_at=end,
    )


async def check(
    db: Db, tariff: pricing.Tariff, target: Target, start: datetime, end: datetime | None
) -> None:
    """Hold a tariff against the price controls of the time that it would be in force.

    Args:
        db: A connection.
        tariff: The document.
        target: What it applies to.
        start: From when on.
        end: Exclusive; None for no end. Controls that begin until then hold too.

    Raises:
        PriceControlError: With each clause that it breaks, and since when that holds.
    """
    controls = await applying(db, target, start, end)
    if not controls:
        return
    calendar = calendar_of(await quote_queries.calendar(db))
    faults = await looked_over(_breaches, tariff, controls, start, calendar)
    if faults:
        raise PriceControlError(faults=faults)


def _breaches(
    tariff: pricing.Tariff,
    controls: Sequence[PriceControl],
    start: datetime,
    calendar: pricing.Calendar,
) -> list[ParameterFault]:
    return [
        ParameterFault(
            parameter=f"document.{each.path}", message=f"{each.zh} {each.en} {control.citation}"
        )
        for control in controls
        if control.currency == tariff.currency
        for each in pricing.breaches(
            tariff, _ceiling(control), year=max(start, control.valid_from).year, calendar=calendar
        )
    ]


async def ceilings_of(
    db: Db, tariff: pricing.Tariff, target: Target, start: datetime
) -> list[pricing.Ceiling]:
    """Read the limits that hold for a tariff, of all classes of its zones, from a time on."""
    controls = await applying(db, target, start, None)
    return [_ceiling(each) for each in controls if each.currency == tariff.currency]


def _ceiling(control: PriceControl) -> pricing.Ceiling:
    return pricing.Ceiling(
        reference=control.legal_reference.zh,
        hour_minor=control.most_minor,
        day_minor=control.day_ceiling_minor,
        floor_hour_minor=control.least_minor,
        vehicle=control.vehicle,
    )


async def control(db: Db, control_id: str, *, include_drafts: bool) -> PriceControl:
    """Read one price control.

    Raises:
        ControlUnknownError: There is none, or it is a draft and `include_drafts` is not set.
    """
    for found in await queries.controls(db, control_id, include_drafts=include_drafts):
        return found
    raise ControlUnknownError


async def _locked(db: Transaction, control_id: str) -> PriceControl:
    """Read one, under the lock that everybody takes who changes one, or publishes a tariff."""
    await lock(db, AdvisoryLock.TARIFFS)
    return await control(db, control_id, include_drafts=True)


CONTROLS: Final = Workflow[str, PriceControl](
    kind="price_control",
    steps={
        "draft": [Step(DRAFTER, (), ("draft",))],
        "approve": [Step(APPROVER, ("draft",), ("approved",), "second")],
        "end": [
            Step(APPROVER, ("draft",), ("draft",)),
            Step(APPROVER, ("approved",), ("approved",)),
        ],
    },
    lock=_locked,
    authors=lambda control: (control.drafted_by,),
    subject=lambda control: f"price_control/{control.price_control_id}",
    audited=BureauControl.of,
    wrong_state=lambda _, __, ___: ControlStateError(),
)


async def draft(act: Act, new: NewControl) -> PriceControl:
    """Draft a price control.

    Raises:
        ControlExistsError: Its id is taken.
    """
    drafted = await add(act.db, new, act.person_id, act.at)
    if drafted is None:
        raise ControlExistsError
    CONTROLS.keep(act, "draft", None, drafted)
    return drafted


async def add(db: Transaction, new: NewControl, by: str, at: datetime) -> PriceControl | None:
    """Write a draft; None where its id is taken."""
    return await queries.add(
        db,
        control_id=new.price_control_id,
        reference_zh=new.legal_reference.zh,
        reference_en=new.legal_reference.en,
        zone_class=new.zone_class,
        lot_types=sorted(set(new.lot_types)),
        currency=new.currency,
        vehicle=new.vehicle,
        base_minor=new.base_minor,
        float_up_percent=new.float_up_percent,
        float_down_percent=new.float_down_percent,
        floor_minor=new.floor_minor,
        ceiling_minor=new.ceiling_minor,
        day_ceiling_minor=new.day_ceiling_minor,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        by=by,
        at=at,
    )


async def approve(act: Act, control_id: str) -> tuple[PriceControl, list[VersionBeyond]]:
    """Put a price control in force.

    Returns:
        The control, and the versions published before that go beyond it, each with the clauses
        that it breaks.

    Raises:
        ControlUnknownError: There is none.
        ControlStateError: It is in force already.
        SamePersonError: It was drafted by whoever approves.
        NotStandingError: Whoever drafted it has lost their role, or all keys.
    """
    async with change(act, CONTROLS, "approve", control_id) as taken:
        await require_standing(act, taken.before.drafted_by, DRAFTER)
        taken.after = await queries.settle(
            act.db,
            control_id,
            approved_by=act.person_id,
            approved_at=act.at,
            valid_to=taken.before.valid_to,
        )
    return taken.after, await _beyond(act.db, taken.after, act.at)


async def _beyond(db: Db, control: PriceControl, at: datetime) -> list[VersionBeyond]:
    start, end = max(at, control.valid_from), control.valid_to
    if end is not None and end <= start:
        return []
    calendar = calendar_of(await quote_queries.calendar(db))
    found = []
    for version in await queries.versions_pricing(db, start, end):
        if control in await applying(db, version, start, end):
            tariff = pricing.read_tariff(version.document_text)
            faults = await looked_over(_breaches, tariff, [control], version.begins_at, calendar)
            if faults:
                found.append(
                    VersionBeyond(
                        tariff_id=version.tariff_id,
                        version=version.version,
                        from_=version.begins_at,
                        errors=faults,
                    )
                )
    return found


async def _end(act: Act, given: EndOf) -> BureauControl:
    """Let a price control end.

    Raises:
        ControlUnknownError: There is none.
        ControlStateError: It has ended before then, or begins later; or that is in the past.
    """
    control_id, valid_to = given.price_control_id, given.valid_to
    async with change(act, CONTROLS, "end", control_id) as taken:
        before = taken.before
        if valid_to < act.at:
            raise ControlStateError("A price control ends now or later, not in the past.")
        has_ended = before.valid_to is not None and before.valid_to <= valid_to
        if has_ended or valid_to <= before.valid_from:
            raise ControlStateError
        taken.after = await queries.settle(
            act.db,
            control_id,
            approved_by=before.approved_by,
            approved_at=before.approved_at,
            valid_to=valid_to,
        )
    return BureauControl.of(taken.after)


# By two persons.
END: Final = decisions.declare("price_control.end", EndOf, _end)
