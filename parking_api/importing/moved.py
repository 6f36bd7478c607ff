"""Finds the lots whose price an import moves: that takes two persons, like every other such act.

Lots that are new have had no price that could move. An import into a city without lots moves none.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import Field

from parking_api.decisions import queries as decision_queries
from parking_api.decisions import service as decisions
from parking_api.models import Answer, Body, Reason
from parking_api.quotes import queries
from parking_api.quotes.prices import Situation, read_situations
from parking_api.quotes.queries import StoredEffect
from parking_api.workflow import Act
from sql.engine import SentenceError, Transaction

# Of each kind as many as the message names.
MOST_NAMED: Final = 20
Digest = Field(pattern=r"^[0-9a-f]{64}$", description="As the import has said it.")


class ImportOf(Body):
    """Files to be imported, as a decision has them."""

    digest: str = Digest


class NewImport(ImportOf):
    """An import that changes prices is asked for."""

    reason: Reason


class ImportAnswer(Answer):
    """Files that may be imported once."""

    digest: str = Digest


class FilesChangedError(SentenceError):
    """The files were changed while they were read: import them again."""


class ImportUndecidedError(Exception):
    """The import moves prices, and no two persons have decided on it; the message says how to."""

    def __init__(self, digest: str, moved: list[str]) -> None:
        noun = "1 lot" if len(moved) == 1 else f"{len(moved):,} lots"
        named = ", ".join(moved[:MOST_NAMED]) + (", ..." if len(moved) > MOST_NAMED else "")
        super().__init__(
            f"this would change the price of {noun} ({named}), which takes two persons: one of the "
            f'bureau asks for it by POST /v1/imports with {{"digest": "{digest}"}}, an approver '
            "who is another confirms the decision; then import the same files again"
        )


@dataclass(frozen=True)
class Basis:
    """What prices rest on.

    Attributes:
        lots: By lot_id.
        effects: What prices each target, `(lot_id,)` or `(zone_id, lot_type)`.
        years: The years whose calendar is published.
    """

    lots: Mapping[str, Situation]
    effects: Mapping[tuple[str, ...], tuple[StoredEffect, ...]]
    years: frozenset[int]

    def own(self, lot_id: str) -> tuple[StoredEffect, ...]:
        """Return the effects of a lot's own tariffs."""
        return self.effects.get((lot_id,), ())

    def rule(self, lot_id: str, at: datetime) -> tuple[str, int] | None:
        """Return which version prices a lot at `at`; None for none."""
        situation = self.lots[lot_id]
        zone = (situation.zone_at(at) or "", situation.lot_type)
        for effect in (*self.own(lot_id), *self.effects.get(zone, ())):
            if effect.starts_at <= at and (effect.ends_at is None or at < effect.ends_at):
                return effect.tariff_id, effect.version
        return None

    def turns(self, lot_id: str) -> set[datetime]:
        """Return all instants at which another version may begin to price a lot."""
        situation = self.lots[lot_id]
        found = {at for _, *span in situation.zones for at in span if at}
        targets = [(lot_id,), *((zone, situation.lot_type) for zone, _, _ in situation.zones)]
        for target in targets:
            for effect in self.effects.get(target, ()):
                found |= {at for at in (effect.starts_at, effect.ends_at) if at}
        return found


async def read_basis(db: Transaction) -> Basis:
    """Read what prices rest on, in the transaction's view."""
    by_target = defaultdict(list)
    for effect in await queries.effects(db):
        by_target[effect.target].append(effect)
    return Basis(
        await read_situations(db),
        {target: tuple(each) for target, each in by_target.items()},
        frozenset(year.year for year in await queries.calendar(db)),
    )


def moved(before: Basis, after: Basis, since: datetime) -> list[str]:
    """Return the lots that were there and that another version prices from now on, or at a time.

    Retired ones too: they can be taken back by one person.

    Args:
        before: As it was.
        after: As it is.
        since: What was earlier does not count.

    Returns:
        Their ids; of all that have a price where the calendar has more years.
    """
    # Lots of one kind in the same zones share their fate.
    known: dict[object, bool] = {}
    found = []
    for lot_id, was in before.lots.items():
        if lot_id not in after.lots:
            continue
        kind = (was, after.lots[lot_id], before.own(lot_id), after.own(lot_id))
        if kind not in known:
            known[kind] = _has_moved(before, after, lot_id, since)
        if known[kind]:
            found.append(lot_id)
    return found


def _has_moved(before: Basis, after: Basis, lot_id: str, since: datetime) -> bool:
    times = [since, *(at for at in before.turns(lot_id) | after.turns(lot_id) if at > since)]
    rules = [(before.rule(lot_id, at), after.rule(lot_id, at)) for at in times]
    if any(was != now for was, now in rules):
        return True
    return before.years != after.years and any(was for was, _ in rules)


def digest_of(path: Path, options: object) -> str:
    """Return SHA-256 of the files of an import, with their names, and of what else decides it."""
    made = hashlib.sha256(repr(options).encode())
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    for file in files:
        name = str(file.relative_to(path)) if path.is_dir() else file.name
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        made.update(f"\n{len(name)}:{name}:{content}".encode())
    return made.hexdigest()


async def require_decision(act: Act, digest: str, lots: list[str]) -> None:
    """Refuse an import that moves prices, unless two persons have decided on these very files.

    Args:
        act: The import's.
        digest: Of its files.
        lots: Those whose price moves.

    Raises:
        ImportUndecidedError: Nobody has, or the decision was used or has lapsed.
    """
    if not lots:
        return
    decision_id = await decision_queries.take_import(act.db, digest, act.at)
    if decision_id is None:
        raise ImportUndecidedError(digest, lots)
    act.keep(
        "decision.use",
        f"decision/{decision_id}",
        None,
        {"digest": digest, "lots": len(lots), "named": lots[:MOST_NAMED]},
    )
    await act.record()


async def _decided(_: Act, given: ImportOf) -> ImportAnswer:
    """Nothing is done by the decision itself: whoever has the files imports them then."""
    return ImportAnswer(digest=given.digest)


IMPORT: Final = decisions.declare("import", ImportOf, _decided)
