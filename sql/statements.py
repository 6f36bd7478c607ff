"""Declares statements of `sql/queries/*.sql` in Python: each by a signature and a row class.

A domain has one file of statements, named and with named parameters:

    -- name: zones_at(at, zone_id)
    -- The zones in force at a time, by zone_id; or one of them.
    -- Index: zone_pkey where one is asked for; there are tens of zones.
    SELECT zone_id, valid_from FROM zone WHERE valid_from <= :at ...;

and declares their parameters and rows in its `queries.py`:

    statement = Statements("zones")

    class Zone(Row):
        zone_id: str
        valid_from: datetime

    @statement
    async def zones_at(db: Db, at: datetime, zone_id: str | None = None) -> list[Zone]:
        '''Read the zones in force at a time, by `zone_id`.'''

An answer of the API whose fields are a statement's columns is itself the row class: a pydantic
model, which then checks each row.

A statement that writes many rows at once has one parameter, `rows: Sequence[R]`: the statement's
own parameters are then the fields of `R`, each as a list.

A type checker sees each parameter and column; `tests/sql/test_statements.py` compares names, types
and nullability with the migrated database.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from inspect import isclass, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, ParamSpec, TypeVar, dataclass_transform, get_args, get_origin

import aiosql
import asyncpg
import msgspec
from pydantic import BaseModel

from sql.engine import Db

QUERIES: Final = Path(__file__).parent / "queries"
# aiosql warns of statements without markers for the kind of result; the declaration says it.
logging.getLogger("aiosql").setLevel(logging.ERROR)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass_transform(frozen_default=True)
class Row(msgspec.Struct, frozen=True):
    """A row of a statement: a field for each column, in their order."""


def _is_row(kind: object) -> bool:
    # isclass says of list[str] that it is one.
    return get_origin(kind) is None and isclass(kind) and issubclass(kind, (Row, BaseModel))


class NoRowError(RuntimeError):
    """A statement that always returns a row has returned none."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{self.__doc__} {name}")


class Declared:
    """A statement with its declaration.

    Attributes:
        domain: The name of its file, without the ending.
        name: Its name in the file.
        text: As PostgreSQL takes it, parameters as `$1`, `$2`, ...
        parameters: Their names, in that order.
        signature: Of the function that declares it; the connection is its first parameter.
        batch: The class of the rows that it takes, if it takes many at once.
        many: Whether it returns a list of rows.
        may_lack: Whether it may return no row or a null.
        of: The class of a row, or the type of its only column; None where it returns nothing.
    """

    # aiosql gives a file's statements as attributes.
    def __init__(self, domain: str, file: Any, declared: Callable[..., object]) -> None:  # noqa: ANN401
        self.domain = domain
        self.name = declared.__name__
        self.text: str = getattr(file, self.name).sql
        self.parameters: Sequence[str] = tuple(file.driver_adapter.var_sorted[self.name])
        self.signature = signature(declared)
        takes = [get_args(one.annotation) for one in self.signature.parameters.values()]
        self.batch = next((one[0] for one in takes if one and _is_row(one[0])), None)
        gives = self.signature.return_annotation
        self.many = get_origin(gives) is list
        if self.many:
            (gives,) = get_args(gives)
        either = get_args(gives) if isinstance(gives, UnionType) else (gives,)
        self.may_lack = NoneType in either or gives is None
        self.of: Any = next((one for one in either if one not in (None, NoneType)), None)
        self.is_row = _is_row(self.of)

    # What it returns is as declared: `Statements.__call__` gives it that type.
    async def run(self, db: Db, given: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Run the statement and return its rows as declared.

        Args:
            db: A connection.
            given: Its parameters by name.

        Raises:
            NoRowError: It returns no row, and is not declared to do so.
        """
        if self.batch:
            values = [[getattr(row, name) for row in given["rows"]] for name in self.parameters]
        else:
            values = [given[name] for name in self.parameters]
        if self.of is None:
            return await db.execute(self.text, *values)
        records = await db.fetch(self.text, *values)
        if self.many:
            return [self._read(record) for record in records]
        if records and (self.may_lack or self.is_row or records[0][0] is not None):
            return self._read(records[0])
        if self.may_lack:
            return None
        raise NoRowError(self.name)

    def _read(self, record: asyncpg.Record) -> Any:  # noqa: ANN401 - a row as declared
        if not self.is_row:
            return record[0]
        return self.of(*record) if issubclass(self.of, Row) else self.of(**record)


# Every statement that the modules imported so far declare.
DECLARED: Final[list[Declared]] = []


class Statements:
    """Declares the statements of one file of `sql/queries`."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._file = aiosql.from_path(QUERIES / f"{domain}.sql", "asyncpg")

    def text(self, name: str) -> str:
        """Return a statement's text without its semicolon, for COPY."""
        return str(getattr(self._file, name).sql).rstrip().removesuffix(";")

    def __call__(
        self, declared: Callable[Parameters, Awaitable[Result]]
    ) -> Callable[Parameters, Awaitable[Result]]:
        """Declare the statement that is called as the function is; its body is not run.

        The first parameter is the connection. The return type says how rows are read: `R` (a `Row`
        class, a pydantic model, or the type of the only column) for exactly one; `R | None`;
        `list[R]`; None.
        """
        statement = Declared(self._domain, self._file, declared)
        DECLARED.append(statement)
        bind = statement.signature.bind

        @wraps(declared)
        async def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            bound = bind(*args, **kwargs)
            bound.apply_defaults()
            result: Result = await statement.run(bound.args[0], bound.arguments)
            return result

        return run
