"""Every statement of `sql/queries` is declared once, and as the migrated database has it."""

import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import GenericAlias, ModuleType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import asyncpg
import msgspec
import pytest
from pydantic import AwareDatetime, BaseModel

import ingest_mqtt
import parking_api
import sql
from parking_api.models import FromJson
from sql.kinds import LotType
from sql.statements import DECLARED, QUERIES, Declared, Row
from tests.servers import Databases
from tests.sql.analysis import Analysis

TYPES: dict[str, type] = {
    "text": str,
    "name": str,
    "varchar": str,
    "json": str,
    "jsonb": str,
    "geometry": str,
    "int2": int,
    "int4": int,
    "int8": int,
    "float4": float,
    "float8": float,
    "numeric": Decimal,
    "bool": bool,
    "bytea": bytes,
    "date": date,
    "time": time,
    "timestamptz": datetime,
    "interval": timedelta,
    "uuid": UUID,
    "tstzrange": asyncpg.Range,
    "void": type(None),
}


def modules() -> Iterator[ModuleType]:
    for package in (sql, ingest_mqtt, parking_api):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__") and ".migrations" not in found.name:
                yield importlib.import_module(found.name)


ALL = list(modules())
STATEMENTS = {f"{each.domain}.{each.name}": each for each in DECLARED}


def written() -> dict[str, str]:
    """Every statement of the files with its header, by domain and name."""
    found = {}
    for path in QUERIES.glob("*.sql"):
        for text in re.split(r"^-- name: ", path.read_text(), flags=re.MULTILINE)[1:]:
            found[f"{path.stem}.{text.partition('(')[0]}"] = text
    return found


@pytest.fixture(scope="module")
async def url(databases: Databases) -> AsyncIterator[str]:
    """A migrated database, as the programs use it."""
    made = await databases.create()
    yield made
    await databases.drop(made)


# The temporary tables of an import, for as long as a connection.
STAGE = STATEMENTS["importing.stage"].text.replace(" ON COMMIT DROP", "")


@pytest.fixture(scope="module")
async def db(url: str) -> AsyncIterator[Any]:
    """A connection to it."""
    connection = await asyncpg.connect(url)
    await connection.execute(STAGE)
    yield connection
    await connection.close()


def test_each_is_declared_once_and_none_is_left_over() -> None:
    assert len(DECLARED) == len(STATEMENTS)
    assert STATEMENTS.keys() == written().keys()


@pytest.mark.parametrize("name", sorted(written()))
def test_a_header_tells_purpose_and_index(name: str) -> None:
    first, *lines = written()[name].splitlines()
    header = [line for line in lines if line.startswith("--")]
    assert re.fullmatch(r"\w+\([\w, ]*\)", first)
    assert header[0].endswith((".", ":")) or len(header) > 1, "purpose"
    assert any(re.match(r"-- (Index|No index)", line) for line in header)


def plain(annotation: Any) -> tuple[Any, bool]:
    """The type of a column or parameter, and whether it may be null."""
    # Of a Literal, `| None` makes a Union of typing.
    is_union = get_origin(annotation) in (Union, UnionType)
    options = get_args(annotation) if is_union else (annotation,)
    may_be_null = type(None) in options
    (kind,) = {option for option in options if option is not type(None)} or {type(None)}
    # What a model checks beside the type does not count, nor that a time has its offset.
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if kind is AwareDatetime:
        kind = datetime
    if get_origin(kind) is Literal:
        (kind,) = {type(value) for value in get_args(kind)}
    return kind, may_be_null


def literals(annotation: Any) -> frozenset[str]:
    """The values of the Literal in a type; nothing where there is none."""
    if get_origin(annotation) is Literal:
        return frozenset(map(str, get_args(annotation)))
    return frozenset().union(*map(literals, get_args(annotation)))


def fits(annotation: Any, type_name: str, *, given: bool) -> bool:
    """Whether a type of Python is that of a PostgreSQL type; a subclass may be given."""
    kind, _ = plain(annotation)
    if type_name.endswith("[]"):
        (of,) = get_args(kind)
        return fits(of, type_name.removesuffix("[]"), given=given)
    expected = TYPES[type_name]
    return kind is expected or (given and isinstance(kind, type) and issubclass(kind, expected))


def columns(statement: Declared) -> dict[str, Any]:
    """The declared types by column; the only column of a bare value has no name."""
    if not statement.is_row:
        return {"": statement.of | None if statement.may_lack else statement.of}
    if issubclass(statement.of, BaseModel):
        # A model reads JSON itself.
        return {
            name: str if FromJson in one.metadata else one.annotation
            for name, one in statement.of.model_fields.items()
        }
    return {one.name: one.type for one in msgspec.structs.fields(statement.of)}


def given_as(statement: Declared, parameter: str) -> Any:
    """The declared type of a parameter."""
    if not statement.batch:
        return statement.signature.parameters[parameter].annotation
    kinds = {one.name: one.type for one in msgspec.structs.fields(statement.batch)}
    return GenericAlias(list, plain(kinds[parameter])[0])


def test_parameters_are_those_of_the_statement() -> None:
    for name, statement in STATEMENTS.items():
        connection, *wanted = statement.signature.parameters
        assert connection == "db", name
        if statement.batch:
            assert wanted == ["rows"], name
            assert set(statement.batch.__struct_fields__) == set(statement.parameters), name
        else:
            assert set(wanted) == set(statement.parameters), name


@pytest.mark.parametrize("name", sorted(STATEMENTS))
async def test_types_are_the_databases(name: str, db: Any) -> None:
    statement = STATEMENTS[name]
    prepared = await db.prepare(statement.text)

    for parameter, kind in zip(statement.parameters, prepared.get_parameters(), strict=True):
        annotation = given_as(statement, parameter)
        assert fits(annotation, kind.name, given=True), (parameter, annotation, kind.name)
    if statement.of is None:
        assert not [one for one in prepared.get_attributes() if one.type.name != "void"]
        return
    declared, attributes = columns(statement), prepared.get_attributes()
    if statement.is_row:
        assert list(declared) == [one.name for one in attributes]
        if issubclass(statement.of, Row):
            assert statement.of(*declared), "a row is made of its columns in order"
    for one, annotation in zip(attributes, declared.values(), strict=True):
        assert fits(annotation, one.type.name, given=False), (one.name, annotation, one.type.name)


@pytest.mark.parametrize("name", sorted(name for name, one in STATEMENTS.items() if one.of))
async def test_nulls_and_kinds_are_the_databases(name: str, db: Any) -> None:
    """What an expression gives, the database cannot tell."""
    statement = STATEMENTS[name]
    declared, known = columns(statement), await Analysis(db).columns(statement.text)
    for (column, annotation), (may_be_null, texts) in zip(declared.items(), known, strict=True):
        excluded = re.search(rf"\b{column} IS NOT NULL", statement.text, re.IGNORECASE)
        if may_be_null and not excluded:
            assert plain(annotation)[1], f"{column} may be null"
        elif may_be_null is False and statement.is_row:
            assert not plain(annotation)[1], f"{column} is never null"
        if texts is not None and (kinds := literals(annotation)):
            assert kinds == texts, f"{column} is one of these"


async def test_the_database_tells_nulls_and_kinds(db: Any) -> None:
    """Through joins, subqueries and views."""
    known = await Analysis(db).columns(
        "WITH near AS (SELECT lot_id, district, lot_type FROM lot WHERE capacity > $1)"
        " SELECT g.gateway_id, n.lot_id, n.lot_type, s.state, v.district, v.lot_type, v.seq,"
        " v.operator_id, count(*) AS n, coalesce(n.district, 'none'), upper(v.lot_id)"
        " FROM near AS n"
        " RIGHT JOIN gateway AS g ON n.lot_id = g.gateway_id"
        " LEFT JOIN (SELECT state FROM tariff_version) AS s ON true"
        " INNER JOIN lot_now AS v ON true GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 10, 11"
    )
    assert [one.may_be_null for one in known] == [
        *(False, True, True, True, True, False, True, False, False, False, None)
    ]
    assert known[2].texts == known[5].texts == frozenset(get_args(LotType))
