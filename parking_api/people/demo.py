"""One person of each role for the demo, with their keys in the file of credentials.

A key stands in clear only in that file, so a person whom the file lacks, or has with a key that is
no longer good, gets a new one; whoever is there stays as they are. The file is written within the
transaction: should that fail, the database has none of it.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from parking_api.credentials_file import FILE_MODE, CredentialsFileError, write_atomically
from parking_api.people import queries, service
from parking_api.people.keys import ApiKey
from parking_api.people.models import COMMAND, NewPerson
from parking_api.workflow import Act, acting
from sql.engine import AdvisoryLock, Db, lock
from sql.kinds import OPERATOR

_REASON: Final = "for the demo"
_NAMES: Final = {
    OPERATOR: "示例经营者 (demo operator)",
    "bureau_drafter": "示例起草人 (demo drafter)",
    "bureau_approver": "示例批准人 (demo approver)",
    "operations": "示例运维 (demo operations)",
}


class NoOperatorError(Exception):
    """There is no operator yet: import a city first."""

    def __str__(self) -> str:
        """The class's own sentence is the message."""
        return str(self.__doc__)


async def make_demo_people(
    db: Db,
    file: Path,
    *,
    at: datetime,
    new_key: Callable[[], ApiKey] = ApiKey.new,
) -> int:
    """Add the people that are missing, and give a key to those who have no good one in the file.

    Args:
        db: A database that holds a city.
        file: JSON of mode 0600; what else it holds is kept.
        at: The platform's clock.
        new_key: Where keys come from.

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
        document = _read(file)
        kept = {entry["person_id"]: entry for entry in document.get("people", [])}
        entries = []
        for person in _people(await _operator(act.db)):
            entry = kept.pop(person.person_id, None)
            if entry is None or not await _is_good(act, entry):
                entry = await _made(act, person, new_key())
                issued += 1
            entries.append(entry)
        if issued:
            whole = {**document, "people": [*entries, *kept.values()]}
            text = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
            write_atomically(file, text, FILE_MODE)
    return issued


def _people(operator_id: str) -> Iterable[NewPerson]:
    for role, name in _NAMES.items():
        whose = operator_id if role == OPERATOR else None
        person_id = f"demo-{role.rpartition('_')[2]}"
        yield NewPerson.model_validate(
            {"person_id": person_id, "name": name, "roles": [role], "operator_id": whose}
        )


async def _operator(db: Db) -> str:
    operator_id = await queries.demo_operator(db)
    if operator_id is None:
        raise NoOperatorError
    return operator_id


async def _is_good(act: Act, entry: dict[str, Any]) -> bool:
    key = ApiKey.read(str(entry.get("key")))
    known = await queries.credential(act.db, key.key_id) if key else None
    if key is None or known is None:
        return False
    is_theirs = key.matches(known.hash) and known.person_id == entry["person_id"]
    return is_theirs and known.is_good(act.at)


async def _made(act: Act, person: NewPerson, key: ApiKey) -> dict[str, Any]:
    stored = await queries.people(act.db, most=1, person_id=person.person_id)
    if not stored:
        await service.add_person(act, person)
    await service.issue_key(act, person.person_id, key)
    (role,) = person.roles
    entry: dict[str, Any] = {"person_id": person.person_id, "name": person.name, "role": role}
    if person.operator_id:
        entry["operator_id"] = stored[0].operator_id if stored else person.operator_id
    return {**entry, "key": key.written()}


def _read(file: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        named_people = [entry["person_id"] for entry in document.get("people", [])]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CredentialsFileError(f"{file} is no file of credentials: move it away") from error
    if not all(isinstance(name, str) for name in named_people):
        raise CredentialsFileError(f"{file} is no file of credentials: move it away")
    return document
