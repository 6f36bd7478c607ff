"""What the classes of the tables share: names of constraints, types of columns, checks."""

import re
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, get_args

from geoalchemy2 import Geography, Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, declared_attr, mapped_column

from sql.kinds import LandUse, LotType, Reporting, SpaceClass, Transport

# A JSON object, kept as text, so that it is given back as it was written.
Json = dict[str, object]
BigInt = Annotated[int, mapped_column(BigInteger)]
SmallInt = Annotated[int, mapped_column(SmallInteger)]
# A list that is empty unless something else is said.
Texts = Annotated[list[str], mapped_column(server_default=text("'{}'"))]
# Both in EPSG:4326; their indexes have names of our own.
MultiPolygon = Annotated[
    WKBElement, mapped_column(Geometry("MULTIPOLYGON", srid=4326, spatial_index=False))
]
Point = Annotated[WKBElement, mapped_column(Geography("POINT", srid=4326, spatial_index=False))]


class Base(DeclarativeBase):
    """A table of the platform. Its columns stand in the order that the database has them in."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805
        """The class's name in lower case with underscores: `LotState` is `lot_state`."""
        return re.sub(r"\B(?=[A-Z])", "_", cls.__name__).lower()

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        **dict.fromkeys((str, LandUse, LotType, Reporting, SpaceClass, Transport), Text),
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        list[date]: ARRAY(Date),
        list[str]: ARRAY(Text),
        Json: JSON,
        list[Json]: JSON,
    }


def check(column: str, condition: str) -> CheckConstraint:
    """Return the check, named after `column`, that it meets `condition`, such as `>= 1`."""
    return CheckConstraint(f"{column} {condition}", name=column)


def one_of(column: str, values: object) -> CheckConstraint:
    """Return the check that `column` is one of the strings of a `Literal`."""
    listed = ", ".join(f"'{value}'" for value in get_args(values))
    return check(column, f"IN ({listed})")
