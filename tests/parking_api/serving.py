"""The application with its lifespan, in the test's own process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from deploy import postgres
from parking_api.app import create_app, utc_now
from parking_api.errors import DatabaseAwayError
from parking_api.settings import ApiSettings
from tests.servers import as_role


@asynccontextmanager
async def serving(
    database_url: str,
    clock: Callable[[], datetime] = utc_now,
    *,
    has_database: bool = True,
    reads_again: bool = True,
    **settings: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve `database_url` to the client that this gives, once the city has been read from it.

    Args:
        database_url: Where the city is.
        clock: What time it is.
        has_database: Whether the database is there: else nothing is waited for.
        reads_again: Whether the city is read again for each request: tests write into the database
            what the ingester would have told by the broker.
        settings: The API's; it waits long: other tests keep the machine busy.
    """
    patient = dict.fromkeys(("acquire_timeout_s", "query_timeout_s", "read_timeout_s"), 30.0)
    settings = {**patient, **settings}
    roles = {"office_database_url": as_role(database_url, postgres.OFFICE)}
    part = postgres.OFFICE if settings.get("part") == "office" else postgres.PUBLIC
    url = as_role(database_url, part)
    app = create_app(ApiSettings(**(roles | settings)), url, clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def read_again(_: httpx.Request) -> None:
        app.state.city.note_change("")
        with suppress(DatabaseAwayError):
            await app.state.city.read()
            await app.state.names.read()

    hooks = {"request": [read_again] if reads_again and has_database else []}
    client = httpx.AsyncClient(transport=transport, base_url="http://api", event_hooks=hooks)
    async with app.router.lifespan_context(app), client:
        if has_database:
            # The lifespan itself waits only until reading was tried.
            async with asyncio.timeout(60):
                await app.state.resources.until_loaded()
        yield client


def app_of(client: httpx.AsyncClient) -> FastAPI:
    """Return the application that a client asks."""
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    assert isinstance(transport.app, FastAPI)
    return transport.app


def close_streams(client: httpx.AsyncClient) -> None:
    """Have streams end after the present state: this client waits for the end of each answer."""
    app_of(client).state.changes.close()


async def get(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    """Ask, expect 200, and give the body."""
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client: httpx.AsyncClient, path: str, **parameters: Any) -> list[str]:
    """Ask, expect a problem about parameters, and give the parameters' names."""
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [fault["parameter"] for fault in answer.json()["errors"]]


def ageless(body: Any) -> Any:
    """Leave `age_s` out, wherever it is: time passes between two answers."""
    if isinstance(body, list):
        return [ageless(one) for one in body]
    if isinstance(body, dict):
        return {key: ageless(value) for key, value in body.items() if key != "age_s"}
    return body


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Whether the answer is a problem without a kind of its own; fail when it is none."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    return True


async def samples(api: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What /metrics says: values by name and labels."""
    answer = await api.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
