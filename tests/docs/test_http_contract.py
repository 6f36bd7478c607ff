"""The HTTP contract's table of problem types, held to the errors that the API can raise."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from parking_api import app, worker
from parking_api.errors import ApiError

CONTRACT = Path(__file__).resolve().parents[2] / "docs/contract/http.md"
# Who imports these has every domain's errors.
assert app
assert worker


def all_errors(base: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    for error in base.__subclasses__():
        yield error
        yield from all_errors(error)


def table() -> str:
    """Write the table: a row for each type and status, with the sentences of its errors."""
    rows: dict[tuple[str, int], set[str]] = defaultdict(set)
    for error in all_errors():
        if not error.__module__.startswith("parking_api."):
            continue
        kind = f"`{error.kind}`" if error.kind else "-"
        rows[kind, int(error.status)].add(str(error.__doc__))
    lines = [
        f"| {kind} | {status} | {' '.join(sorted(sentences))} |"
        for (kind, status), sentences in sorted(rows.items(), key=lambda row: row[0][::-1])
    ]
    return "\n".join(["| type | status | `detail` |", "|---|---|---|", *lines, ""])


def test_the_table_of_problem_types_is_what_the_api_raises() -> None:
    assert table() in CONTRACT.read_text(encoding="utf-8")
