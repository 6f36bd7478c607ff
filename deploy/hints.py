"""What the demo prints once it serves: where, and commands to try."""

import shlex
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
        f"OneLot serves: http://{place.http.host}:{place.http.port}/ (map; /operations, /docs)"
        f" | mqtt://{place.mqtt.host}:{place.mqtt.port}"
        f" | PostgreSQL on {place.database.host}:{place.database.port} | all in {run_file}"
    )


def commands(var: str) -> list[str]:
    """Return commands to paste into a shell, the first of which tells it where the demo is."""
    lot = "onelot/v1/{}/gw-try/370202-0001"
    option = "" if var == "var" else f" --var {shlex.quote(var)}"
    operator = (
        "mosquitto_rr -V 5 -q 1 -W 10 "
        "-h $ONELOT_MQTT_HOST -p $ONELOT_MQTT_PORT -i gw-try -u gw-try "
        f'-P "$(.venv/bin/python -m deploy password gw-try{option})" '
        f"-t {lot.format('feeds')}/spaces -e {lot.format('acks')} -m {_FEED}"
    )
    return [
        f'first:       eval "$(.venv/bin/python -m deploy env{option})"',
        f'driver:      curl -s "$ONELOT_HTTP/v1/nearest?{_AT}&limit=3"',
        f"operator:    {operator}",
        "operations:  curl -s $ONELOT_HTTP/v1/city",
    ]
