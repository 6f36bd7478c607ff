"""Passwords of gateways, issued and revoked by people.

Here they change in the database alone. Who applies them at the broker hears of it by `NOTIFY` (the
trigger on `gateway`): see `broker_users.py`.
"""

from typing import Final

from parking_api.operators import queries
from parking_api.operators.broker_files import mosquitto_hash, new_password, new_salt
from parking_api.operators.errors import GatewayNotFoundError
from parking_api.operators.models import GatewayCredentials, NewCredentials
from parking_api.workflow import Act

ISSUED: Final = "gateway.issue_password"
REVOKED: Final = "gateway.revoke_password"
# What the audit keeps before and after, by whether there is a password.
_PASSWORD: Final = {has_one: {"has_password": has_one} for has_one in (True, False)}


async def issue_password(act: Act, operator_id: str, gateway_id: str) -> NewCredentials:
    """Give a gateway a new password; the one before ends.

    Args:
        act: The act.
        operator_id: Whose gateway it must be.
        gateway_id: The gateway.

    Raises:
        GatewayNotFoundError: The operator has no such gateway.
    """
    had_one = await _has_password(act, operator_id, gateway_id)
    password = new_password()
    await queries.set_by_person(act.db, gateway_id, mosquitto_hash(password, new_salt()))
    act.keep(ISSUED, f"gateway/{gateway_id}", _PASSWORD[had_one], _PASSWORD[True])
    return NewCredentials(gateway_id=gateway_id, password=password, issued_at=act.at)


async def revoke_password(act: Act, operator_id: str, gateway_id: str) -> GatewayCredentials:
    """End a gateway's password, and with it all that it may do; without one nothing changes.

    Raises:
        GatewayNotFoundError: The operator has no such gateway.
    """
    if await _has_password(act, operator_id, gateway_id):
        await queries.set_by_person(act.db, gateway_id, None)
        act.keep(REVOKED, f"gateway/{gateway_id}", _PASSWORD[True], _PASSWORD[False])
    return GatewayCredentials(gateway_id=gateway_id, has_password=False)


async def _has_password(act: Act, operator_id: str, gateway_id: str) -> bool:
    found = await queries.gateway(act.db, operator_id, gateway_id)
    if found is None:
        raise GatewayNotFoundError
    return found.has_password
