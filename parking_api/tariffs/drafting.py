"""Versions until they are submitted: made and changed by their drafter."""

import json
import re
from typing import Any, Final

import pricing
from parking_api.audit import Action, Connection
from parking_api.errors import ParameterFault
from parking_api.models import Json, Row
from parking_api.parameters import ID_PATTERN
from parking_api.quotes.errors import TariffInvalidError
from parking_api.quotes.service import read_document
from parking_api.tariffs import queries
from parking_api.tariffs.errors import (
    TargetUnknownError,
    TariffExistsError,
    TariffUnknownError,
    VersionStateError,
)
from parking_api.tariffs.models import AppliesTo, NewTariff, NewVersion
from parking_api.tariffs.queries import Key
from parking_api.tariffs.recording import recorded
from parking_api.worker import off_loop
from parking_api.workflow import NotTheDrafterError
from sql.named import named

_ID: Final = re.compile(ID_PATTERN)


def checked(document: Json, tariff_id: str | None = None) -> pricing.Tariff:
    """Read a document that is to be kept.

    Args:
        document: As it was sent.
        tariff_id: The tariff that it is a version of; None for a new one.

    Raises:
        TariffInvalidError: With every fault of it.
    """
    try:
        tariff, faults = read_document(document), []
    except TariffInvalidError as error:
        tariff, faults = None, list(error.faults)
    given = document.get("id")
    if tariff_id is not None and given != tariff_id:
        faults.append(ParameterFault(parameter="document.id", message=f"should be {tariff_id}"))
    elif isinstance(given, str) and not _ID.fullmatch(given):
        message = "should be of a-z, 0-9, dot, dash and underscore, 64 at most"
        faults.append(ParameterFault(parameter="document.id", message=message))
    if "\\u0000" in json.dumps(document):
        faults.append(ParameterFault(parameter="document", message="holds a NUL character"))
    if tariff is None or faults:
        raise TariffInvalidError(faults)
    return tariff


async def draft_tariff(connection: Connection, new: NewTariff, act: Action) -> Key:
    """Draft a new tariff: its version 1; within a transaction.

    Raises:
        TariffInvalidError: The document has faults.
        TargetUnknownError: It would apply to what is not there.
        TariffExistsError: Its id is taken.
    """
    tariff = await off_loop(checked, new.document)
    await _check_target(connection, new.applies_to)
    if not await connection.fetchval(named("tariff_add"), tariff.id, act.person_id, act.at):
        raise TariffExistsError
    return await _add(connection, tariff.id, new.document, new.applies_to, copy_of=None, act=act)


async def draft_version(
    connection: Connection, tariff_id: str, new: NewVersion, act: Action
) -> Key:
    """Draft a further version of a tariff; within a transaction.

    Raises:
        TariffUnknownError: There is no such tariff, or no such version to go back to.
        TariffInvalidError: The document has faults.
        TargetUnknownError: It would apply to what is not there.
    """
    if not await connection.fetchval(named("tariff_locked"), tariff_id):
        raise TariffUnknownError
    latest = await connection.fetchval(named("tariff_next"), tariff_id) - 1
    model = await queries.version(
        connection, Key(tariff_id, new.copy_of or latest), act.at, whole=True
    )
    document = new.document or queries.document_of(model)
    await off_loop(checked, document, tariff_id)
    target = new.applies_to or queries.target_of(model)
    await _check_target(connection, target)
    return await _add(connection, tariff_id, document, target, copy_of=new.copy_of, act=act)


async def _add(
    connection: Connection,
    tariff_id: str,
    document: Json,
    target: AppliesTo,
    *,
    copy_of: int | None,
    act: Action,
) -> Key:
    key = Key(tariff_id, await connection.fetchval(named("tariff_next"), tariff_id))
    values = _values(document, target)
    await connection.execute(
        named("tariff_version_add"),
        *(tariff_id, key.version, *values, copy_of, act.person_id, act.at),
    )
    async with recorded(connection, key, "tariff.draft", act, is_new=True):
        pass
    return key


async def change(connection: Connection, key: Key, new: NewTariff, act: Action) -> None:
    """Write one's own draft anew; within a transaction.

    Raises:
        TariffUnknownError: There is no such version.
        NotTheDrafterError: It is somebody else's.
        VersionStateError: It is no draft any more.
        TariffInvalidError: The document has faults.
        TargetUnknownError: It would apply to what is not there.
    """
    await require_own_draft(connection, key, act)
    await off_loop(checked, new.document, key.tariff_id)
    await _check_target(connection, new.applies_to)
    async with recorded(connection, key, "tariff.change", act):
        values = _values(new.document, new.applies_to)
        await connection.execute(
            named("tariff_version_change"), key.tariff_id, key.version, *values, act.at
        )


async def locked(connection: Connection, key: Key) -> Row:
    """Read a version's state, and keep others from changing it until the transaction ends.

    Raises:
        TariffUnknownError: There is no such version.
    """
    row: Row | None = await connection.fetchrow(
        named("tariff_version_locked"), key.tariff_id, key.version
    )
    if row is None:
        raise TariffUnknownError
    return row


async def require_own_draft(connection: Connection, key: Key, act: Action) -> None:
    """Lock a draft for its drafter."""
    row = await locked(connection, key)
    if row["state"] != "draft":
        raise VersionStateError(
            f"Version {key.version} of {key.tariff_id} is {row['state']}, no draft any more: "
            "draft a new version."
        )
    if row["drafted_by"] != act.person_id:
        raise NotTheDrafterError


async def _check_target(connection: Connection, target: AppliesTo) -> None:
    missing = await connection.fetch(
        named("tariff_unknown_targets"), list(target.zones), list(target.lots)
    )
    if missing:
        raise TargetUnknownError(missing)


def _values(document: Json, target: AppliesTo) -> tuple[Any, ...]:
    return (
        json.dumps(document, ensure_ascii=False),
        pricing.content_hash(document),
        *(sorted(set(each)) for each in (target.zones, target.lot_types, target.lots)),
    )
