"""Problems in Chinese and English."""

import json
import re

import httpx
import pytest

import parking_api.app
from parking_api.errors import ApiError
from parking_api.languages import in_chinese, preferred, title_in_chinese
from tests.parking_api.recorded.recording import recorded
from tests.parking_api.serving import is_problem

assert parking_api.app  # every error is declared by what it imports
HAN = re.compile(r"[\u4e00-\u9fff]")


def kinds(base: type[ApiError] = ApiError) -> list[type[ApiError]]:
    found = [one for one in base.__subclasses__() if one.__module__.startswith("parking_api")]
    return [*found, *(each for one in found for each in kinds(one))]


@pytest.mark.parametrize("error", kinds())
def test_every_error_has_its_sentence(error: type[ApiError]) -> None:
    assert HAN.search(in_chinese(str(error.__doc__)) or ""), error
    assert title_in_chinese(error.status)


def test_every_recorded_problem_has_its_sentence() -> None:
    problems = {
        body["detail"]: body["status"]
        for chapter in recorded().values()
        for kept in chapter.values()
        if kept.get("status", 0) >= 400 and kept["body"]
        for body in [json.loads(kept["body"])]
    }
    assert len(problems) > 60
    for detail, status in problems.items():
        told = in_chinese(detail) or ""
        assert HAN.search(told), detail
        assert "{" not in told
        assert title_in_chinese(status)


def test_each_of_several_sentences_has_its_own() -> None:
    told = in_chinese(
        "The API has no connection to the broker. 5 of 60 lots have not been heard from yet."
    )
    assert told == "接口未连接到消息代理。5 个停车场（共 60 个）尚无消息。"


def test_states_are_words() -> None:
    assert in_chinese("m-1 is a draft, not approved.") == "m-1 为草稿，而非已批准。"
    assert in_chinese("nobody has written this") is None


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hans-CN", "zh"),
        ("en-GB, zh;q=0.9", "en"),
        ("fr, zh;q=0.3, en;q=0.2", "zh"),
        ("fr", "en"),
        ("zh;q=0", "en"),
        ("*", "en"),
        ("zh;q=high, ;,=", "en"),
    ],
)
def test_what_is_preferred(asked: str, language: str) -> None:
    assert preferred(asked) == language


@pytest.mark.parametrize(
    "path",
    ["/v1/nearest?lon=x", "/v1/lots/nowhere", "/v1/nowhere", "/v1/people?limit=0"],
)
async def test_answers(big_api: httpx.AsyncClient, path: str) -> None:
    english = await big_api.get(path)
    chinese = await big_api.get(path, headers={"accept-language": "zh-CN,zh;q=0.9"})
    is_problem(chinese, english.status_code)
    assert chinese.headers["content-language"] == "zh"
    assert int(chinese.headers["content-length"]) == len(chinese.content)
    told, known = chinese.json(), english.json()
    for member in ("title", "detail"):
        assert HAN.search(told.pop(member))
        assert not HAN.search(known.pop(member))
    assert told == known
