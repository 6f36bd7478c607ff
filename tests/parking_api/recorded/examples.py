"""The examples of the OpenAPI document: answers, and bodies of requests, as they were recorded.

`parking_api/examples.json` holds them by operation id, status and media type; in place of problems
their names: each problem stands once. Of bodies it holds one for each operation.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import parking_api
from parking_api.errors import PROBLEM_JSON
from tests.parking_api.recorded.recording import Known

FILE: Final = Path(parking_api.__file__).with_name("examples.json")
# Of an operation's answers the longest up to so many characters is shown: one that holds something.
LONGEST: Final = 1500
# Of an operation and status, so many problems.
MOST_PROBLEMS: Final = 3

Json = dict[str, Any]


def chosen(chapters: dict[str, Known]) -> Json:
    """Choose examples from recordings."""
    operations = {
        which: told["operation"] for which, told in chapters["whole"]["operations"].items()
    }
    best: dict[str, Json] = {}
    problems: Json = {}
    bodies: Json = {}
    for kept in _answers(chapters):
        if kept["route"] not in operations:
            continue
        operation = operations[kept["route"]]
        if "request" in kept and kept["status"] < HTTPStatus.BAD_REQUEST:
            bodies[operation] = max(
                bodies.get(operation, kept["request"]), kept["request"], key=_worth
            )
        answers = best.setdefault(operation, {}).setdefault(str(kept["status"]), {})
        media_type = kept["headers"]["content-type"].partition(";")[0]
        body = json.loads(kept["body"]) if media_type.endswith("json") else kept["body"]
        if media_type == PROBLEM_JSON:
            name = _name(body, problems)
            names = answers.setdefault(media_type, [])
            if name not in names and len(names) < MOST_PROBLEMS:
                names.append(name)
                problems.setdefault(name, body)
        else:
            answers[media_type] = max(answers.get(media_type, body), body, key=_worth)
    return {"problems": problems, "bodies": bodies, "answers": best}


def _answers(chapters: dict[str, Known]) -> Iterator[Json]:
    for known in chapters.values():
        yield from (kept for kept in known.values() if kept.get("route") and kept.get("body"))


def _worth(body: Any) -> int:
    """Rank a body: up to the bound the longer, beyond it the shorter."""
    size = len(json.dumps(body, ensure_ascii=False))
    return size if size <= LONGEST else -size


def _name(told: Json, bodies: Json) -> str:
    """Return the name of the problem of this type and sentence: `version-state-2`."""
    kind = told["type"].rpartition(":")[2]
    base = str(told["status"]) if kind == "blank" else kind
    number = 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        if name not in bodies or bodies[name]["detail"] == told["detail"]:
            return name
        number += 1


def written(examples: Json) -> str:
    """Write the file: a line for each problem and operation."""
    parts = [
        f' "{part}": {{\n'
        + ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
            for name, value in sorted(examples[part].items())
        )
        + "\n }"
        for part in ("problems", "bodies", "answers")
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"
