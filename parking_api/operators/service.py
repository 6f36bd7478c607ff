"""Passwords of gateways, issued and revoked by people.

Here they change in the database alone. Who applies them at the broker hears of it by `NOTIFY` (the
trigger on `gateway`): see `broker_users.py`.
"""

from datetime import datetime
from typing import Final

from parking_api.audit.service import record
from parking_api.operators import queries
from parking_api.operators.broker_files import mosquitto_hash, new_password, new_salt
from parking_api.operators.errors import GatewayNotFoundError
from parking_api.operators.models import NewCredentials
from sql.engine import Db, Transaction, transaction

ISSUED: Final = "issue_gateway_password"
REVOKED: Final = "revoke_gateway_password"


async def issue_password(
    db: Db, operator_id: str, gateway_id: str, person_id: str, now: datetime
) -> NewCredentials:
    """Give a gateway a new password; the one before ends.

    Args:
        db: A connection.
        operator_id: Whose gateway it must be.
        gateway_id: The gateway.
        person_id: Who issues it.
        now: Aware.

    Raises:
        GatewayNotFoundError: The operator has no such gateway.
    """
    password = new_password()
    async with transaction(db) as within:
        has_password = await _held(within, operator_id, gateway_id)
        stored = mosquitto_hash(password, new_salt())
        await queries.set_by_person(within, gateway_id, stored)
        await record(
            within,
            person_id=person_id,
            action=ISSUED,
            subject=_subject(gateway_id),
            before={"has_password": has_password},
            after={"has_password": True},
            reason=None,
            at=now,
        )
    return NewCredentials(gateway_id=gateway_id, password=password, issued_at=now)


async def revoke_password(
    db: Db, operator_id: str, gateway_id: str, person_id: str, now: datetime
) -> None:
    """End a gateway's password, and with it all that it may do; without one nothing changes.

    Raises:
        GatewayNotFoundError: The operator has no such gateway.
    """
    async with transaction(db) as within:
        if not await _held(within, operator_id, gateway_id):
            return
        await queries.set_by_person(within, gateway_id, None)
        await record(
            within,
            person_id=person_id,
            action=REVOKED,
            subject=_subject(gateway_id),
            before={"has_password": True},
            after={"has_password": False},
            reason=None,
            at=now,
        )


async def _held(db: Transaction, operator_id: str, gateway_id: str) -> bool:
    found = await queries.gateway(db, operator_id, gateway_id)
    if found is None:
        raise GatewayNotFoundError
    return found.has_password


def _subject(gateway_id: str) -> str:
    return f"gateway/{gateway_id}"
