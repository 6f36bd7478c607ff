"""The OpenAPI document reads well, and says what is so.

Operation ids are promises to clients, and recorded: one that is renamed breaks whoever has
generated a client.
"""

import json
import re
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from jsonschema import Draft202012Validator

from parking_api.openapi import operations
from parking_api.people.access import _sees_all
from tests.parking_api.recorded.recording import recorded
from tests.parking_api.serving import app_of, get

# The ingester answers the one; the other's figures are never the same.
UNSHOWN = {"postReport", "getMetrics"}
# What the server itself may answer, to any request.
OF_ANY = {"400", "408", "414", "429", "431", "500", "503"}

PATHS = {
    "/v1/nearest",
    "/v1/spaces/nearest",
    "/v1/stream",
    "/v1/lots",
    "/v1/lots/{lot_id}",
    "/v1/lots/{lot_id}/spaces",
    "/v1/lots/{lot_id}/occupancy",
    "/v1/city",
    "/v1/map",
    "/v1/districts",
    "/v1/places",
    "/v1/map/places",
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/operations",
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
    "/v1/enrolments",
    "/v1/people",
    "/v1/people/me",
    "/v1/people/{person_id}/keys",
    "/v1/people/{person_id}/keys/{key_id}",
    "/v1/people/{person_id}/keys/{key_id}/rotate",
    "/v1/operators",
    "/v1/operators/{operator_id}",
    "/v1/operators/{operator_id}/gateways/{gateway_id}/credentials",
    "/v1/feeds",
    "/v1/feeds/{gateway_id}",
    "/v1/feeds/{gateway_id}/{lot_id}/{kind}",
    "/v1/dead-letters",
    "/v1/dead-letters/{dead_letter_id}",
}


def faults(document: Any, schema: Any, value: Any) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]


POST_OF_REPORT = ("post", "/v1/feeds/{gateway_id}/{lot_id}/{kind}")


@pytest.fixture
async def document(big_api: httpx.AsyncClient) -> Any:
    return await get(big_api, "/openapi.json")


async def test_every_route_is_described(document: Any) -> None:
    assert set(document["paths"]) >= PATHS
    shared = document["components"]["responses"]
    for method, path, route in operations(document):
        which = (method, path)
        assert route["tags"], which
        assert route["summary"], which
        assert route["description"], which
        assert set(route["responses"]) >= {"422"} | OF_ANY, which
        if "requestBody" in route:
            assert set(route["responses"]) >= {"413", "415"}, which
        for status, told in route["responses"].items():
            response = shared[told["$ref"].rpartition("/")[2]] if "$ref" in told else told
            assert response["description"], which
            kinds = set(response.get("content", ()))
            # A refused report has its ack.
            kinds -= {"application/json"} if which == POST_OF_REPORT else set()
            assert (kinds == {"application/problem+json"}) == (status >= "400"), which


async def test_conditional_reads_say_so(big_api: httpx.AsyncClient, document: Any) -> None:
    """A read without parameters answers 304 to its own ETag just where the document has a 304."""
    conditional = {
        path
        for path, methods in document["paths"].items()
        if "304" in methods.get("get", {}).get("responses", ())
    }
    assert {"/v1/calendar", "/v1/places", "/v1/lots/{lot_id}/occupancy"} <= conditional
    asked = {path for path in document["paths"] if "{" not in path} - {"/v1/stream", "/metrics"}
    answered = set()
    for path in asked:
        first = await big_api.get(path, params={"q": "x"} if path == "/v1/places" else {})
        if tag := first.headers.get("etag"):
            again = await big_api.get(first.request.url, headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")
            answered.add(path)
    # Zones are as of now, unless they are asked for a time.
    assert answered == (conditional & asked) - {"/v1/zones"}


async def test_names_are_plain_and_unique(document: Any) -> None:
    named = {
        f"{method.upper()} {path}": operation["operationId"]
        for method, path, operation in operations(document)
    }
    kept = recorded()["whole"]["operations"]
    assert named == {which: operation["operation"] for which, operation in kept.items()}
    ids = list(named.values())
    assert len(set(ids)) == len(ids)
    assert [each for each in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z]+){0,3}", each)] == []
    schemas = document["components"]["schemas"]
    assert [each for each in schemas if not re.fullmatch(r"([A-Z][a-z]+)+", each)] == []
    schemes = document["components"]["securitySchemes"]
    assert [each for each in schemes if not re.fullmatch(r"[a-zA-Z]+", each)] == []


async def test_what_was_answered_is_declared(document: Any) -> None:
    """Each recorded answer is as its operation says of its status and media type."""
    declared = {
        f"{method.upper()} {path}": operation["responses"]
        for method, path, operation in operations(document)
    }
    shared = document["components"]["responses"]
    answers = 0
    for known in recorded().values():
        for name, kept in known.items():
            responses = declared.get(kept.get("route", ""))
            if responses is None:
                continue
            told = responses.get(str(kept["status"]))
            assert told, name
            response = shared[told["$ref"].rpartition("/")[2]] if "$ref" in told else told
            media_type = kept["headers"]["content-type"].partition(";")[0]
            assert media_type in response["content"], name
            answers += 1
            if media_type.endswith("json") and "body" in kept:
                schema = response["content"][media_type]["schema"]
                assert faults(document, schema, json.loads(kept["body"])) == [], name
    assert answers > 1000


def persons_in(value: Any, path: str = "") -> list[str]:
    """Where an answer says who did something."""
    if isinstance(value, list):
        return [found for each in value for found in persons_in(each, path)]
    if not isinstance(value, dict):
        return []
    # The version that set a price is no person.
    own = [f"{path}.{name}" for name in value if name.endswith("_by") and name != "priced_by"]
    return own + [found for name, each in value.items() for found in persons_in(each, name)]


async def test_no_answer_for_anyone_names_a_person() -> None:
    """Nobody who asks without a key, and no operator, is told who of the bureau did what."""
    asked, told = 0, 0
    for known in recorded().values():
        for name, kept in known.items():
            body = known[kept["body of"]]["body"] if "body of" in kept else kept.get("body", "")
            if not body.startswith("{"):
                continue
            persons = persons_in(json.loads(body))
            if name.startswith("nobody: "):
                asked += 1
                assert persons == [], name
            told += bool(persons)
    assert asked > 200
    assert told > 20


async def test_each_operation_shows_a_real_answer(document: Any) -> None:
    examples = document["components"]["examples"]
    assert len(examples) > 50
    for response in document["components"]["responses"].values():
        (content,) = response["content"].values()
        assert faults(document, content["schema"], content["example"]) == []
        assert HTTPStatus(content["example"]["status"]).phrase == content["example"]["title"]
    for _, _, operation in operations(document):
        which = operation["operationId"]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            bodies = [each["value"] for each in content.get("examples", {}).values()]
            bodies += [content["example"]] if "example" in content else []
            assert bodies, which
            for body in bodies:
                assert faults(document, content["schema"], body) == [], which
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                if status < "400" and which not in UNSHOWN:
                    assert "example" in content, (which, status, media_type)
                shown = content.get("examples", {}).values()
                values = [examples[each["$ref"].rpartition("/")[2]]["value"] for each in shown]
                for value in [*values, *([content["example"]] if "example" in content else [])]:
                    assert faults(document, content["schema"], value) == [], which


async def test_examples_of_fields_are_valid(document: Any) -> None:
    found = 0

    def look(part: Any) -> None:
        nonlocal found
        if isinstance(part, list):
            for item in part:
                look(item)
        elif isinstance(part, dict):
            if isinstance(part.get("examples"), list):
                schema = {name: value for name, value in part.items() if name != "examples"}
                for example in part["examples"]:
                    found += 1
                    assert faults(document, schema, example) == [], example
            for value in part.values():
                look(value)

    look(document["components"]["schemas"])
    look(document["paths"])
    assert found > 200


async def test_a_login_that_may_be_left_out_is_declared_so(
    big_api: httpx.AsyncClient, document: Any
) -> None:
    def shows_more(dependant: Dependant) -> bool:
        return dependant.call is _sees_all or any(map(shows_more, dependant.dependencies))

    routes = [found.original_route for found in iter_route_contexts(app_of(big_api).routes)]
    optional = [r for r in routes if isinstance(r, APIRoute) and shows_more(r.dependant)]
    assert len(optional) > 5
    for route in optional:
        operation = document["paths"][route.path]["get"]
        assert operation["security"] == [{}, {"keyOrToken": []}], route.path
        assert "401" in operation["responses"], route.path


async def test_parameters_are_declared_with_their_bounds(document: Any) -> None:
    declared = document["paths"]["/v1/nearest"]["get"]["parameters"]
    names = {parameter["name"]: parameter for parameter in declared}

    assert {name for name, parameter in names.items() if parameter["required"]} == {"lon", "lat"}
    assert set(names) >= {"limit", "radius_m", "min_free", "space_class", "vehicle", "height_m"}
    assert names["limit"]["schema"]["maximum"] == 100
    assert names["radius_m"]["schema"]["maximum"] == 20_000
    history = document["paths"]["/v1/lots/{lot_id}/occupancy"]["get"]["parameters"]
    assert {parameter["name"] for parameter in history} == {"lot_id", "from", "to", "step"}
    (source,) = document["paths"]["/v1/city"]["get"]["parameters"]
    assert source["name"] == "source"
    assert document["paths"]["/healthz"]["get"].get("parameters", []) == []


async def test_every_reference_leads_somewhere(document: Any) -> None:
    components = document["components"]

    def references(part: Any) -> list[str]:
        if isinstance(part, list):
            return [found for item in part for found in references(item)]
        if not isinstance(part, dict):
            return []
        here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return here + [found for item in part.values() for found in references(item)]

    found = set(references(document))
    assert "#/components/schemas/Problem" in found
    assert found <= {
        f"#/components/{kind}/{name}" for kind in components for name in components[kind]
    }
    assert "HTTPValidationError" not in components["schemas"]


async def test_the_answer_to_a_report_is_the_ack_of_the_wire(document: Any) -> None:
    method, path = POST_OF_REPORT
    route = document["paths"][path][method]
    assert route["security"] == [{"gateway": []}]
    acked = {
        status: answer["content"]["application/json"]
        for status, answer in route["responses"].items()
        if "application/json" in answer.get("content", {})
    }
    assert acked.keys() == {"200", "422", "429"}
    ack = {"$ref": "#/components/schemas/AckMessage"}
    for content in acked.values():
        assert content["schema"] == ack or ack in content["schema"]["anyOf"]
        assert faults(document, ack, content["example"]) == []
    asked = route["requestBody"]["content"]["application/json"]
    assert faults(document, asked["schema"], asked["example"]) == []
    kinds = {shape["$ref"].rpartition("/")[2] for shape in asked["schema"]["anyOf"]}
    assert kinds == {"SpacesReport", "SnapshotReport", "CountReport"}
    results = document["components"]["schemas"]["AckMessage"]["properties"]["result"]["enum"]
    assert "deferred" in results
    assert {each["name"] for each in route["parameters"]} == {"gateway_id", "lot_id", "kind"}
