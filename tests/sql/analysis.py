"""Tells from PostgreSQL's own analysis of a statement what its columns may hold.

The database analyses the statement as the body of a function, and keeps that as a tree: see
`pg_node_tree`, `src/include/nodes/parsenodes.h` and `primnodes.h` of PostgreSQL.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import asyncpg

Node: TypeAlias = dict[str, Any]
Scope: TypeAlias = Mapping[str, Node]

# JoinType.
LEFT, FULL, RIGHT = "1", "2", "3"
# count("any"), count(*).
COUNTS = {"2147", "2803"}

_NOT_NULL = """
SELECT a.attnotnull
FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
WHERE a.attrelid = $1 AND a.attnum = $2
"""
_CHECKS = """
SELECT pg_get_constraintdef(oid)
FROM pg_constraint
WHERE conrelid = $1 AND contype = 'c' AND conkey = ARRAY[$2::smallint]
"""
_VIEW = "SELECT ev_action::text FROM pg_rewrite WHERE ev_class = $1 AND rulename = '_RETURN'"


def read(text: str) -> Any:
    """Read a tree: `{NAME :field value ...}` is a dictionary, `(...)` a list, the rest text."""
    tokens = iter(re.findall(r"[{}()]|(?:\\.|[^\s{}()])+", text))
    return _value(next(tokens), tokens)


def _value(token: str, tokens: Iterator[str]) -> Any:
    if token == "(":
        return [_value(each, tokens) for each in iter(tokens.__next__, ")")]
    if token != "{":
        return token
    found: Node = {"node": next(tokens)}
    field = ""
    for each in iter(tokens.__next__, "}"):
        if each.startswith(":"):
            field = each[1:]
        else:
            found.setdefault(field, _value(each, tokens))
    return found


class Column(NamedTuple):
    """What a column of a statement may hold.

    Attributes:
        may_be_null: None where that is not known.
        texts: The only ones that a CHECK of its table lets in; None where there is none.
    """

    may_be_null: bool | None = None
    texts: frozenset[str] | None = None


@dataclass
class Analysis:
    """Tells what the columns of one database's statements may hold."""

    db: "asyncpg.Connection[asyncpg.Record]"

    async def columns(self, statement: str) -> list[Column]:
        """Return what is known of each column."""
        prepared = await self.db.prepare(statement)
        takes = ", ".join(f"{one.schema}.{one.name}" for one in prepared.get_parameters())
        body = statement.strip().removesuffix(";")
        made = self.db.transaction()
        await made.start()
        try:
            await self.db.execute(
                f"CREATE FUNCTION pg_temp.analysed({takes}) RETURNS void LANGUAGE sql"
                f" BEGIN ATOMIC {body}; END"
            )
            text = await self.db.fetchval(
                "SELECT prosqlbody::text FROM pg_proc WHERE proname = 'analysed'"
            )
        finally:
            await made.rollback()
        ((query,),) = read(text)
        return [await self._of(query, one["expr"], {}) for one in targets(query)]

    async def _of(self, query: Node, expression: Any, scope: Scope) -> Column:
        ctes = query["cteList"] if query["cteList"] != "<>" else []
        scope = {**scope, **{one["ctename"]: one["ctequery"] for one in ctes}}
        kind = expression["node"]
        if query["setOperations"] != "<>" or query["groupingSets"] != "<>":
            kind = "several queries"
        match kind:
            case "VAR" if expression["varlevelsup"] == "0":
                return await self._variable(query, expression, scope)
            case "CONST":
                return Column(expression["constisnull"] == "true")
            case "AGGREF" if expression["aggfnoid"] in COUNTS:
                return Column(may_be_null=False)
            case "RELABELTYPE":
                return await self._of(query, expression["arg"], scope)
            case "COALESCEEXPR":
                args = [await self._of(query, one, scope) for one in expression["args"]]
                found = any(one.may_be_null is False for one in args)
                return Column(may_be_null=False if found else None)
        return Column()

    async def _variable(self, query: Node, variable: Node, scope: Scope) -> Column:
        place, number = int(variable["varno"]), int(variable["varattno"])
        entry = query["rtable"][place - 1]
        match entry["rtekind"]:
            case "0":
                found = await self._stored(int(entry["relid"]), number)
            case "1":
                found = await self._of_query(entry["subquery"], number, scope)
            case "2":
                found = await self._of(query, entry["joinaliasvars"][number - 1], scope)
            case "6":
                found = await self._of_query(scope[entry["ctename"]], number, scope)
            case _:
                found = Column()
        return found._replace(may_be_null=True) if place in outer(query["jointree"]) else found

    async def _of_query(self, query: Node, number: int, scope: Scope) -> Column:
        return await self._of(query, targets(query)[number - 1]["expr"], scope)

    async def _stored(self, relation: int, number: int) -> Column:
        is_not_null = await self.db.fetchval(_NOT_NULL, relation, number)
        if is_not_null is None:
            view = await self.db.fetchval(_VIEW, relation)
            return await self._of_query(read(view)[0], number, {}) if view else Column()
        checks = [str(one[0]) for one in await self.db.fetch(_CHECKS, relation, number)]
        lists = [re.findall(r"'([^']*)'::text", one) for one in checks if "= ANY (ARRAY[" in one]
        return Column(not is_not_null, frozenset(lists[0]) if lists else None)


def targets(query: Node) -> Sequence[Node]:
    """Return what a query gives, a node for each column."""
    found = query["targetList" if query["commandType"] == "1" else "returningList"]
    return [one for one in found if one["resjunk"] == "false"] if found != "<>" else []


def outer(node: Node) -> set[int]:
    """Return the places of the tables whose columns are null where an outer join finds nothing."""
    match node["node"]:
        case "FROMEXPR":
            joined = node["fromlist"] if node["fromlist"] != "<>" else []
            return {place for each in joined for place in outer(each)}
        case "JOINEXPR":
            left, right, kind = node["larg"], node["rarg"], node["jointype"]
            found = outer(left) | outer(right)
            if kind in {LEFT, FULL}:
                found |= inside(right)
            if kind in {RIGHT, FULL}:
                found |= inside(left)
            return found
    return set()


def inside(node: Node) -> set[int]:
    """Return the places of all tables of a join."""
    if node["node"] == "RANGETBLREF":
        return {int(node["rtindex"])}
    return inside(node["larg"]) | inside(node["rarg"])
