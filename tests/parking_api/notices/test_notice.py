"""The public notice: the official text in Chinese, and its quick table."""

import base64
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from parking_api.notices.models import Notice, QuickTable, Section
from parking_api.notices.pages import html, markdown
from pricing import content_hash
from tests.parking_api.bureau import Bureau, class_1_road, document

WEST_COAST: dict[str, Any] = {
    "grace": {"mode": "deduct", "seconds": 1800, "first_stay_of_day": True},
    "vehicles": {"small": {}, "large": {"add_minor_per_unit": 100, "cap_multiplier": 2}},
    "caps": [{"window": "rolling_24h", "amount_minor": 3000}],
    "entitlements": [
        {
            "id": "nev",
            "name": {"zh": "新能源车", "en": "New-energy vehicle"},
            "deduct_s": 7200,
            "combinable_with_grace": False,
            "quota": "first_stay_per_day_per_lot",
        }
    ],
}


PLAIN_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


class Seen(HTMLParser):
    """What a browser would see of a page: its tags, without attributes, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


async def notice(bureau: Bureau, path: str, form: str, **headers: str) -> str:
    answer = await bureau.api.get(f"{path}/notice", params={"f": form}, headers=headers)
    assert answer.status_code == 200, answer.text
    kind = {"md": "text/markdown", "html": "text/html"}[form]
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    return answer.text


async def test_its_parts_are_told_apart_as_json(bureau: Bureau) -> None:
    """With the sentences and tables of the official text, in both languages."""
    path = await bureau.published(document=class_1_road("t-1"))
    for lang, free in (("zh", "停放时间不超过15分钟"), ("en", "15 minutes")):
        ask = {"f": "json", "lang": lang}
        answer = await bureau.api.get(f"{path}/notice", params=ask)
        text = (await bureau.api.get(f"{path}/notice", params=ask | {"f": "md"})).text
        told = answer.json()
        parts = {part["kind"]: part for part in told["sections"]}
        assert answer.headers["content-language"] == told["language"] == lang
        assert list(parts) == ["scope", "rates", "free", "rules", "effect", "quick_tables"]
        assert len(parts["rates"]["sentences"]) == 3
        assert free in parts["free"]["sentences"][0]
        for part in told["sections"]:
            assert f"## {part['heading']}\n" in text
            assert all(sentence in text for sentence in part["sentences"])
        table = parts["quick_tables"]["tables"][0]
        assert f"| {' | '.join(table['rows'][0])} |" in text
        assert told["title"] in text


async def test_the_text_says_what_is_charged(bureau: Bureau) -> None:
    path = await bureau.published(document=class_1_road("t-1"))

    text = await notice(bureau, path, "md")

    assert text.startswith("# 关于一类区域道路泊位停放服务收费标准的公告\n")
    for sentence in (
        "本标准适用于下列区域的道路泊位：一区。",
        "1. 每年4月20日至10月10日，每日07:30至18:30：首1小时内每30分钟3.50元，超过1小时后",
        "每30分钟4.00元，不足一个计费单位的按一个计费单位计；本时段最高收费60.00元。",
        "2. 每年10月11日至4月19日，每日07:30至18:30：每30分钟2.00元，",
        "3. 每日18:30至次日07:30：免费。",
        "停放时间不超过15分钟（含）的免费；超过的，自入场起计费。",
        "本标准自2026年11月22日09:30起执行。",
        f"收费标准编号：t-1，第1版。内容校验（SHA-256）：{content_hash(class_1_road('t-1'))}。",
    ):
        assert sentence in text, sentence


async def test_the_quick_table(bureau: Bureau) -> None:
    path = await bureau.published(document=class_1_road("t-1"))
    text = await notice(bureau, path, "md")
    peak, off = text.split("| 停放时间 | 停车费 |\n| --- | ---: |\n")[1:]
    assert "自07:30入场（以4月20日为例）" in text
    rows = dict(re.findall(r"^\| (\S+) \| (\S+) \|$", peak, re.MULTILINE))
    # 15 minutes are free; then 3.50 each of two half hours, 4.00 each further; 60.00 at most.
    assert rows["15分钟"] == "0.00元"
    assert rows["1小时"] == "7.00元"
    assert rows["2小时"] == "15.00元"
    assert rows["8小时"] == "60.00元"
    assert "| 8小时 | 15.00元 |" in off


async def test_vehicles_entitlements_and_caps(bureau: Bureau) -> None:
    path = await bureau.published(document=document(**WEST_COAST))
    text = await notice(bureau, path, "md")
    for sentence in (
        "1. 每日全天：每30分钟3.00元，不足一个计费单位的按一个计费单位计。",
        "每连续24小时最高收费30.00元。",
        "当日首次停放的，收费时段内的前30分钟免费，其后的时间计费。",
        "小型车：按上述标准收费。",
        "大型车：每个计费单位加收1.00元，最高收费为上述标准的2倍。",
        "新能源车：减免2小时，不与免费停放时间同时享受，限每日在同一停车场首次停放。",
        "| 停放时间 | 小型车 | 大型车 |",
        "| 1小时 | 6.00元 | 8.00元 |",
        "| 24小时 | 30.00元 | 60.00元 |",
    ):
        assert sentence in text, sentence


async def test_parts_are_called_by_names_and_never_by_ids(bureau: Bureau) -> None:
    given = document(
        vehicles={
            "zq-bus": {"name": {"zh": "大客车", "en": "Buses"}, "multiplier": 2},
            "zq-moped": {"multiplier": 0.5},
        },
        entitlements=[{"id": "zq-card", "percent_off": 50}],
    )
    path = await bureau.published(document=given)

    text = await notice(bureau, path, "md")

    assert "zq" not in text
    assert "大客车：按上述标准的2倍收费。" in text
    assert "| 停放时间 | 大客车 | 该类车型 |" in text
    assert "符合优惠条件的：停车费减收50%。" in text


async def test_html_is_a_page_and_nothing_runs_in_it(bureau: Bureau) -> None:
    evil = {"zh": "<script>alert(1)</script>|*x*", "en": "x"}
    path = await bureau.published(document=document(name=evil))
    page = await notice(bureau, path, "html")
    assert page.startswith("<!doctype html>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<table>") == page.count("</table>") == 1
    assert "\\<script\\>alert(1)\\</script\\>\\|\\*x\\*" in await notice(bureau, path, "md")


async def test_a_page_may_use_its_own_style_alone(bureau: Bureau) -> None:
    await bureau.published()
    answer = await bureau.api.get("/v1/tariffs/t-1/versions/1/notice")
    (style,) = re.findall("<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    # Styles of single elements would need more.
    assert "style=" not in answer.text


async def test_it_is_public_once_published_and_stays_as_it_is(bureau: Bureau) -> None:
    path = await bureau.approved()
    assert (await bureau.api.get(f"{path}/notice")).status_code == 404
    assert "一区路面" in await notice(bureau, path, "html", **bureau.drafter)
    await bureau.act(path, "schedule", bureau.approver, effective_from="2027-01-01T00:00:00+08:00")
    before = await notice(bureau, path, "html")
    assert "本标准自2027年1月1日起执行。" in before
    bureau.clock.now += timedelta(days=400)
    assert await notice(bureau, path, "html") == before


async def test_the_law_is_cited(bureau: Bureau) -> None:
    await bureau.post(
        "/v1/price-controls",
        bureau.drafter,
        price_control_id="c-1",
        legal_reference={"zh": "某号文", "en": "Text No."},
        base_minor=600,
        valid_from="2025-01-01T00:00:00Z",
    )
    await bureau.post("/v1/price-controls/c-1/approve", bureau.approver)
    path = await bureau.published()
    assert "收费依据\n\n某号文" in await notice(bureau, path, "md")


@pytest.mark.parametrize("write", [markdown, html])
def test_blocks(write: Any) -> None:
    table = QuickTable("c", ("h", "i"), [("1", "2")])
    sections = [
        Section("caps", "p", ["a & b"]),
        Section("rates", "l", ["x", "y"], numbered=True),
        Section("quick_tables", "q", tables=[table]),
    ]
    text = write(Notice("T", sections, "e"))
    assert all(part in text for part in ("x", "y", "1", "2"))
    assert ("a &amp; b" in text) == (write is html)


def test_the_whole_page() -> None:
    table = QuickTable("从", ("h", "i"), [("1", "2"), ("3", "4")])
    sections = [Section("caps", "甲", ["a"]), Section("rates", "乙", ["x", "y"], numbered=True)]
    notice = Notice("题", [*sections, Section("quick_tables", "丙", tables=[table])], "末")

    page = html(notice)

    assert page.startswith(
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<title>题</title>\n'
        "<style>body{font-family:'Noto Serif CJK SC','Songti SC',SimSun,serif;max-width:46rem;"
        "margin:2rem auto;"
    )
    assert page.endswith(
        "serif}</style>\n</head>\n<body>\n<h1>题</h1>\n"
        "<h2>甲</h2>\n<p>a</p>\n<h2>乙</h2>\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>\n"
        "<h2>丙</h2>\n<p>从</p>\n<table>\n<thead>\n<tr><th>h</th><th>i</th></tr>\n</thead>\n"
        "<tbody>\n<tr><td>1</td><td>2</td></tr>\n<tr><td>3</td><td>4</td></tr>\n</tbody>\n"
        '</table>\n<p class="identity">末</p>\n</body>\n</html>\n'
    )
    assert markdown(notice) == (
        "# 题\n\n## 甲\n\na\n\n## 乙\n\n1. x\n2. y\n\n## 丙\n\n从\n\n"
        "| h | i |\n| --- | ---: |\n| 1 | 2 |\n| 3 | 4 |\n\n末\n"
    )


@pytest.mark.parametrize(
    "evil",
    ["<script>alert('x')</script>", "\"><img onerror=x>'", "</style>{{ 1 }}{% x %}|#*_`[]\\"],
)
def test_every_text_is_escaped(evil: str) -> None:
    table = QuickTable(evil, (evil, evil), [(evil, evil)])
    sections = [
        Section("caps", evil, [evil, evil], numbered=True),
        Section("caps", evil, [evil], tables=[table]),
    ]
    notice = Notice(evil, sections, evil)

    page, text = html(notice), markdown(notice)

    seen = Seen()
    seen.feed(page)
    # Title twice, two headings, three sentences, a caption, four cells, and the last line.
    assert seen.texts.count(evil) == 13
    assert seen.tags <= PLAIN_TAGS
    assert text.count(re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", evil)) == 12
    assert evil not in text


async def test_names_are_escaped_wherever_they_come_from(bureau: Bureau) -> None:
    evil = "<script>\"'&"
    both = {"zh": evil, "en": "<script>en"}
    given = document(
        name=both,
        vehicles={"van": {"name": both}, "small": {}},
        entitlements=[{"id": "card", "name": both, "percent_off": 50}],
    )
    path = await bureau.published(document=given)

    seen = Seen()
    seen.feed(await notice(bureau, path, "html"))

    assert sum(evil in text for text in seen.texts) == 5  # title twice, class twice, entitlement
    assert seen.tags <= PLAIN_TAGS
    assert not any("<script>en" in text for text in seen.texts)
    assert await notice(bureau, path, "md")
