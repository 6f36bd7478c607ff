"""`python -m load_tests.contract`: cases from the OpenAPI document, and what no document thinks of.

Schemathesis makes requests, good and bad, for every operation; each role sends them to a city of
its own. Found is what the document does not say: a status, a media type, a header or a shape; and
every failure (5xx). Then the hostile set of `load_tests.hostile` is sent and timed.
"""

import argparse
import base64
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from load_tests import rig
from load_tests.beside import asking_for_health
from load_tests.hostile import every
from load_tests.hostile_sender import send_all, senders
from load_tests.machine import put_first
from load_tests.target import Target

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOBODY: Final = "nobody"
GATEWAY: Final = "gateway"
WITHIN_S: Final = 20.0
# It does not end: of its answer the head is looked at.
STREAM: Final = "streamLots"
READINESS: Final = "getReadiness"
# What is taken from a person or gateway that is there, later cases would need.
SPARED: Final = ("person_id", "gateway_id")
_ROUNDS: Final = 12
# A hostile request is answered so soon after its last byte, and /healthz beside it, in ms.
MOST_MS: Final = 50.0
HEALTH_MS: Final = 100.0


@dataclass
class Found:
    """What came of the cases.

    Attributes:
        cases: How many were sent, by role.
        statuses: How often each status was answered.
        slowest_s: The longest time that an answer took.
        problems: By operation and kind, one request with its answer that shows it.
    """

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    problems: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, operation: str, kind: str, shows: str) -> None:
        """Keep a problem, once."""
        self.problems.setdefault((operation, kind), shows[:2000])


@dataclass(frozen=True)
class Contract:
    """The document, and a running API that is held to it.

    Attributes:
        url: Where the API is.
        document: As it says itself.
        known: Values of path parameters that are there, by name.
    """

    url: str
    document: dict[str, Any]
    known: Mapping[str, list[Any]] = field(default_factory=dict)

    def operations(self) -> Iterator[tuple[str, APIOperation[Any, Any, Any, Any]]]:
        """Go through the operations, by id."""
        for result in schemathesis.openapi.from_dict(self.document).get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]  # raises where there is a fault
            yield str(operation.definition.raw["operationId"]), operation


def hold(
    contract: Contract,
    roles: Mapping[str, dict[str, str]],
    number: int,
    first_seed: int = 1,
    within_s: float = math.inf,
) -> Found:
    """Send so many cases, each role its part, and each operation its part of those.

    Operations with few different cases leave theirs to the others.

    Args:
        contract: What is held to what.
        roles: The headers that each role sends.
        number: Cases, over all roles.
        first_seed: Of the cases.
        within_s: After so long no further operation is begun, which is a problem of its own.

    Returns:
        What came of them.
    """
    found, deadline = Found(), time.monotonic() + within_s
    for place, (role, headers) in enumerate(roles.items()):
        most = number * (place + 1) // len(roles) - number * place // len(roles)
        open_ones = dict(contract.operations())
        for turn in range(_ROUNDS):
            left = most - found.cases[role]
            if left <= 0 or not open_ones:
                break
            each = max(1, left // len(open_ones))
            for name, operation in list(open_ones.items()):
                if time.monotonic() > deadline:
                    found.note(name, "no time", f"after {found.cases.total():,} cases")
                    return found
                allowed = min(each, most - found.cases[role])
                sent = _send(
                    contract, found, headers, operation, most=allowed, with_seed=first_seed + turn
                )
                found.cases[role] += sent
                if sent < allowed:
                    # There are no further ones.
                    del open_ones[name]
    return found


def _send(
    contract: Contract,
    found: Found,
    headers: dict[str, str],
    operation: APIOperation[Any, Any, Any, Any],
    *,
    most: int,
    with_seed: int,
) -> int:
    """Send cases of one operation; return how many."""
    if most <= 0:
        return 0
    sent = 0
    session = requests.Session()

    @seed(with_seed)
    @settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_cases(operation), chosen=st.integers(0, 2**16))
    def one(case: Case[Any], chosen: int) -> None:
        nonlocal sent
        sent += 1
        _put_known(case, contract.known, chosen)
        _check(contract, found, case, session, headers)

    one()
    session.close()
    return sent


def _cases(operation: APIOperation[Any, Any, Any, Any]) -> st.SearchStrategy[Case[Any]]:
    """Make cases that the document allows, and such that it does not."""
    modes = [GenerationMode.POSITIVE]
    if operation.path_parameters or operation.query or operation.body:
        modes.append(GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])


def _put_known(case: Case[Any], known: Mapping[str, list[Any]], chosen: int) -> None:
    """Put what is there into every second case: what is made up is seldom found."""
    if chosen % 2:
        for name in set(case.path_parameters or ()) & known.keys():
            if case.method == "GET" or name not in SPARED:
                case.path_parameters[name] = known[name][chosen // 2 % len(known[name])]


def _check(
    contract: Contract,
    found: Found,
    case: Case[Any],
    session: requests.Session,
    headers: dict[str, str],
) -> None:
    name = str(case.operation.definition.raw["operationId"])
    given = case.as_transport_kwargs(base_url=contract.url)
    given["headers"] = {**given.get("headers", {}), **headers}
    began = time.perf_counter()
    try:
        answer = session.request(**given, stream=name == STREAM, timeout=WITHIN_S)
    except requests.RequestException as error:
        found.note(name, "no answer", f"{given['method']} {given['url']}: {error}")
        return
    found.slowest_s = max(found.slowest_s, time.perf_counter() - began)
    found.statuses[answer.status_code] += 1
    checks = CHECKS
    if name == STREAM and answer.ok:
        # Its events have no schema of their own.
        answer._content = b""  # noqa: SLF001 - else it would be read to its end
        checks = CHECKS[:-1]
    if name == READINESS and answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        # It says that the platform is not whole, as it should.
        checks = CHECKS[1:]
    try:
        case.validate_response(answer, checks=checks)
    except FailureGroup as failures:
        for failure in failures.exceptions:
            shows = f"{given['method']} {answer.url} {answer.status_code}\n{failure}"
            found.note(name, getattr(failure, "title", type(failure).__name__), shows)
    finally:
        if name == STREAM:
            answer.close()


def roles_of(directory: Path) -> dict[str, dict[str, str]]:
    """Return the headers of every role of a local run, by its file of credentials."""
    given = json.loads((directory / "credentials.json").read_text(encoding="utf-8"))
    gateway = next(each for each in given["gateways"] if not each["simulated"])
    login = f"{gateway['username']}:{gateway['password']}"
    return {
        NOBODY: {},
        GATEWAY: {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"},
        **{
            person["role"]: {"Authorization": f"Bearer {person['key']}"}
            for person in given["people"]
        },
    }


def contract_of(url: str, reader: Mapping[str, str]) -> Contract:
    """Read the document of a running API, and what there is in its city.

    Args:
        url: Where it is.
        reader: The headers of somebody of operations.
    """
    with httpx.Client(base_url=url, headers=reader, timeout=WITHIN_S) as client:

        def ids(path: str, name: str) -> list[Any]:
            items = client.get(path).raise_for_status().json()["items"]
            return sorted({item[name] for item in items})

        known = {
            "lot_id": ids("/v1/lots?limit=100", "lot_id"),
            "operator_id": ids("/v1/operators", "operator_id"),
            "gateway_id": ids("/v1/feeds", "gateway_id"),
            "person_id": ids("/v1/people", "person_id"),
            "tariff_id": ids("/v1/tariffs", "tariff_id"),
            "version": [1, 2],
            "control_id": ids("/v1/price-controls", "price_control_id"),
            "mechanism_id": ids("/v1/mechanisms", "mechanism_id"),
            "zone_id": [
                each["properties"]["zone_id"]
                for each in client.get("/v1/zones").raise_for_status().json()["features"]
            ],
        }
        document = client.get("/openapi.json").raise_for_status().json()
    return Contract(url, document, {name: there for name, there in known.items() if there})


def summary(found: Found, took_s: float) -> str:
    """Say what came of the cases."""
    roles = ", ".join(f"{role} {count:,}" for role, count in found.cases.items())
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(found.statuses.items()))
    lines = [
        f"{found.cases.total():,} cases in {took_s:.0f} s ({roles})",
        f"{len(found.problems)} problems; answered {statuses}",
        f"the slowest answer took {found.slowest_s * 1000:.0f} ms",
    ]
    lines += [f"{name}, {kind}:\n{shows}" for (name, kind), shows in found.problems.items()]
    return "\n".join(lines)


def held(directory: Path, options: argparse.Namespace, say: Callable[[str], None]) -> bool:
    """Hold the API of the city in a directory to its document; whether nothing was found."""
    target, roles = Target.of(directory), roles_of(directory)
    began = time.monotonic()
    contract = contract_of(target.http, roles["operations"])
    found = hold(contract, roles, options.number, options.seed, options.within_s)
    say(summary(found, time.monotonic() - began))
    return not found.problems


def withstood(directory: Path, times: int, say: Callable[[str], None]) -> bool:
    """Send the hostile set to the city in a directory; whether all was refused, and in time."""
    target, roles = Target.of(directory), roles_of(directory)
    document = contract_of(target.http, roles["operations"]).document
    gateway = next(each.username for each in target.gateways if not each.simulated)
    hostile = list(every(senders(target.http, document, roles, gateway)))
    with asking_for_health(target.http) as stopped:
        outcome = send_all(target.http, hostile, times)
        health_ms = stopped()
    name, slowest_s = outcome.slowest()
    statuses = ", ".join(f"{status}: {n:,}" for status, n in outcome.statuses.most_common())
    say(f"{len(hostile):,} hostile requests, {times} times each; {statuses}")
    say(f"answered wrongly: {outcome.wrong}")
    late = sum(took_s * 1000 > MOST_MS for took_s in outcome.refusals_s)
    p50, p99, most = (outcome.percentile(share) * 1000 for share in (0.5, 0.99, 1))
    say(f"refusals: p50 {p50:.1f} ms, p99 {p99:.1f} ms, at most {most:.1f} ms, {late} late")
    say(f"of all the slowest, by its median: {name}, {slowest_s * 1000:.1f} ms")
    say(f"/healthz beside them: at most {health_ms:.1f} ms")
    in_time = slowest_s * 1000 <= MOST_MS and health_ms <= HEALTH_MS
    return in_time and not outcome.wrong


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m load_tests.contract", description=__doc__)
    made.add_argument("--number", type=int, default=20_000, help="cases")
    made.add_argument("--times", type=int, default=3, help="how often each hostile request is sent")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--within-s", type=float, default=1500.0, help="seconds for the cases")
    made.add_argument("--lots", type=int, default=60, help="of the city")
    made.add_argument("--var", type=Path, help="a running city's directory, instead of our own")
    made.add_argument(
        "--first",
        action="store_true",
        help="let the city go before all else on a machine that others use too (Linux, as root)",
    )
    return made


def run(directory: Path, options: argparse.Namespace) -> int:
    """Run both parts against the city in a directory; 1 where something was found."""
    withstands = withstood(directory, options.times, rig.say)
    holds = held(directory, options, rig.say)
    return 0 if holds and withstands else 1


def main(argv: list[str] | None = None) -> int:
    """Run; 1 where something was found."""
    options = parser().parse_args(argv)
    if options.var:
        return run(options.var, options)
    with rig.own_city(options.lots) as directory:
        if options.first:
            put_first()
        return run(directory, options)


if __name__ == "__main__":
    sys.exit(main())
