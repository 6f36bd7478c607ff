"""Pages of lists: the limit, the cut, and the path of the next page."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from pydantic import Field

from parking_api.models import Page
from parking_api.parameters import Id, Parameters

START: Final = "Where a page starts: take it from the `next` before."
NEXT: Final = "Path of the next page, or null."

Item = TypeVar("Item")
Cursor = TypeVar("Cursor")

PageLimit = Annotated[int, Field(ge=1, le=1000, description="The most items on a page.")]


class PageAsk(Parameters):
    """A page of a list without filters, by the items' ids."""

    limit: PageLimit = 100
    cursor: Annotated[Id | None, Field(description=START)] = None


def cut(
    rows: Sequence[Item], limit: int, key: Callable[[Item], Cursor]
) -> tuple[Sequence[Item], Cursor | None]:
    """Return a page of rows and its cursor; the rows have one more where another page follows.

    Args:
        rows: In order, at most `limit` + 1.
        limit: The most that a page holds.
        key: Tells what the next page starts after.

    Returns:
        The page, and the key of its last row where another page follows, else None.
    """
    page = rows[:limit]
    return page, key(page[-1]) if len(rows) > limit else None


def next_path(path: str, ask: Parameters, cursor: object) -> str | None:
    """Return the path of the next page, with the same parameters.

    Args:
        path: Of the route.
        ask: The parameters of this page.
        cursor: Where the next one starts; None where there is none.
    """
    if cursor is None:
        return None
    given = ask.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    # JSON's words for true and false, not Python's.
    given = {k: str(v).lower() if isinstance(v, bool) else v for k, v in given.items()}
    return f"{path}?{urlencode(given | {'cursor': cursor}, safe=',')}"


def page(
    path: str, ask: Parameters, limit: int, items: list[Item], key: Callable[[Item], object]
) -> Page[Item]:
    """Return a page of items with the path of the next one: see `cut` and `next_path`."""
    shown, cursor = cut(items, limit, key)
    return Page(items=list(shown), next=next_path(path, ask, cursor))
