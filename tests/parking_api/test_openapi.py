"""The OpenAPI document reads well, and says what is so."""

from typing import Any

import httpx
import pytest

from tests.parking_api.serving import get

PATHS = {
    "/v1/nearest",
    "/v1/spaces/nearest",
    "/v1/lots",
    "/v1/lots/{lot_id}",
    "/v1/lots/{lot_id}/spaces",
    "/v1/lots/{lot_id}/occupancy",
    "/v1/city",
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/quotes",
    "/v1/zones",
    "/v1/zones/{zone_id}",
    "/v1/tariffs",
    "/v1/tariffs/{tariff_id}/versions/{version}",
    "/v1/tariffs/{tariff_id}/versions/{version}/notice",
    "/v1/price-controls",
    "/v1/calendar",
    "/v1/mechanisms",
    "/v1/mechanisms/{mechanism_id}/reviews/{number}/draft",
    "/v1/tokens",
    "/v1/people",
    "/v1/people/me",
    "/v1/people/{person_id}/keys",
    "/v1/people/{person_id}/keys/{key_id}",
    "/v1/people/{person_id}/keys/{key_id}/rotate",
    "/v1/operators",
    "/v1/operators/{operator_id}",
    "/v1/feeds",
    "/v1/feeds/{gateway_id}",
    "/v1/dead-letters",
    "/v1/dead-letters/{dead_letter_id}",
}


@pytest.fixture
async def document(big_api: httpx.AsyncClient) -> Any:
    return await get(big_api, "/openapi.json")


async def test_every_route_is_described(document: Any) -> None:
    assert set(document["paths"]) >= PATHS
    routes = [
        ((method, path), route)
        for path, methods in document["paths"].items()
        for method, route in methods.items()
    ]
    for which, route in routes:
        assert route["tags"], which
        assert route["summary"], which
        assert route["description"], which
        assert "422" in route["responses"], which
        for status, response in route["responses"].items():
            kinds = set(response.get("content", ()))
            assert (kinds == {"application/problem+json"}) == (status >= "400"), which


async def test_parameters_are_declared_with_their_bounds(document: Any) -> None:
    declared = document["paths"]["/v1/nearest"]["get"]["parameters"]
    names = {parameter["name"]: parameter for parameter in declared}

    assert {name for name, parameter in names.items() if parameter["required"]} == {"lon", "lat"}
    assert set(names) >= {"limit", "radius_m", "min_free", "space_class", "vehicle", "height_m"}
    assert names["limit"]["schema"]["maximum"] == 100
    assert names["radius_m"]["schema"]["maximum"] == 20_000
    history = document["paths"]["/v1/lots/{lot_id}/occupancy"]["get"]["parameters"]
    assert {parameter["name"] for parameter in history} == {"lot_id", "from", "to", "step"}
    assert document["paths"]["/v1/city"]["get"].get("parameters", []) == []


async def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]

    def references(part: Any) -> list[str]:
        if isinstance(part, list):
            return [found for item in part for found in references(item)]
        if not isinstance(part, dict):
            return []
        here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return here + [found for item in part.values() for found in references(item)]

    found = set(references(document))
    assert "#/components/schemas/Problem" in found
    assert found <= {f"#/components/schemas/{name}" for name in schemas}
    assert "HTTPValidationError" not in schemas


async def test_the_pages_for_people(big_api: httpx.AsyncClient) -> None:
    page = await big_api.get("/docs")

    assert page.status_code == 200
    assert "OneLot" in page.text
