"""A gateway that posts, and what it needs: its password in the database."""

import json
from typing import Any

import httpx

from parking_api.operators.broker_files import mosquitto_hash
from sql.engine import Db

LOGIN = ("gw-a", "right")
GATES = "/v1/feeds/gw-a/gates/count"


def body(seq: int, **fields: Any) -> bytes:
    at = "2026-11-22T09:30:00+08:00"
    return json.dumps({"epoch": 100, "seq": seq, "observed_at": at, **fields}).encode()


async def set_password(db: Db, password: str, gateway_id: str = "gw-a") -> None:
    statement = "UPDATE gateway SET password_hash = $1 WHERE gateway_id = $2"
    await db.execute(statement, mosquitto_hash(password, b"a" * 12), gateway_id)


async def post(
    api: httpx.AsyncClient, seq: int, path: str = GATES, **fields: Any
) -> httpx.Response:
    return await api.post(path, content=body(seq, **fields), auth=LOGIN)


def problem(answer: httpx.Response, status: int) -> str:
    """What kind of problem it is; fail where it is none, or of another status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["detail"]
    return str(told["type"]).rpartition(":")[2]
