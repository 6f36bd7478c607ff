"""Exchanges with the API, as they are recorded and as they are compared.

An answer is kept as its very text. Only what cannot repeat is replaced, by `MASKS` and by what
`Recorder.learn` finds: keys, their ids, and tokens. Times are kept: the clock of a recording, the
database's too, stands where the scenario has put it.
"""

import difflib
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx

DIRECTORY: Final = Path(__file__).parents[1] / "data" / "recorded"
# Of the head of an answer, what means something to whoever asks.
HEADERS: Final = (
    "content-type",
    "location",
    "allow",
    "www-authenticate",
    "retry-after",
    "cache-control",
    "etag",
    "last-modified",
    "vary",
    "link",
    "content-disposition",
    "content-language",
    "content-encoding",
)
MASKS: Final = (
    (re.compile(r'"token":"[^"]+"'), '"token":"<token>"'),
    (re.compile(r'"password":"[A-Za-z0-9_-]{24}"'), '"password":"<password>"'),
    (re.compile(r"\bok_[0-9a-f]{12}_[A-Za-z0-9_-]{43}"), "ok_<key>"),
)

# A body of more characters is written once a chapter.
LONG: Final = 60
SAME_BODY: Final = "body of"

Known = dict[str, dict[str, Any]]


@dataclass
class Recorder:
    """Asks the API on behalf of people, and keeps what it answers.

    Attributes:
        api: The client.
        people: The headers that each person sends; nobody's are none.
        operations: A method and a path each, as the API's own description writes them.
        asked: Who has asked for which operation.
        chapters: What was kept: by chapter, by the exchange's name.
    """

    api: httpx.AsyncClient
    people: dict[str, dict[str, str]]
    operations: list[str]
    asked: set[tuple[str, str]] = field(default_factory=set)
    chapters: dict[str, Known] = field(default_factory=dict)
    chapter: str = "start"
    _random: dict[str, str] = field(default_factory=dict)

    async def ask(
        self,
        who: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        note: str = "",
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        keep_body: bool = True,
    ) -> httpx.Response:
        """Ask something, keep the exchange, and give the answer.

        Args:
            who: One of `people`, or a text that is sent as the `Authorization` itself.
            method: GET, POST ...
            path: With its query.
            body: What is sent as JSON, if anything.
            note: What tells the exchange from others of the same person and path.
            content: What is sent as it is, instead of `body`.
            headers: Further ones.
            keep_body: Whether the text of the answer is kept.
        """
        sent = {"accept-encoding": "identity", **self.people.get(who, {}), **(headers or {})}
        if content is None and body is not None:
            content = _json(body).encode()
            sent = {"content-type": "application/json", **sent}
        answer = await self.api.request(method, path, content=content, headers=sent)
        self.learn(answer)
        route = f"{method} {self.route(path)}"
        self.asked.add((who, route))
        kept: dict[str, Any] = {"route": route}
        if body is not None:
            kept["request"] = json.loads(self.masked(_json(body)))
        kept["status"] = answer.status_code
        kept["headers"] = {
            name: self.masked(answer.headers[name])
            for name in HEADERS
            # A tag stands for its body.
            if name in answer.headers and (keep_body or name != "etag")
        }
        if keep_body:
            kept["body"] = self.masked(answer.content.decode())
        self.keep(f"{who}: {method} {self.masked(path)}{f' ({note})' if note else ''}", kept)
        return answer

    def keep(self, name: str, kept: dict[str, Any]) -> None:
        """Keep something by a name of its own; one that is taken gets a number."""
        chapter = self.chapters.setdefault(self.chapter, {})
        number = 1
        unique = name
        while unique in chapter:
            number += 1
            unique = f"{name} #{number}"
        chapter[unique] = kept

    def learn(self, answer: httpx.Response) -> None:
        """Note the id of a key that has just been made, so that it is masked from now on."""
        try:
            told = answer.json()
        except ValueError:
            return
        if isinstance(told, dict) and isinstance(told.get("key"), dict):
            told = told["key"]
        if isinstance(told, dict) and "key" in told and "key_id" in told:
            self._random.setdefault(told["key_id"], f"<key {len(self._random) + 1}>")

    def masked(self, text: str) -> str:
        """Replace what cannot repeat."""
        for pattern, instead in MASKS:
            text = pattern.sub(instead, text)
        for value, instead in self._random.items():
            text = text.replace(value, instead)
        return text

    def route(self, path: str) -> str:
        """Find the path of the description that a request's path is of; empty for none."""
        bare = path.partition("?")[0]
        paths = [operation.partition(" ")[2] for operation in self.operations]
        fitting = [one for one in paths if _pattern(one).fullmatch(bare)]
        return min(fitting, key=lambda one: one.count("{"), default="")


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))


def write(chapters: dict[str, Known]) -> None:
    """Write the recordings anew."""
    DIRECTORY.mkdir(exist_ok=True)
    for stale in DIRECTORY.glob("*.json"):
        stale.unlink()
    for chapter, known in chapters.items():
        (DIRECTORY / f"{chapter}.json").write_text(_written(_shortened(known)), encoding="utf-8")


def recorded() -> dict[str, Known]:
    """Read the recordings."""
    return {
        file.stem: _restored(json.loads(file.read_text(encoding="utf-8")))
        for file in sorted(DIRECTORY.glob("*.json"))
    }


def _written(told: Known) -> str:
    """Write JSON with a line for each part of an exchange."""
    exchanges = []
    for name, kept in told.items():
        parts = ",\n".join(f"  {_json(part)}: {_json(value)}" for part, value in kept.items())
        exchanges.append(f" {_json(name)}: {{\n{parts}\n }}")
    return "{\n" + ",\n".join(exchanges) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shortened(known: Known) -> Known:
    """Leave out usual headers; name the first exchange with the same body, if it is long."""
    first: dict[str, str] = {}
    told = {}
    for name, kept in known.items():
        body = kept.get("body", "")
        same = first.setdefault(body, name) if len(body) > LONG else name
        told[name] = {
            (SAME_BODY if key == "body" and same != name else key): value
            for key, value in kept.items()
            if key != "headers" or value != _usual_headers(kept)
        }
        if SAME_BODY in told[name]:
            told[name][SAME_BODY] = same
    return told


def _usual_headers(kept: dict[str, Any]) -> dict[str, str]:
    """The headers that are left out where an exchange has no others."""
    bad = kept.get("status", 0) >= HTTPStatus.BAD_REQUEST
    return {"content-type": "application/problem+json" if bad else "application/json"}


def _restored(told: Known) -> Known:
    """Undo `_shortened`."""
    known: Known = {}
    for name, kept in told.items():
        rest = {key: value for key, value in kept.items() if key != SAME_BODY}
        if "status" in kept:
            rest = {"headers": _usual_headers(kept), **rest}
        same = kept.get(SAME_BODY)
        known[name] = {**rest, "body": known[same]["body"]} if same else rest
    return known


def differences(was: dict[str, Known], now: dict[str, Known]) -> list[str]:
    """Name every exchange that differs, each with what differs in it."""
    found = []
    for chapter in sorted(was.keys() | now.keys()):
        before, after = was.get(chapter, {}), now.get(chapter, {})
        for name in dict.fromkeys([*before, *after]):
            lines = _difference(before.get(name), after.get(name))
            if lines:
                found.append("\n".join([f"--- {chapter}: {name}", *lines]))
    return found


def _difference(was: dict[str, Any] | None, now: dict[str, Any] | None) -> list[str]:
    if was == now:
        return []
    if was is None:
        return ["is not recorded"]
    if now is None:
        return ["is recorded, but was not asked"]
    lines = []
    for part in dict.fromkeys([*was, *now]):
        before, after = _lines(was.get(part)), _lines(now.get(part))
        if was.get(part) != now.get(part):
            changes = difflib.unified_diff(before, after, n=0, lineterm="")
            lines += [f"{part}:", *list(changes)[2:]]
    return lines


def _lines(part: Any) -> list[str]:
    """Cut a part into lines at its commas, for a diff that people can read."""
    text = part if isinstance(part, str) else _json(part)
    return re.sub(r'(?<=[,\]}])(?=["{\[])', "\n", text).split("\n")
