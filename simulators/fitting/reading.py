"""A folder of stays and occupancy, read whole or refused whole."""

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

import msgspec

from simulators.demand.parameters import LAND_USES, LandUseName, Source
from simulators.fitting.files import (
    DESCRIPTION,
    Dropped,
    Fault,
    FaultyDataError,
    Table,
    read_count,
    read_table,
    read_tables,
)
from simulators.fitting.occupancy import Occupancy, read_lots, read_occupancy
from simulators.fitting.stays import StayLot, read_stays

# Descriptions of the files that the project knows, by name; a folder's own go before them.
KNOWN = Path(__file__).parent / "data" / "known.csv"


class Described(NamedTuple):
    """What a file cannot say itself: its lot's land use and bays, and whose it is."""

    land_use: LandUseName | None
    spaces: int | None
    source: Source


@dataclass(frozen=True)
class Facts:
    """All of a folder that is a fact.

    Attributes:
        stays: single stays, by lot.
        occupancy: of lots, by file.
        dropped: what was left out.
        sources: whose the files are, each once.
    """

    stays: list[StayLot]
    occupancy: list[Occupancy]
    dropped: list[Dropped]
    sources: list[Source]


def read_facts(directory: Path) -> Facts:
    """Return what a folder's files say.

    Raises:
        OSError: the folder cannot be read.
        FaultyDataError: files are faulty, or there is nothing to fit; every fault is named.
    """
    faults: list[Fault] = []
    tables = read_tables(directory, faults)
    described = _describe(tables, faults)
    told: dict[str, int] = {}
    facts = Facts([], [], [], [])
    for table in tables:
        if table.shape == "lots":
            told |= read_lots(table, faults, facts.dropped)
    for table in tables:
        if table.shape in ("stays", "occupancy"):
            _read_one(table, described, told, faults, facts)
    if not faults and not facts.stays and not facts.occupancy:
        faults.append(Fault(str(directory), 0, "", "neither stays nor occupancy"))
    if faults:
        raise FaultyDataError(faults)
    return facts


def _read_one(
    table: Table,
    described: dict[str, Described],
    told: dict[str, int],
    faults: list[Fault],
    facts: Facts,
) -> None:
    known = described.get(table.file) or described.get(PurePath(table.file).name)
    if known is None:
        faults.append(Fault(table.file, 0, "", f"no row of {DESCRIPTION} describes it"))
        return
    what = "single stays" if table.shape == "stays" else "free spaces of car parks"
    source = msgspec.structs.replace(known.source, what=what)
    if source not in facts.sources:
        facts.sources.append(source)
    if table.shape == "occupancy":
        occupancy = read_occupancy(table, told, faults, facts.dropped)
        facts.occupancy.extend([occupancy] if occupancy else [])
    elif known.land_use is None:
        faults.append(Fault(table.file, 0, "", f"{DESCRIPTION} tells no land use of it"))
    else:
        lot = read_stays(table, known.land_use, known.spaces, faults, facts.dropped)
        facts.stays.extend([lot] if lot else [])


def _describe(tables: list[Table], faults: list[Fault]) -> dict[str, Described]:
    """Return descriptions by file, the project's own first, so that a folder's replace them."""
    own = read_table(KNOWN, KNOWN.name, faults)
    known = own.rows if own else []
    found = {row["file"]: _described(KNOWN.name, number, row, faults) for number, row in known}
    # A file that cannot be read is there as well.
    files = [*(table.file for table in tables), *(fault.file for fault in faults)]
    there = {name for file in files for name in (file, PurePath(file).name)}
    seen: set[str] = set()
    for table in tables:
        if table.shape != "description":
            continue
        for number, row in table.rows:
            name = row["file"].strip()
            found[name] = _described(table.file, number, row, faults)
            if name and name not in there:
                faults.append(Fault(table.file, number, "file", f"{name!r} is not there"))
            if name in seen:
                faults.append(Fault(table.file, number, "file", f"{name!r} is described again"))
            seen.add(name)
    return found


def _described(file: str, number: int, row: dict[str, str], faults: list[Fault]) -> Described:
    row = {name: text.strip() for name, text in row.items()}

    def fault(column: str, text: str) -> None:
        faults.append(Fault(file, number, column, text))

    faults_before = len(faults)
    for column in ("file", "source", "licence"):
        if not row[column]:
            fault(column, "is missing")
    if row["land_use"] and row["land_use"] not in LAND_USES:
        fault("land_use", f"{row['land_use']!r} is none of {', '.join(LAND_USES)}")
    if row["spaces"] and not _is_some(row["spaces"]):
        fault("spaces", f"{row['spaces'][:40]!r} is no number of spaces")
    if len(faults) > faults_before:
        return Described(None, None, Source("", "", ""))
    return Described(
        msgspec.convert(row["land_use"] or None, LandUseName | None),
        int(row["spaces"]) if row["spaces"] else None,
        Source(row["source"], row["licence"], "", row["url"]),
    )


def _is_some(text: str) -> bool:
    try:
        return bool(read_count(text))
    except ValueError:
        return False
