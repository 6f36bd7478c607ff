import re
from pathlib import Path

import asyncpg
import pytest

from sql.named import QUERIES, named

NAMES = sorted(path.stem for path in QUERIES.glob("*.sql"))


def test_there_are_queries_and_each_is_used() -> None:
    code = "".join(
        path.read_text()
        for package in ("parking_api", "ingest_mqtt", "sql")
        for path in Path(package).rglob("*.py")
    )
    assert NAMES

    def used(name: str) -> bool:
        # The importer loads its tables alike, by f"import_{table}s".
        table = name.removeprefix("import_").removesuffix("s")
        return f'"{name}"' in code or f'"{table}"' in code

    assert [name for name in NAMES if not used(name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_header_tells_purpose_parameters_and_index(name: str) -> None:
    text = named(name)
    header = re.match(r"(?:--.*\n)+", text)
    assert header is not None
    statement = text[header.end() :]
    listed = set(re.findall(r"\$\d+", header.group()))
    assert set(re.findall(r"\$\d+", statement)) - listed == set() or " to $" in header.group()
    assert re.search(r"Index|index", header.group())
    assert ";" not in statement.rstrip().removesuffix(";")


async def test_every_query_is_valid_against_the_schema(database_url: str) -> None:
    db = await asyncpg.connect(database_url)
    staging = [name for name in NAMES if name.startswith("import_")]
    for name in set(NAMES) - set(staging):
        prepared = await db.prepare(named(name))
        assert prepared.get_statusmsg() is not None or prepared.get_parameters() is not None
    await db.close()
