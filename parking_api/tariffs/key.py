"""What names one version of a tariff, in a path too."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path

from parking_api.parameters import ID_PATTERN, Whole

VERSION_PATH: Final = "/v1/tariffs/{tariff_id}/versions/{version}"

TariffId = Annotated[str, Path(pattern=ID_PATTERN, examples=["qd-class1-road"])]
Number = Annotated[Whole, Path(ge=1, le=2**31 - 1, examples=[1])]


@dataclass(frozen=True)
class Key:
    """Names one version of a tariff."""

    tariff_id: str
    version: int

    @property
    def subject(self) -> str:
        """What the audit calls it."""
        return f"tariff/{self.tariff_id}/{self.version}"


async def _key(tariff_id: TariffId, version: Number) -> Key:
    return Key(tariff_id, version)


VersionKey = Annotated[Key, Depends(_key)]
