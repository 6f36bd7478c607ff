"""One person of each role for the demo, with their keys in the file of credentials.

A key stands in clear only in that file, so a person whom the file lacks, or has with a key that is
no longer good, gets a new one; whoever is there stays as they are. The file is written within the
transaction: should that fail, the database has none of it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from parking_api.credentials_file import CredentialsFileError, read_credentials, write_credentials
from parking_api.people import queries, service
from parking_api.people.keys import ApiKey
from parking_api.people.models import COMMAND, NewPerson
from parking_api.workflow import Act, acting
from sql.engine import AdvisoryLock, Db, SentenceError, lock
from sql.kinds import OPERATOR

_REASON: Final = "for the demo"
_NAMES: Final = {
    OPERATOR: "示例经营者 (demo operator)",
    "bureau_drafter": "示例起草人 (demo drafter)",
    "bureau_approver": "示例批准人 (demo approver)",
    "operations": "示例运维 (demo operations)",
}


class _Known(msgspec.Struct):
    """What each person in the file must have; the rest of an entry is kept as it is."""

    person_id: str


class NoOperatorError(SentenceError):
    """There is no operator yet: import a city first."""


async def make_demo_people(db: Db, file: Path, lifetime: timedelta, *, at: datetime) -> int:
    """Add the people that are missing, and give a key to those who have no good one in the file.

    Args:
        db: A database that holds a city.
        file: JSON of mode 0600; what else it holds is kept.
        lifetime: How long a key is good, at most.
        at: The platform's clock.

    Returns:
        How many keys were issued.

    Raises:
        CredentialsFileError: The file is there but cannot be understood; nothing was changed.
        NoOperatorError: The city has none.
        OSError: The file cannot be read or written; nothing was changed.
    """
    issued = 0
    async with acting(db, COMMAND, at, _REASON) as act:
        await lock(act.db, AdvisoryLock.REGISTRATION)
        document = read_credentials(file)
        kept = _entries(document, file)
        operator_id = await queries.demo_operator(act.db)
        if operator_id is None:
            raise NoOperatorError
        entries = []
        for person in _people(operator_id):
            entry = kept.pop(person.person_id, None)
            if entry is None or not await _is_good(act, entry):
                entry = await _made(act, person, ApiKey.new(), lifetime)
                issued += 1
            entries.append(entry)
        if issued:
            write_credentials(file, {**document, "people": [*entries, *kept.values()]})
    return issued


def _people(operator_id: str) -> Iterable[NewPerson]:
    for role, name in _NAMES.items():
        yield NewPerson.model_validate(
            {
                "person_id": f"demo-{role.rpartition('_')[2]}",
                "name": name,
                "roles": [role],
                "operator_id": operator_id if role == OPERATOR else None,
            }
        )


async def _is_good(act: Act, entry: dict[str, Any]) -> bool:
    key = ApiKey.read(str(entry.get("key")))
    known = await queries.credential(act.db, key.key_id) if key else None
    if key is None or known is None:
        return False
    is_theirs = key.matches(known.hash) and known.person_id == entry["person_id"]
    return is_theirs and queries.is_good(known, act.at)


async def _made(act: Act, person: NewPerson, key: ApiKey, lifetime: timedelta) -> dict[str, Any]:
    stored = await queries.people(act.db, most=1, person_id=person.person_id)
    if not stored:
        await service.add_person(act, person)
    await service.issue_key(act, person.person_id, key, lifetime)
    (role,) = person.roles
    entry: dict[str, Any] = {"person_id": person.person_id, "name": person.name, "role": role}
    if person.operator_id:
        entry["operator_id"] = stored[0].operator_id if stored else person.operator_id
    return {**entry, "key": key.written()}


def _entries(document: Mapping[str, Any], file: Path) -> dict[str, dict[str, Any]]:
    people = document.get("people", [])
    try:
        msgspec.convert(people, list[_Known])
    except msgspec.ValidationError as error:
        raise CredentialsFileError(f"{file} lists no people: move it away") from error
    return {entry["person_id"]: entry for entry in people}
