"""Running the cases of a file shaped like the golden cases of docs/contract/tariff.md.

A file holds `tariffs` and `cases`. A case names its tariff, `entry` and `exit` (local wall clock in
the tariff's zone, the first pass of a repeated hour; or with an offset), `vehicle`, `granted` and
`fee_minor`. It may carry `versions`, a list of {`tariff`, `effective_at`}, and a `calendar`; the
file may carry a `calendar`, the city's, too.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from pricing.charging.quoting import quote
from pricing.charging.stays import Stay, Version
from pricing.document import Calendar, Tariff, read_tariff
from pricing.errors import PricingError, TariffFaultsError


@dataclass(frozen=True, slots=True)
class Checked:
    """A case that was run: `line` for people, `passed` for the exit status."""

    line: str
    passed: bool


def read_cases(path: Path) -> Mapping[str, Any]:
    """The content of a file of cases.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not JSON of that shape.
    """
    try:
        content = json.loads(path.read_bytes())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of error for the caller
    for name in ("tariffs", "cases"):
        if not isinstance(content.get(name), list):
            raise ValueError(f"no list of {name}")  # noqa: TRY004
    return content


def check(content: Mapping[str, Any]) -> Iterator[Checked]:
    """Run every case of a file's content; a broken tariff or case is a failure, not an end."""
    tariffs: dict[str, Tariff] = {}
    for document in content.get("tariffs", ()):
        name = document.get("id") if isinstance(document, Mapping) else None
        try:
            tariff = read_tariff(document)
            if tariffs.setdefault(tariff.id, tariff) != tariff:
                yield Checked(f"FAULT    {name}: id: is another tariff's too", passed=False)
        except TariffFaultsError as error:
            for fault in error.faults:
                yield Checked(f"FAULT    {name}: {fault.path}: {fault.message}", passed=False)
    for case in content.get("cases", ()):
        yield _run(case, tariffs, content.get("calendar"))


def _run(case: Any, tariffs: Mapping[str, Tariff], calendar: Any) -> Checked:
    try:
        title = f"{case['tariff']} {case['entry']} to {case['exit']}"
        expected = _minor(case["fee_minor"])
        charged = _charged(case, tariffs, case.get("calendar", calendar))
    except (
        PricingError,
        ValidationError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        why = str(error).replace("\n", " ")
        return Checked(f"ERROR    {case}: {type(error).__name__}: {why}", passed=False)
    if charged == expected:
        return Checked(f"ok       {title}: {charged}", passed=True)
    return Checked(f"DIFFERS  {title}: {charged}, expected {expected}", passed=False)


def _charged(case: Mapping[str, Any], tariffs: Mapping[str, Tariff], calendar: Any) -> int:
    tariff = tariffs[case["tariff"]]
    zone = ZoneInfo(tariff.timezone)
    stay = Stay(
        _at(case["entry"], zone),
        _at(case["exit"], zone),
        case.get("vehicle"),
        tuple(case.get("granted") or ()),
    )
    return quote(
        tariff,
        stay,
        calendar=None if calendar is None else Calendar.model_validate(calendar),
        versions=[
            Version(_at(each["effective_at"], zone), tariffs[each["tariff"]])
            for each in case.get("versions") or ()
        ],
    ).total_minor


def _minor(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("fee_minor is not an integer")
    return value


def _at(text: str, zone: ZoneInfo) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=zone)
