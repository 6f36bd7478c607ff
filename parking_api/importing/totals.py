"""What an import did, for people."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from parking_api.importing.faults import Fault, Faults
from parking_api.quotes.models import UnpricedLot


@dataclass
class Totals:
    """What an import did.

    Attributes:
        counts: Rows given, new and changed, by word (`lots`).
        bays_deleted: Bays that are no more.
        unpriced: Lots that have lost their price: their zone is gone, or drawn smaller, or they
            moved.
        moved: Lots that were there, and that another tariff version prices by it; ids.
        notes: What else a user should know, such as how files were read.
        doubts: What is imported and may be wrong.
        changes: A line for each thing that would change, of a dry run alone.
    """

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    bays_deleted: int = 0
    unpriced: Sequence[UnpricedLot] = ()
    moved: list[str] = field(default_factory=list)
    notes: Sequence[str] = ()
    doubts: Sequence[Fault] = ()
    changes: Sequence[str] | None = None

    def __str__(self) -> str:
        """Return one line for people."""
        parts = []
        for word, (given, added, changed) in self.counts.items():
            noun = word.removesuffix("s") if given == 1 else word
            parts.append(f"{given:,} {noun} ({added:,} new, {changed:,} changed)")
        if self.bays_deleted:
            parts.append(f"{self.bays_deleted:,} bays deleted")
        return ", ".join(parts)


@dataclass(frozen=True)
class LotsImport:
    """What an import of lots alone did.

    Attributes:
        totals: Rows written.
        left_out: The faults of the rows that were left out; none without `skip_bad`.
        rows: Rows (or features) of the file.
    """

    totals: Totals
    left_out: Faults
    rows: int
