"""The transition of a lot's state by a report."""

from datetime import datetime

from ingest_mqtt.lots import Lot, LotState
from ingest_mqtt.messages import AnyReport, CountReport, SnapshotReport, SpacesReport
from sql.kinds import Transport
from sql.lot_states import ReportTimes, counted, grown_bays, known_bitmaps, sensed, stale_for


def advance(
    lot: Lot,
    before: LotState | None,
    report: AnyReport,
    received_at: datetime,
    transport: Transport = "mqtt",
) -> LotState:
    """Return a lot's state after a report.

    Args:
        lot: Its registration.
        before: Its state until then; None when never heard of.
        report: What came in.
        received_at: When.
        transport: How.

    Returns:
        The new state.

    Raises:
        RejectionError: The report does not fit the lot.
    """
    order, times = (report.epoch, report.seq), _times(before, report, received_at, transport)
    if isinstance(report, CountReport):
        return counted(order, _capacity(lot, report), report.free, 0, times)
    if isinstance(report, SnapshotReport):
        occupied, unknown = _pictured(lot, report)
    else:
        occupied, unknown = _changed(lot, _remembered(lot, before, times), report)
    return sensed(lot, order, occupied, unknown, times)


def _times(
    before: LotState | None, report: AnyReport, received_at: datetime, transport: Transport
) -> ReportTimes:
    """Return from when the lot's age runs after a report, and from when it counts in history.

    Our clock bounds those of devices: no state is true later than its receipt. History only
    runs forward. A report of single bays does not make the other bays' states older.
    """
    observed_at = min(report.observed_at, received_at)
    if before is None:
        return ReportTimes(observed_at, received_at, observed_at, transport)
    history_at = max(observed_at, before.history_at)
    if isinstance(report, SpacesReport):
        # Our own clock may have been set back since.
        observed_at = min(max(observed_at, before.observed_at), received_at)
    return ReportTimes(observed_at, received_at, history_at, transport)


def _remembered(lot: Lot, before: LotState | None, times: ReportTimes) -> LotState | None:
    """Return the state that a report of single bays builds on; None where it is too old by then.

    If it were kept, one bay's report would make all the others look current. Its age counts at the
    report's own time: an outbox that comes late still shows how one state followed another.
    """
    if before is None or times.observed_at - before.observed_at > stale_for(lot.report_interval_s):
        return None
    return before


def _capacity(lot: Lot, report: CountReport) -> int:
    capacity = lot.capacity if report.capacity is None else report.capacity
    if capacity > lot.capacity or report.free > capacity:
        raise report.refused(
            "out_of_range",
            f"free {report.free} of {capacity}; the lot is registered with {lot.capacity} spaces",
        )
    return capacity


def _pictured(lot: Lot, report: SnapshotReport) -> tuple[int, int]:
    if report.capacity > lot.capacity:
        raise report.refused(
            "capacity_mismatch",
            f"{report.capacity} bays; the lot is registered with {lot.capacity}",
        )
    occupied, unknown = report.bitmaps()
    # The lot has grown and its gateway does not know yet.
    return occupied, unknown | grown_bays(lot, report.capacity)


def _changed(lot: Lot, before: LotState | None, report: SpacesReport) -> tuple[int, int]:
    named_last = max((*report.occupied, *report.free, *report.unknown))
    if named_last > lot.capacity:
        raise report.refused(
            "out_of_range", f"bay {named_last}; the lot has bays 1 to {lot.capacity}"
        )
    now_occupied, now_unknown = _bitmap(report.occupied), _bitmap(report.unknown)
    kept = ~(now_occupied | _bitmap(report.free) | now_unknown)
    occupied, unknown = known_bitmaps(lot, before)
    return occupied & kept | now_occupied, unknown & kept | now_unknown


def _bitmap(bays: tuple[int, ...]) -> int:
    bits = 0
    for bay in bays:
        bits |= 1 << (bay - 1)
    return bits
