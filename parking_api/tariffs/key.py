"""What names a tariff version in a path."""

from typing import Annotated, Final

from fastapi import Path

from parking_api.parameters import ID_PATTERN

VERSION_PATH: Final = "/v1/tariffs/{tariff_id}/versions/{version}"

TariffId = Annotated[str, Path(pattern=ID_PATTERN, examples=["qd-class1-road"])]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]
