"""Names the machine and the programs that were measured."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Final

import psutil

from load_tests.bench.asking import program
from sql.engine import connected

_PACKAGES: Final = (
    *("uvicorn", "uvloop", "httptools", "fastapi", "starlette", "pydantic", "orjson", "numpy"),
    *("asyncpg", "redis", "hiredis"),
)


async def names(database_url: str) -> dict[str, str]:
    """Return what the machine and its programs are called, and their versions."""
    made = {
        "processor": _processor(),
        "cores": str(len(psutil.Process().cpu_affinity() or [])),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "Python": platform.python_version(),
    }
    async with connected(database_url, application="bench") as db:
        made["PostgreSQL"] = str(await db.fetchval("SHOW server_version"))
        made["PostGIS"] = str(await db.fetchval("SELECT postgis_lib_version()"))
    made["redis-server"] = _first_line("redis-server", "--version")
    made["wrk"] = _first_line("wrk", "--version")
    return made | {name: importlib.metadata.version(name) for name in _PACKAGES}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(name: str, option: str) -> str:
    # wrk's status is not 0 even then.
    done = subprocess.run([program(name), option], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0]
