"""The schema, declared: a class for each table; all else in the `.sql` files, one for each kind."""

from sql.schema import city, feeds, mechanisms, people, states, tariffs
from sql.schema.base import Base

__all__ = ["city", "feeds", "mechanisms", "metadata", "people", "states", "tariffs"]

metadata = Base.metadata
