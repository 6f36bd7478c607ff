"""The AsyncAPI document: whole in itself, its channels the wire's, its examples good messages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from ingest_mqtt.wire import (
    HEARTBEAT,
    KINDS,
    PUSH_KINDS,
    ROOT,
    FeedTopic,
    push_acks_topic,
    state_topic,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENT: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
EXAMPLES = [
    (name, example["payload"])
    for name, message in MESSAGES.items()
    for example in message.get("examples", [])
]
OPERATION = {"action", "bindings", "channel", "reply", "summary"}


def references(value: object) -> Iterator[str]:
    """Find every `$ref` in a document."""
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def resolved(reference: str) -> Any:
    """Follow a `$ref` into this document, or into a file beside it."""
    file, _, pointer = reference.partition("#")
    found = json.loads((DOCS / file).read_text(encoding="utf-8")) if file else DOCUMENT
    for step in filter(None, pointer.split("/")):
        found = found[step]
    return found


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 20
    assert all(resolved(reference) for reference in found)
    used = {reference.rpartition("/")[2] for reference in found if "/messages/" in reference}
    assert used == MESSAGES.keys()


def test_it_has_the_parts_that_asyncapi_asks_for() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert {"host", "protocol"} <= DOCUMENT["servers"]["broker"].keys()
    assert DOCUMENT["components"]["securitySchemes"]["login"]["type"] == "userPassword"
    for channel in DOCUMENT["channels"].values():
        named = {part[1:-1] for part in channel["address"].split("/") if part.startswith("{")}
        assert named == channel.get("parameters", {}).keys()
        assert channel["messages"]
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["bindings"]["mqtt"]["qos"] in {0, 1}
        assert operation.keys() <= OPERATION


def test_its_channels_are_those_of_the_wire() -> None:
    feeds = {f"{ROOT}/feeds/{{gateway}}/{{lot}}/{kind}" for kind in KINDS}
    ack = FeedTopic("{gateway}", "{lot}", "spaces").ack_topic
    pushes = {FeedTopic("{gateway}", "{lot}", kind).push_topic for kind in PUSH_KINDS}
    push_ack = push_acks_topic(1).removesuffix("1") + "{pusher}"
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    own = {ack, push_ack, state_topic("{lot}"), HEARTBEAT}
    assert sorted(addresses) == sorted(feeds | pushes | own)
    used = {one["channel"]["$ref"] for one in DOCUMENT["operations"].values()}
    assert used == {f"#/channels/{name}" for name in DOCUMENT["channels"]}


def test_states_alone_are_retained() -> None:
    retained = {
        name
        for name, operation in DOCUMENT["operations"].items()
        if operation["bindings"]["mqtt"]["retain"]
    }
    assert retained == {"sendState"}


@pytest.mark.parametrize(("name", "payload"), EXAMPLES)
def test_its_examples_are_as_their_schemas_say(name: str, payload: dict[str, Any]) -> None:
    Draft202012Validator(resolved(MESSAGES[name]["payload"]["$ref"])).validate(payload)
