"""Closes lots for a time, and retires them: for operations, and for each lot's operator."""

from msgspec.structs import asdict, replace

from parking_api.errors import LotUnknownError
from parking_api.lots import queries
from parking_api.lots.errors import ClosureError
from parking_api.lots.models import LotChange, LotClosure
from parking_api.lots.queries import Closure
from parking_api.models import Json, local
from parking_api.operators.sight import Sight
from parking_api.workflow import Act

_OF_A_CLOSURE = ("closed_from", "closed_until", "closed_reason")


async def change(act: Act, lot_id: str, body: LotChange, seen: Sight) -> LotClosure:
    """Close a lot, open it, retire it or take it back; what says nothing new changes nothing.

    Args:
        act: Who does it, when and why.
        lot_id: Which.
        body: What changes.
        seen: Whose lots the caller may change.

    Raises:
        LotUnknownError: There is no such lot.
        RoleMissingError: It is another operator's.
        ClosureError: The closure would have no beginning, or end before it.
    """
    before = await queries.lock_closure(act.db, lot_id)
    if before is None:
        raise LotUnknownError
    seen.of(before.operator_id)
    after = _changed(before, body, act)
    if after != before:
        await queries.set_closure(
            act.db,
            lot_id,
            closed_from=after.closed_from,
            closed_until=after.closed_until,
            closed_reason=after.closed_reason,
            retired_at=after.retired_at,
        )
        if after.retired_at != before.retired_at:
            await queries.notify(act.db, lot_id)
        act.keep("lot.change", f"lot/{lot_id}", _audited(before), _audited(after))
    return _answer(after)


def _changed(before: Closure, body: LotChange, act: Act) -> Closure:
    """Return a lot's closure and retirement as they are to be."""
    given = body.model_fields_set
    values = {name: getattr(body, name) for name in _OF_A_CLOSURE if name in given}
    if "closed_from" in values and body.closed_from is None:
        values = dict.fromkeys(_OF_A_CLOSURE) | values
    if "retired" in given:
        values["retired_at"] = (before.retired_at or act.at) if body.retired else None
    after = replace(before, **values)
    begins, ends = after.closed_from, after.closed_until
    if begins is None and (ends is not None or after.closed_reason is not None):
        raise ClosureError("closed_from", "when does the closure begin?")
    if begins is not None and ends is not None and ends <= begins:
        raise ClosureError("closed_until", f"lies after closed_from, {begins.isoformat()}")
    return after


def _audited(closure: Closure) -> Json:
    kept = asdict(closure)
    return {name: kept[name] for name in (*_OF_A_CLOSURE, "retired_at")}


def _answer(closure: Closure) -> LotClosure:
    return LotClosure(
        lot_id=closure.lot_id,
        operator_id=closure.operator_id,
        closed_from=local(closure.closed_from, closure.timezone),
        closed_until=local(closure.closed_until, closure.timezone),
        closed_reason=closure.closed_reason,
        retired_at=local(closure.retired_at, closure.timezone),
    )
