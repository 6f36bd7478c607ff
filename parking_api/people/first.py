"""The first people, and those who are recovered: made with the database owner's password alone.

Everybody else comes by an enrolment, to which two persons agree. Both ways past that are for
whoever owns the database, and could write anything into it: `bootstrap` while nobody is there,
`recover` when nobody is left who could enrol. The audit tells of the latter as `recovery`, which
raises an alert.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from parking_api.credentials_file import CredentialsFileError, read_credentials, write_credentials
from parking_api.people import queries, service
from parking_api.people.keys import ApiKey
from parking_api.people.models import NewPerson
from parking_api.workflow import Act
from sql.engine import AdvisoryLock, SentenceError, lock
from sql.kinds import APPROVER, OPERATIONS, OPERATOR

# As the audit calls it, by which recoveries are counted.
RECOVERY: Final = "recovery"
_NAMES: Final = {
    OPERATOR: "示例经营者 (demo operator)",
    "bureau_drafter": "示例起草人 (demo drafter)",
    "bureau_approver": "示例批准人 (demo approver)",
    "operations": "示例运维 (demo operations)",
}
Keyed = tuple[NewPerson, ApiKey]


class OwnerNeededError(SentenceError):
    """This takes the password of the database's owner, not a program's."""


class SomebodyThereError(SentenceError):
    """There are people already: further ones come by enrolment."""


class NobodyThereError(SentenceError):
    """There is nobody yet: use bootstrap."""


class TooFewPeopleError(SentenceError):
    """Nobody could be enrolled: that takes operations, and one more of operations or approvers."""


class NoOperatorError(SentenceError):
    """There is no operator yet: import a city first."""


async def bootstrap(act: Act, new: Sequence[NewPerson], lifetime: timedelta) -> list[Keyed]:
    """Make the first people, each with a key.

    Args:
        act: By the database's owner.
        new: Those to be made.
        lifetime: How long a key is good, at most.

    Raises:
        OwnerNeededError: The connection is not the owner's.
        SomebodyThereError: There is anybody already.
        TooFewPeopleError: They could enrol nobody.
    """
    await _owned(act)
    if await queries.is_anybody_there(act.db):
        raise SomebodyThereError
    _require_two(new)
    return [await _made(act, each, lifetime) for each in new]


async def recover(act: Act, wanted: Sequence[NewPerson], lifetime: timedelta) -> list[Keyed]:
    """Give people a new key: who is there gets the roles that are missing, others are added.

    Args:
        act: By the database's owner.
        wanted: The people; who is there keeps their name.
        lifetime: How long a key is good, at most.

    Raises:
        OwnerNeededError: The connection is not the owner's.
        NobodyThereError: There is nobody yet.
    """
    await _owned(act)
    if not await queries.is_anybody_there(act.db):
        raise NobodyThereError
    made = [await _made(act, each, lifetime) for each in wanted]
    await queries.tell_of_recovery(act.db)
    keys = [{"person_id": person.person_id, "key_id": key.key_id} for person, key in made]
    act.keep(RECOVERY, RECOVERY, None, {"keys": keys})
    return made


async def _owned(act: Act) -> None:
    # Of two at once, one waits, and sees what the other made.
    await lock(act.db, AdvisoryLock.REGISTRATION)
    if not await queries.is_owner(act.db):
        raise OwnerNeededError


def _require_two(new: Sequence[NewPerson]) -> None:
    starters = {each.person_id for each in new if OPERATIONS in each.roles}
    others = {each.person_id for each in new if {OPERATIONS, APPROVER} & each.roles}
    if not starters or len(others) < 2:  # noqa: PLR2004 - two persons
        raise TooFewPeopleError


async def _made(act: Act, person: NewPerson, lifetime: timedelta) -> Keyed:
    there = await queries.locked_person(act.db, person.person_id)
    if there is None:
        await service.add_person(act, person)
    elif not person.roles.issubset(there.roles):
        await service.grant_roles(act, person.person_id, person.roles, person.operator_id)
    key = ApiKey.new()
    await service.issue_key(act, person.person_id, key, lifetime)
    return person, key


class _Known(msgspec.Struct):
    """What each person in the file must have; the rest of an entry is kept as it is."""

    person_id: str


async def demo_people(act: Act) -> list[NewPerson]:
    """Return the people of the demo: one of each role.

    Raises:
        NoOperatorError: The city has none.
    """
    operator_id = await queries.demo_operator(act.db)
    if operator_id is None:
        raise NoOperatorError
    return [
        NewPerson.model_validate(
            {
                "person_id": f"demo-{role.rpartition('_')[2]}",
                "name": name,
                "roles": [role],
                "operator_id": operator_id if role == OPERATOR else None,
            }
        )
        for role, name in _NAMES.items()
    ]


async def without_key(act: Act, people: Sequence[NewPerson], file: Path) -> list[NewPerson]:
    """Return those of some people for whom a file has no key that is good.

    Raises:
        CredentialsFileError: The file cannot be understood.
    """
    kept = _entries(read_credentials(file), file)
    return [each for each in people if not await _is_good(act, kept.get(each.person_id))]


async def _is_good(act: Act, entry: dict[str, Any] | None) -> bool:
    key = ApiKey.read(str(entry.get("key"))) if entry else None
    known = await queries.credential(act.db, key.key_id) if key else None
    if entry is None or key is None or known is None:
        return False
    is_theirs = key.matches(known.hash) and known.person_id == entry["person_id"]
    return is_theirs and queries.is_good(known, act.at)


def keep_keys(made: Sequence[Keyed], file: Path) -> None:
    """Write people with their keys into the file of credentials; what else it holds is kept.

    Call it within the act: should the file fail, the database has none of them.

    Raises:
        CredentialsFileError: The file cannot be understood.
        OSError: It cannot be written.
    """
    document = read_credentials(file)
    kept = _entries(document, file)
    for person, key in made:
        entry: dict[str, Any] = {
            "person_id": person.person_id,
            "name": person.name,
            "role": min(person.roles),
        }
        if person.operator_id:
            entry["operator_id"] = person.operator_id
        kept[person.person_id] = {**entry, "key": key.written()}
    # Those of the demo first, in the order of their roles.
    order = {f"demo-{role.rpartition('_')[2]}": place for place, role in enumerate(_NAMES)}
    people = sorted(kept.values(), key=lambda each: order.get(each["person_id"], len(order)))
    write_credentials(file, {**document, "people": people})


def _entries(document: Mapping[str, Any], file: Path) -> dict[str, dict[str, Any]]:
    people = document.get("people", [])
    try:
        msgspec.convert(people, list[_Known])
    except msgspec.ValidationError as error:
        raise CredentialsFileError(f"{file} lists no people: move it away") from error
    return {entry["person_id"]: entry for entry in people}
