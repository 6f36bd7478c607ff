"""How a report changes a lot's state."""

from datetime import datetime

from ingest_mqtt.lots import Lot, LotState
from ingest_mqtt.messages import (
    AnyReport,
    CountReport,
    RejectionError,
    SnapshotReport,
    SpacesReport,
)


def advance(
    lot: Lot, before: LotState | None, report: AnyReport, received_at: datetime
) -> LotState:
    """Work out a lot's state after a report.

    Args:
        lot: Its registration.
        before: Its state until then; None when never heard of.
        report: What came in.
        received_at: When.

    Returns:
        The new state.

    Raises:
        RejectionError: The report does not fit the lot.
    """
    if isinstance(report, CountReport):
        return _counted(lot, report, received_at)
    if isinstance(report, SnapshotReport):
        occupied, unknown = _pictured(lot, report)
    else:
        occupied, unknown = _changed(lot, before, report)
    free = lot.all_bays & ~(occupied | unknown)
    return LotState(
        epoch=report.epoch,
        seq=report.seq,
        capacity=lot.capacity,
        free_spaces=free.bit_count(),
        occupied=occupied,
        unknown=unknown,
        free_by_class=tuple((free & mask).bit_count() for mask in lot.class_masks),
        observed_at=report.observed_at,
        received_at=received_at,
    )


def _counted(lot: Lot, report: CountReport, received_at: datetime) -> LotState:
    capacity = lot.capacity if report.capacity is None else report.capacity
    if capacity > lot.capacity or report.free > capacity:
        raise RejectionError(
            "out_of_range",
            f"free {report.free} of {capacity}; the lot is registered with {lot.capacity} spaces",
            epoch=report.epoch,
            seq=report.seq,
        )
    return LotState(
        epoch=report.epoch,
        seq=report.seq,
        capacity=capacity,
        free_spaces=report.free,
        occupied=None,
        unknown=None,
        free_by_class=None,
        observed_at=report.observed_at,
        received_at=received_at,
    )


def _pictured(lot: Lot, report: SnapshotReport) -> tuple[int, int]:
    """Lay a snapshot out on the lot; bays that it does not cover are unknown."""
    if report.capacity > lot.capacity:
        raise RejectionError(
            "capacity_mismatch",
            f"{report.capacity} bays; the lot is registered with {lot.capacity}",
            epoch=report.epoch,
            seq=report.seq,
        )
    occupied, unknown = report.bitmaps()
    return occupied, unknown | lot.all_bays ^ ((1 << report.capacity) - 1)


def _changed(lot: Lot, before: LotState | None, report: SpacesReport) -> tuple[int, int]:
    named_last = max((*report.occupied, *report.free, *report.unknown))
    if named_last > lot.capacity:
        raise RejectionError(
            "out_of_range",
            f"bay {named_last}; the lot has bays 1 to {lot.capacity}",
            epoch=report.epoch,
            seq=report.seq,
        )
    now_occupied, now_free = _bitmap(report.occupied), _bitmap(report.free)
    now_unknown = _bitmap(report.unknown)
    kept = ~(now_occupied | now_free | now_unknown)
    occupied, unknown = known_bitmaps(lot, before)
    return occupied & kept | now_occupied, unknown & kept | now_unknown


def _bitmap(bays: tuple[int, ...]) -> int:
    bits = 0
    for bay in bays:
        bits |= 1 << (bay - 1)
    return bits


def known_bitmaps(lot: Lot, state: LotState | None) -> tuple[int, int]:
    """Lay out a lot's bitmaps at its registered capacity.

    Returns:
        (occupied, unknown), bay n at bit n-1; bays never heard of are unknown.
    """
    if state is None or state.occupied is None or state.unknown is None:
        return 0, lot.all_bays
    occupied, unknown = state.occupied & lot.all_bays, state.unknown & lot.all_bays
    if state.capacity < lot.capacity:
        unknown |= lot.all_bays ^ ((1 << state.capacity) - 1)
    return occupied, unknown
