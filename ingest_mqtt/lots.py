"""What the ingester knows of each lot: its registration, and its state as last committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

CLASSES = ("standard", "accessible", "ev", "large")


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot's registration.

    Attributes:
        lot_id: Its id.
        operator_id: Who runs it.
        reporting: `bays` or `count`.
        capacity: Registered spaces.
        report_interval_s: The longest silence that is normal.
        class_masks: For each of `CLASSES`, the bays of that class, bay n at bit n-1.
    """

    lot_id: str
    operator_id: str
    reporting: str
    capacity: int
    report_interval_s: int
    class_masks: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def all_bays(self) -> int:
        """A bitmap with every bay set."""
        return (1 << self.capacity) - 1


@dataclass(frozen=True, slots=True)
class LotState:
    """A lot's state after one report.

    Attributes:
        epoch: Of the report.
        seq: Of the report.
        capacity: Spaces in service.
        free_spaces: How many of them are free.
        occupied: Bay n at bit n-1; None where the lot counts at its gates.
        unknown: Likewise.
        free_by_class: Free bays of each of `CLASSES`; None where the lot counts.
        observed_at: When it was true at the lot, by the device's clock.
        received_at: When the report came in, by the platform's clock.
    """

    epoch: int
    seq: int
    capacity: int
    free_spaces: int
    occupied: int | None
    unknown: int | None
    free_by_class: tuple[int, ...] | None
    observed_at: datetime
    received_at: datetime

    @property
    def order(self) -> tuple[int, int]:
        """What decides between two reports of one lot."""
        return self.epoch, self.seq


@dataclass(frozen=True, slots=True)
class Committed:
    """A state, and the commit that made it true.

    Attributes:
        state: The state.
        version: Rises with each commit of the lot.
        committed_at: By the database's clock.
    """

    state: LotState
    version: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class GatewaySize:
    """How much a gateway is registered to report for: its lots, and all their spaces."""

    lots: int = 0
    spaces: int = 0


@dataclass(frozen=True, slots=True)
class Registry:
    """Who may report what.

    Attributes:
        lots: By lot id.
        operators: Each gateway's operator, by gateway id.
        sizes: How much each gateway reports for; those that report for no lot may be absent.
    """

    lots: Mapping[str, Lot] = field(default_factory=dict)
    operators: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, GatewaySize] = field(default_factory=dict)
