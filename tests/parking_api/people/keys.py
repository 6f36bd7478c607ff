"""People for a test, with their keys, as the command makes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from deploy import postgres
from parking_api.command_line import connected
from parking_api.people import service
from parking_api.people.keys import ApiKey
from parking_api.people.models import COMMAND, NewPerson
from parking_api.workflow import acting
from tests.servers import as_role

# Long, so that a test may put its clock on by years.
LIFETIME = timedelta(days=3650)


async def keyed(
    database_url: str,
    person_id: str,
    *roles: str,
    operator_id: str | None = None,
    at: datetime | None = None,
) -> dict[str, str]:
    """Add a person with a key; the headers that they send."""
    now = at or datetime.now(UTC)
    new = NewPerson.model_validate(
        {"person_id": person_id, "name": person_id, "roles": roles, "operator_id": operator_id}
    )
    key = ApiKey.new()
    owner = as_role(database_url, postgres.OWNER)
    async with connected(owner, "test") as db, acting(db, COMMAND, now) as act:
        await service.add_person(act, new)
        await service.issue_key(act, person_id, key, LIFETIME)
    return shown(key.written())


def shown(key: str) -> dict[str, str]:
    """The headers that show a key or a token."""
    return {"Authorization": f"Bearer {key}"}


def key_id(headers: dict[str, str]) -> str:
    """The id of the key that the headers show."""
    return headers["Authorization"].split("_")[1]


def body(answer: Any, status: int = 200) -> Any:
    """The answer's body, which must have that status."""
    assert answer.status_code == status, answer.text
    return answer.json()
