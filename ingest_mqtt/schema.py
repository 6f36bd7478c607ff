"""JSON Schemas of all messages over MQTT, made from their models: `docs/schema/`."""

import argparse
import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from ingest_mqtt.messages import REPORTS, Status
from ingest_mqtt.wire import AckMessage, StateMessage

# What a struct's fields alone do not say: a message of changes names a bay.
_NAMES_A_BAY = [
    {"required": [name], "properties": {name: {"minItems": 1}}}
    for name in ("occupied", "free", "unknown")
]


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each message, by the name of its kind."""
    models = {**REPORTS, "status": Status, "ack": AckMessage, "state": StateMessage}
    made = {kind: _schema(kind, model) for kind, model in models.items()}
    made["spaces"]["anyOf"] = _NAMES_A_BAY
    return made


def _schema(kind: str, model: type[msgspec.Struct]) -> dict[str, Any]:
    (_, others) = msgspec.json.schema_components([model], ref_template="#/$defs/{name}")
    schema = others.pop(model.__name__)
    return {
        **schema,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:onelot:v1:{kind}",
        "title": kind,
        "description": inspect.cleandoc(str(model.__doc__)),
        **({"$defs": others} if others else {}),
    }


def main(argv: list[str]) -> int:
    """Write each schema into a directory."""
    parser = argparse.ArgumentParser(prog="python -m ingest_mqtt schema", description=__doc__)
    parser.add_argument("directory", type=Path)
    directory: Path = parser.parse_args(argv).directory
    for kind, schema in schemas().items():
        text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
        (directory / f"{kind}.json").write_text(text, encoding="utf-8")
    return 0
