"""What the demo prints once it serves: where, and three commands to try."""

from pathlib import Path
from typing import Final

from deploy.services import Place

# The old town's shore; the city's densest district is around it.
_AT: Final = "lon=120.3200&lat=36.0640"
_FEED: Final = (
    """'{"epoch": '$(date +%s)', "seq": 1, "observed_at": "'$(date -Iseconds)'","""
    """ "occupied": [17, 18], "free": [3]}'"""
)


def addresses(place: Place, run_file: Path) -> str:
    """Return the line that says where everything is."""
    return (
        f"OneLot serves: http://{place.http.host}:{place.http.port}/docs"
        f" | mqtt://{place.mqtt.host}:{place.mqtt.port}"
        f" | PostgreSQL on {place.database.host}:{place.database.port} | all in {run_file}"
    )


def commands(place: Place, var: str) -> list[str]:
    """Return a driver's, an operator's and an operations command, to paste into a shell."""
    http = f"http://{place.http.host}:{place.http.port}"
    lot = "onelot/v1/{}/gw-try/370202-0001"
    option = "" if var == "var" else f" --var {var}"
    operator = (
        "mosquitto_rr -V 5 -q 1 -W 10 "
        f"-h {place.mqtt.host} -p {place.mqtt.port} -i gw-try -u gw-try "
        f'-P "$(.venv/bin/python -m deploy password gw-try{option})" '
        f"-t {lot.format('feeds')}/spaces -e {lot.format('acks')} -m {_FEED}"
    )
    return [
        f"driver:      curl -s '{http}/v1/nearest?{_AT}&limit=3'",
        f"operator:    {operator}",
        f"operations:  curl -s {http}/v1/city",
    ]
