"""The OpenAPI document: what FastAPI cannot know of it is added here, once.

Names in it are promises to clients that are generated from it: operation ids (`nearestLots`) are
the names of the routes' functions, schema names those of the models.
"""

import functools
from collections.abc import Iterator
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

import msgspec
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts

from ingest_mqtt.messages import REPORTS
from ingest_mqtt.wire import AckMessage
from parking_api.connections import KINDS, REFUSALS
from parking_api.errors import FAILED, PROBLEM_JSON, Problem, problem
from parking_api.lots.models import LotCollection, NearestLotCollection
from parking_api.lots.stream_models import LotStates, StateColumns
from parking_api.public_reads import LIVE, is_public
from parking_api.spaces.models import NearestSpaceCollection
from parking_api.strict_route import MAX_BODY_BYTES, BodyTooLargeError, EncodedBodyError

DESCRIPTION: Final = """
The whole city's parking as one lot: which lots and which single bays are free near a place, and how
full the city is.

- Coordinates are longitude, latitude in WGS 84, or in the `crs` asked for; distances are metres on
  the spheroid.
- Times are RFC 3339 with their offset: of a lot in its own time zone, else in UTC.
- Errors are `application/problem+json` (RFC 9457). Unknown and repeated parameters are errors.
- `data_state` says what is known, by the age of a lot's state: `live` until 90 s or 1.5 of its
  report intervals, whichever is more; `stale` until 15 min or 3 of them; after that the lot is
  `unknown`, and its count is not shown. `age_s` is the age.
- Spaces of which nothing is known count neither as free nor as occupied: `unknown_spaces`.
"""
TAGS: Final = [
    {"name": "lots", "description": "Lots: the nearest, lists, one by one, their history."},
    {"name": "spaces", "description": "Single bays."},
    {"name": "places", "description": "Places, districts and lots by their names."},
    {"name": "city", "description": "The city and its districts."},
    {"name": "quotes", "description": "What a stay costs."},
    {"name": "zones", "description": "Tariff zones, and how the bureau draws them."},
    {"name": "tariffs", "description": "Tariffs, their versions, how the bureau changes them."},
    {"name": "operators", "description": "Operators, their feeds, and what was refused of them."},
    {"name": "mechanisms", "description": "Prices that move: the rules, and their reviews."},
    {"name": "people", "description": "Who may change things: people, their keys and tokens."},
    {"name": "operations", "description": "For those who run the platform."},
]
# Models of answers in other media types than JSON.
DECLARED: Final = (
    Problem,
    LotCollection,
    LotStates,
    NearestLotCollection,
    NearestSpaceCollection,
    StateColumns,
)
# Problems that any request may meet, and any that has a body: each stands once, by this name.
_SHARED: Final = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.REQUEST_TIMEOUT: "RequestTimeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "BodyTooLarge",
    HTTPStatus.REQUEST_URI_TOO_LONG: "UriTooLong",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "EncodedBody",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequests",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "HeadersTooLarge",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Failure",
    HTTPStatus.SERVICE_UNAVAILABLE: "Unavailable",
}
_OF_ANY: Final = REFUSALS | {HTTPStatus.INTERNAL_SERVER_ERROR: FAILED}
_OF_BODIES: Final = {
    error.status: error.detail for error in (BodyTooLargeError(MAX_BODY_BYTES), EncodedBodyError())
}
# Some routes take larger bodies than most.
_DESCRIPTIONS: Final = {BodyTooLargeError.status: str(BodyTooLargeError.__doc__)}

Json = dict[str, Any]


def operation_id(route: APIRoute) -> str:
    """Return the id of a route's operation: its function's name in camel case."""
    first, *rest = route.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def serve_openapi(app: FastAPI) -> None:
    """Have `app` answer with the finished document, which is written once.

    Args:
        app: With all its routes.
    """
    generate = app.openapi

    def openapi() -> Json:
        document = _named_by_titles(generate())
        _declare_models(document["components"]["schemas"])
        _declare_shared_problems(document)
        _declare_public_reads(document, app)
        _join_shapes(document)
        _show_parameters(document)
        _show_exchanges(document)
        return document

    # As FastAPI's documentation has it: the instance's method is replaced.
    app.openapi = functools.cache(openapi)  # type: ignore[method-assign]
    written = functools.cache(lambda: orjson.dumps(app.openapi()))

    async def described(_: Request) -> Response:
        return Response(written(), media_type="application/json")

    # FastAPI's own writes the document anew for each request.
    routes = app.router.routes
    routes[:] = [route for route in routes if getattr(route, "path", "") != app.openapi_url]
    app.add_route(str(app.openapi_url), described, include_in_schema=False)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Go through the operations of a document: method in lower case, path, and operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _named_by_titles(document: Json) -> Json:
    """Name each schema as its model is called: pydantic names generic ones `Page_KeyAnswer_`.

    Raises:
        ValueError: Two models have one name.
    """
    schemas = document["components"]["schemas"]
    names = {name: schema.get("title", name) for name, schema in schemas.items()}
    if len(set(names.values())) < len(names):
        raise ValueError(f"two models have one name: {sorted(names)}")
    document["components"]["schemas"] = {names[name]: schemas[name] for name in schemas}
    refs = {f"#/components/schemas/{name}": new for name, new in names.items() if name != new}

    def renamed(part: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(part, list):
            return [renamed(each) for each in part]
        if not isinstance(part, dict):
            return part
        if part.get("$ref") in refs:
            return {**part, "$ref": f"#/components/schemas/{refs[part['$ref']]}"}
        return {key: renamed(value) for key, value in part.items()}

    found: Json = renamed(document)
    return found


def _declare_models(schemas: Json) -> None:
    """Add models of other media types than JSON, and remove the framework's own."""
    for model in DECLARED:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs"))
        schemas[model.__name__] = schema
    # The wire's own models, which gateways send and get over MQTT too.
    _, messages = msgspec.json.schema_components(
        [AckMessage, *REPORTS.values()], ref_template="#/components/schemas/{name}"
    )
    schemas.update(messages)
    for framework in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework, None)


def _declare_shared_problems(document: Json) -> None:
    """Add the problems that no route declares: of the server itself, and of bodies."""
    schema = {"$ref": "#/components/schemas/Problem"}
    document["components"]["responses"] = {
        _SHARED[status]: {
            "description": _DESCRIPTIONS.get(status, detail),
            # As it is answered.
            "content": {
                PROBLEM_JSON: {
                    "schema": schema,
                    "example": orjson.loads(problem(status, detail, kind=KINDS.get(status)).body),
                }
            },
        }
        for status, detail in (_OF_ANY | _OF_BODIES).items()
    }
    for _, _, operation in operations(document):
        statuses = [*_OF_ANY, *(_OF_BODIES if "requestBody" in operation else ())]
        shared = {
            str(int(status)): {"$ref": f"#/components/responses/{_SHARED[status]}"}
            for status in statuses
        }
        # What a route says of a status says more.
        operation["responses"] = dict(sorted((shared | operation["responses"]).items()))


def _declare_public_reads(document: Json, app: FastAPI) -> None:
    """Say of reads for anyone that a login may be left out, and which of them are conditional."""
    for found in iter_route_contexts(app.routes):
        route = found.original_route
        if isinstance(route, APIRoute) and route.include_in_schema and is_public(route):
            for method in route.methods or ():
                operation = document["paths"][route.path][method.lower()]
                if "security" in operation:
                    # With one, the bureau sees more.
                    operation["security"].insert(0, {})
                if method == "GET" and route.path not in LIVE:
                    _declare_conditional(operation)


def _declare_conditional(operation: Json) -> None:
    """Say that a read carries an ETag, and answers 304 to who has it already."""
    headers = {"ETag": {"description": "Of this answer.", "schema": {"type": "string"}}}
    operation["responses"]["200"]["headers"] = headers
    not_modified = {
        "description": "It is as `If-None-Match` has it: there is no body.",
        "headers": headers,
    }
    operation["responses"] = dict(sorted((operation["responses"] | {"304": not_modified}).items()))


def _join_shapes(document: Json) -> None:
    """Say of an answer that has several media types all shapes with each of them.

    Clients that are generated look at the first media type alone: they then know every shape.
    """
    for _, _, operation in operations(document):
        for response in operation["responses"].values():
            content = response.get("content", {})
            written = [name for name in sorted(content) if name.endswith("json")]
            if len(written) > 1:
                shapes = {"anyOf": [content[name]["schema"] for name in written]}
                joined = {name: {**content[name], "schema": shapes} for name in written}
                response["content"] = {**joined, **content, **joined}


def _show_parameters(document: Json) -> None:
    """Give each parameter that is required its schema's example, which pages try it out with."""
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            examples = parameter["schema"].get("examples")
            if parameter["required"] and examples:
                parameter["example"] = examples[0]


def _show_exchanges(document: Json) -> None:
    """Add examples: real bodies and answers, which tests have recorded (`examples.json`)."""
    examples = orjson.loads((files("parking_api") / "examples.json").read_bytes())
    document["components"]["examples"] = {
        name: {"value": body} for name, body in examples["problems"].items()
    }
    for _, _, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            body = examples["bodies"].get(operation["operationId"])
            if body is not None and "examples" not in content:
                content["example"] = body
        for status, answers in examples["answers"].get(operation["operationId"], {}).items():
            content = operation["responses"][status].get("content", {})
            # Problems that many operations share have no content here.
            for media_type in content.keys() & answers.keys():
                content[media_type] |= _shown(answers[media_type])


def _shown(answer: object) -> Json:
    """Return a media type's example, or of problems the references to theirs."""
    if isinstance(answer, list):
        return {"examples": {name: {"$ref": f"#/components/examples/{name}"} for name in answer}}
    return {"example": answer}
