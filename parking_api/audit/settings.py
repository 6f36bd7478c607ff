"""The settings of the audit's seals: environment variables `AUDIT_*`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class AuditSettings(BaseSettings, env_prefix="AUDIT_", frozen=True, extra="forbid"):
    """Environment variables `AUDIT_*`; the database is `DATABASE_URL`."""

    seals: Path = Field(Path("var/seal/seals"), description="the file of seals, only added to")
    key: Path = Field(
        Path("var/seal/key"), description="the key that seals are made by, mode 600, nobody else's"
    )
    every_s: float = Field(60.0, ge=0.01, le=3600, description="seconds between two seals")
