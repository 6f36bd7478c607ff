"""Named queries: one statement a file in `sql/queries/`."""

from functools import cache
from pathlib import Path

QUERIES = Path(__file__).parent / "queries"


@cache
def named(name: str) -> str:
    """Read the statement `sql/queries/{name}.sql`, with its header.

    Args:
        name: The file's name without its ending.

    Returns:
        The text, parameters as `$1`, `$2`, ... in the order that the header lists.

    Raises:
        FileNotFoundError: There is no such query.
    """
    return (QUERIES / f"{name}.sql").read_text()
