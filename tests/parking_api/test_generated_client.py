"""A client that openapi-python-client makes of the OpenAPI document asks the running API."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from parking_api.app import create_app
from parking_api.settings import ApiSettings
from tests.parking_api.bureau import Bureau
from tests.parking_api.processes import serving
from tests.parking_api.recorded.recording import recorded

PACKAGE = "one_lot_client"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the client's package is; it can be imported for as long as this module's tests run."""
    directory = tmp_path_factory.mktemp("client")
    document = directory / "openapi.json"
    document.write_text(json.dumps(create_app(ApiSettings(), "postgresql://nowhere").openapi()))
    made = subprocess.run(
        [
            *(str(PROGRAMS / "openapi-python-client"), "generate", "--fail-on-warning"),
            *("--meta", "none", "--path", document, "--output-path", directory / PACKAGE),
        ],
        capture_output=True,
        text=True,
        check=False,
        # It has ruff look at what it wrote.
        env={**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    # It tells where it writes, and nothing else.
    assert made.stdout.split() == ["Generating", str(directory / PACKAGE)], made.stdout
    assert made.stderr == ""
    sys.path.insert(0, str(directory))
    yield directory / PACKAGE
    sys.path.remove(str(directory))


def part(name: str) -> Any:
    """A module of the client: `api.lots.nearest_lots`."""
    return importlib.import_module(f"{PACKAGE}.{name}")


def test_every_operation_has_a_function(generated: Path) -> None:
    ids = {operation["operation"] for operation in recorded()["whole"]["operations"].values()}
    functions = {file.stem for file in generated.glob("api/*/*.py")} - {"__init__"}

    assert {name.replace("_", "") for name in functions} == {each.lower() for each in ids}


@pytest.mark.parametrize("status", [200, 422, 429])
def test_it_reads_acks_as_well_as_problems(generated: Path, status: int) -> None:
    del generated
    models = part("models")
    document = create_app(ApiSettings(), "postgresql://nowhere").openapi()
    operation = document["paths"]["/v1/feeds/{gateway_id}/{lot_id}/{kind}"]["post"]
    ack = operation["responses"][str(status)]["content"]["application/json"]["example"]
    problem = {"type": "about:blank", "title": "x", "status": status, "detail": "y"}
    answers = iter([ack, problem])
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=next(answers)))
    client = part("client").AuthenticatedClient(base_url="http://x", token="t")
    client.set_httpx_client(httpx.Client(transport=transport, base_url="http://x"))
    body = models.SpacesReport.from_dict(
        operation["requestBody"]["content"]["application/json"]["example"]
    )

    post = part("api.operators.post_report").sync
    first = post("gw-a", "a", "spaces", client=client, body=body)
    assert isinstance(first, models.AckMessage)
    assert first.result == ack["result"]
    if status != HTTPStatus.OK:
        assert isinstance(post("gw-a", "a", "spaces", client=client, body=body), models.Problem)


async def test_it_asks_a_running_api(generated: Path, bureau: Bureau, database_url: str) -> None:
    del generated
    await bureau.published()
    models = part("models")
    with serving(database_url) as api:
        client = part("client").Client(base_url=api.url, raise_on_unexpected_status=True)

        nearest = part("api.lots.nearest_lots").sync(
            client=client, lon=120.38, lat=36.06, min_free=0, limit=2
        )
        lot = part("api.lots.get_lot").sync("street", client=client)
        first = part("api.lots.list_lots").sync(client=client, limit=2)
        (cursor,) = parse_qs(urlsplit(first.next_).query)["cursor"]
        second = part("api.lots.list_lots").sync(client=client, limit=2, cursor=cursor)
        quote = part("api.quotes.quote_stay").sync(
            client=client,
            body=models.QuoteAsk(
                lot_id="street",
                entry=bureau.clock.now,
                exit_=bureau.clock.now.replace(hour=bureau.clock.now.hour + 1),
            ),
        )
        refused = part("api.lots.nearest_lots").sync_detailed(client=client, lon=200, lat=36.06)
        features = [
            part(name).sync(client=client, f=form.GEOJSON, **place)
            for name, form, place in (
                ("api.lots.nearest_lots", models.NearestLotsF, {"lon": 120.38, "lat": 36.06}),
                ("api.spaces.nearest_spaces", models.NearestSpacesF, {"lon": 120.38, "lat": 36.06}),
                ("api.lots.list_lots", models.ListLotsF, {}),
            )
        ]
        unknown = part("api.lots.get_lot").sync("nowhere", client=client)
        notice = part("api.tariffs.get_notice").sync("t-1", 1, client=client)
        zones = part("api.zones.list_zones").sync(client=client)

        myself = part("api.people.get_myself")
        key = bureau.drafter["Authorization"].removeprefix("Bearer ")
        known = part("client").AuthenticatedClient(base_url=api.url, token=key)
        me, nobody = myself.sync(client=known), myself.sync(client=client)

    assert {each.lot_id for each in nearest.lots} <= {"street", "garage"}
    assert nearest.lots[0].distance_m >= 0
    assert isinstance(lot, models.LotAnswer)
    assert lot.name.zh
    assert [each.lot_id for each in first.items] == ["garage", "outside"]
    assert [each.lot_id for each in second.items] == ["street"]
    assert second.next_ is None
    assert isinstance(quote, models.FullQuote)
    assert quote.total_minor == sum(line.amount_minor for line in quote.lines) > 0
    assert refused.status_code == 422
    assert isinstance(refused.parsed, models.Problem)
    assert [fault.parameter for fault in refused.parsed.errors] == ["lon"]
    assert {type(each).__name__ for each in features} == {
        "NearestLotCollection", "NearestSpaceCollection", "LotCollection"
    }  # fmt: skip
    assert (unknown.status, unknown.detail) == (404, "There is no such lot.")
    assert notice.startswith("<!doctype html>")
    assert [feature.id for feature in zones.features] == ["z-1"]
    assert me.person_id == "wang"
    assert isinstance(nobody, models.Problem)
    assert nobody.status == 401
