"""Enrolment commands: start, confirm, complete, withdraw.

Operations starts an enrolment, a second person confirms it and is shown a one-time code, and
whoever it is for completes it with the code and alone sees the key. Neither the starter nor the
person it is for confirms. Who has lost their role by the time that it is completed counts as
nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog

from parking_api.enrolments import codes, queries
from parking_api.enrolments.errors import (
    CodeRefusedError,
    EnrolmentStateError,
    EnrolmentUnknownError,
    NothingToGrantError,
    OwnKeyNeededError,
)
from parking_api.enrolments.models import (
    CompletedEnrolment,
    EnrolmentAnswer,
    Kind,
    NewEnrolment,
)
from parking_api.enrolments.queries import Try
from parking_api.errors import ApiError
from parking_api.people import queries as people_queries
from parking_api.people import service as people
from parking_api.people.access import Caller
from parking_api.people.errors import (
    OperatorUnknownError,
    PersonExistsError,
    PersonUnknownError,
)
from parking_api.people.keys import ApiKey
from parking_api.people.models import IssuedKey, NewPerson, PersonAnswer
from parking_api.workflow import Act, SamePersonError, Step, Workflow, change, in_words
from sql.engine import Db, Transaction, transaction
from sql.kinds import APPROVER, OPERATIONS

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Enrolling:
    """Who completes an enrolment: the person that it is for, whatever roles they will have."""

    person_id: str
    roles: Sequence[str] = ()


async def _locked(db: Transaction, enrolment_id: str) -> EnrolmentAnswer:
    found = await queries.locked(db, enrolment_id)
    if found is None:
        raise EnrolmentUnknownError
    return found


def _wrong_state(enrolment: EnrolmentAnswer, *_: object) -> ApiError:
    return EnrolmentStateError(
        f"The enrolment {enrolment.enrolment_id} is {in_words(enrolment.state)} already."
    )


def _same_person(_: object) -> ApiError:
    return SamePersonError(
        "Whoever started an enrolment, or gets something by it, may not confirm it: that takes a "
        "second person."
    )


ENROLMENTS: Final = Workflow[str, EnrolmentAnswer](
    kind="enrolment",
    steps={
        "start": [Step(OPERATIONS, (), ("started",))],
        # Again, for a new code.
        "confirm": [
            Step(OPERATIONS, ("started", "confirmed"), ("confirmed",), "second"),
            Step(APPROVER, ("started", "confirmed"), ("confirmed",), "second"),
        ],
        # By the code.
        "complete": [Step(None, ("confirmed",), ("completed",))],
        "withdraw": [Step(OPERATIONS, ("started", "confirmed"), ("withdrawn",))],
    },
    lock=_locked,
    authors=lambda enrolment: (enrolment.started_by, enrolment.person_id),
    subject=lambda enrolment: f"enrolment/{enrolment.enrolment_id}",
    audited=lambda enrolment: enrolment,
    wrong_state=_wrong_state,
    same_person=_same_person,
)


async def start(act: Act, new: NewEnrolment) -> EnrolmentAnswer:
    """Start an enrolment: of a new person, of further roles, or of a new key.

    Raises:
        SamePersonError: It is for whoever starts it.
        PersonUnknownError: There is no such person, and name and roles for a new one are missing.
        PersonExistsError: There is such a person, so that it has a name already.
        NothingToGrantError: They have all these roles already.
        OperatorUnknownError: There is no such operator.
    """
    if new.person_id == act.person_id:
        raise SamePersonError("Nobody starts an enrolment of their own.")
    there = await people_queries.locked_person(act.db, new.person_id)
    try:
        started = await queries.start(
            act.db,
            enrolment_id=codes.new_id(),
            kind=_kind(new, there),
            person_id=new.person_id,
            name=new.name,
            roles=sorted(new.roles),
            operator_id=new.operator_id,
            by=act.person_id,
            at=act.at,
        )
    except asyncpg.ForeignKeyViolationError as error:
        raise OperatorUnknownError from error
    ENROLMENTS.keep(act, "start", None, started)
    return started


def _kind(new: NewEnrolment, there: PersonAnswer | None) -> Kind:
    if there is None:
        if new.name is None or not new.roles:
            raise PersonUnknownError
        return "person"
    if new.name is not None:
        raise PersonExistsError
    if not new.roles:
        return "key"
    if new.roles.issubset(there.roles):
        raise NothingToGrantError
    return "roles"


async def confirm(act: Act, enrolment_id: str) -> tuple[EnrolmentAnswer, str]:
    """Confirm an enrolment; of one that is confirmed already, make a new code.

    Returns:
        The enrolment, and its one-time code, which is kept nowhere.

    Raises:
        EnrolmentUnknownError: There is none.
        EnrolmentStateError: It is completed or withdrawn.
        SamePersonError: Whoever confirms has started it, or it is for them.
        NotStandingError: Whoever started it is no more of operations.
    """
    code = codes.new()
    async with change(act, ENROLMENTS, "confirm", enrolment_id) as taken:
        await people.require_standing(act, taken.before.started_by, OPERATIONS)
        taken.after = await queries.confirm(
            act.db,
            enrolment_id,
            by=act.person_id,
            at=act.at,
            code_hash=codes.hashed(enrolment_id, code),
            code_expires_at=act.at + codes.LIFETIME,
        )
    return taken.after, code


async def try_code(
    db: Db, enrolment_id: str, code: str, caller: Caller | None, at: datetime
) -> Try:
    """Try a code. The try counts, whatever becomes of it: it is committed before it is looked at.

    Args:
        db: Not in a transaction.
        enrolment_id: Which.
        code: As it was typed.
        caller: Who shows something beside the code.
        at: Now.

    Raises:
        CodeRefusedError: It is another, or good no more.
        OwnKeyNeededError: Roles are to be added, and the caller shows no key of the person's.
    """
    async with transaction(db) as within:
        tried = await queries.take_try(within, enrolment_id, at=at, most=codes.MOST_TRIES)
    if (
        tried is None
        or tried.code_hash is None
        or not codes.matches(enrolment_id, code, tried.code_hash)
    ):
        log.warning("a code was refused", enrolment_id=enrolment_id)
        raise CodeRefusedError
    is_theirs = caller and not caller.by_token and caller.person.person_id == tried.person_id
    if tried.kind == "roles" and not is_theirs:
        raise OwnKeyNeededError
    return tried


async def complete(
    act: Act, enrolment_id: str, tried: Try, lifetime: timedelta
) -> CompletedEnrolment:
    """Complete an enrolment, whose code was the right one. Of two at once, one wins.

    Args:
        act: Whose actor is the person that it is for.
        enrolment_id: Which.
        tried: What `try_code` returned.
        lifetime: How long a key is good, at most.

    Raises:
        CodeRefusedError: The code was used, or replaced, meanwhile.
        NotStandingError: Whoever started or confirmed it has lost their role, or all keys.
        PersonExistsError: There is a person of that id meanwhile.
        OperatorUnknownError: There is no such operator any more.
    """
    before = await queries.locked(act.db, enrolment_id)
    code_hash = tried.code_hash or b""
    if before is None or not await queries.has_code(act.db, enrolment_id, code_hash):
        raise CodeRefusedError
    await people.require_standing(act, before.started_by, OPERATIONS)
    await people.require_standing(act, before.confirmed_by, OPERATIONS, APPROVER)
    person, key = await _grant(act, before, lifetime)
    async with change(act, ENROLMENTS, "complete", enrolment_id) as taken:
        taken.after = await queries.complete(
            act.db, enrolment_id, at=act.at, key_id=key.key_id if key else None
        )
    return CompletedEnrolment(person=person, key=key)


async def _grant(
    act: Act, enrolment: EnrolmentAnswer, lifetime: timedelta
) -> tuple[PersonAnswer, IssuedKey | None]:
    if enrolment.kind == "roles":
        person = await people.grant_roles(
            act, enrolment.person_id, enrolment.roles, enrolment.operator_id
        )
        return person, None
    if enrolment.kind == "person":
        new = NewPerson.model_validate(
            {
                "person_id": enrolment.person_id,
                "name": enrolment.name,
                "roles": enrolment.roles,
                "operator_id": enrolment.operator_id,
            }
        )
        person = await people.add_person(act, new)
    else:
        there = await people_queries.locked_person(act.db, enrolment.person_id)
        if there is None:
            raise PersonUnknownError
        person = there
        # Lost ones end; and whoever still has one notices that somebody else has got a key.
        for other in await people_queries.keys(act.db, person.person_id):
            await people.revoke_key(act, person.person_id, other.key_id)
    key = ApiKey.new()
    issued = await people.issue_key(act, person.person_id, key, lifetime)
    return person, IssuedKey(**issued.model_dump(), key=key.written())


async def withdraw(act: Act, enrolment_id: str) -> EnrolmentAnswer:
    """Withdraw an enrolment that is not completed.

    Raises:
        EnrolmentUnknownError: There is none.
        EnrolmentStateError: It is completed or withdrawn.
    """
    async with change(act, ENROLMENTS, "withdraw", enrolment_id) as taken:
        taken.after = await queries.withdraw(act.db, enrolment_id)
    return taken.after
