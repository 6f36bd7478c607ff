"""What takes long is done beside the event loop."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from parking_api.lots import service
from parking_api.tariffs import documents
from parking_api.worker import INLINE_ROWS
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, document
from tests.parking_api.serving import get

Threads = Callable[[Any, str], set[str]]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    """Watches a function: the names of the threads that call it."""

    def watched(module: Any, name: str) -> set[str]:
        called: set[str] = set()
        real = getattr(module, name)

        def noting(*args: Any) -> Any:
            called.add(threading.current_thread().name.rstrip("_0123456789"))
            return real(*args)

        monkeypatch.setattr(module, name, noting)
        return called

    return watched


@pytest.mark.parametrize(("count", "where"), [(3, "MainThread"), (INLINE_ROWS + 1, "worker")])
async def test_long_lists_of_lots(
    api: httpx.AsyncClient, built: Builder, threads: Threads, count: int, where: str
) -> None:
    for place in range(count):
        await built.lot(f"lot-{place:03}")
    called = threads(service, "lot")

    told = await get(api, "/v1/lots", limit=1000)

    assert [lot["lot_id"] for lot in told["items"]] == [f"lot-{place:03}" for place in range(count)]
    assert called == {where}


async def test_long_histories(api: httpx.AsyncClient, built: Builder, threads: Threads) -> None:
    await built.lot("a")
    start = datetime(2026, 11, 20, tzinfo=UTC)
    called = threads(service, "occupancy_step")

    end = start + (INLINE_ROWS + 1) * timedelta(minutes=5)
    told = await get(
        api, "/v1/lots/a/occupancy", **{"from": start.isoformat(), "to": end.isoformat()}
    )

    assert len(told["items"]) == INLINE_ROWS + 1
    assert called == {"worker"}


async def test_documents_that_are_drafted(bureau: Bureau, threads: Threads) -> None:
    called = threads(documents, "read_document")

    drafted = await bureau.draft()
    again = await bureau.post("/v1/tariffs/t-1/versions", bureau.drafter, document=document())

    assert (drafted.status_code, again.status_code) == (201, 201)
    assert called == {"worker"}
