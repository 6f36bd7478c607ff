"""The list of lots as a page of HTML alone, for browsers without scripts and for old ones."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from heapq import nlargest
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Header, Query, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from parking_api import worker
from parking_api.city.following import CityCopy
from parking_api.city.memory import City
from parking_api.city.states import micros
from parking_api.languages import preferred
from parking_api.lots.models import NearestLotsAsk
from parking_api.lots.service import nearest_lot
from parking_api.lots.writing import Answers
from parking_api.models import Json
from parking_api.parameters import Latitude, Longitude
from parking_api.places.following import CurrentNames
from parking_api.places.queries import NamedThing
from parking_api.quotes.following import CurrentPrices
from parking_api.quotes.models import Stay
from parking_api.quotes.prices import Prices
from parking_api.resources import Deps
from pricing.texts import Words, duration, money

router = APIRouter(include_in_schema=False)

Language = Literal["zh", "en"]
MOST_LOTS: Final = 20
MOST_PLACES: Final = 6
RADIUS_M: Final = 2_000
WIDE_M: Final = 20_000
# A way on foot is longer than the straight line, at some 4.5 km/h.
WAY: Final = 1.3
METRES_A_MINUTE: Final = 75
MOST_MINUTES_ON_FOOT: Final = 60
LENGTHS_MIN: Final = (30, 60, 120, 180, 240, 480, 720, 1440)
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_KM: Final = 1000
_ZONE: Final = ZoneInfo("Asia/Shanghai")

WORDS: Final[Mapping[str, Words]] = {
    "tag": Words("zh-CN", "en"),
    "other_tag": Words("en", "zh-CN"),
    "other": Words("English", "中文"),
    "title": Words("全市停车 · 空位", "City parking · free spaces"),
    "map": Words("地图", "Map"),
    "search": Words("搜索地点、停车场", "Search a place or a lot"),
    "stay": Words("停车时长", "Length of stay"),
    "show": Words("查看", "Show"),
    "others": Words("也可能是：", "Or did you mean:"),
    "degraded": Words(
        "数据库暂时不可用：空位为最近所知。", "The database is away: free spaces as last known."
    ),
    "as_of": Words("{} 的数据；刷新页面即可更新。", "As of {}; load the page again for news."),
    "freest": Words("全市空位最多的停车场", "The lots of the city with the most free spaces"),
    "near": Words("{}附近", "Near {}"),
    "point": Words("该位置", "that place"),
    "nothing": Words("没有找到“{}”", "Nothing is called “{}”"),
    "none": Words(
        "2 公里内没有空位；最近的空位：", "No lot with a free space within 2 km; the nearest:"
    ),
    "none_at_all": Words("20 公里内没有空位。", "No free space within 20 km."),
    "before": Words("空位 ", ""),
    "free": Words("· 共 {}", "free of {}"),
    "live": Words("{}前", "{} ago"),
    "old": Words("数据较旧：{}前", "old data: {} ago"),
    "walk": Words("步行约 {} 分钟", "about {} min walk"),
    "price": Words("停 {} {}", "{1} for {0}"),
    "no_price": Words("价格暂不可知", "price not known"),
    "closes": Words("{} 关闭", "closes {}"),
}


class ListAsk(BaseModel):
    """What the list is of; other parameters are not looked at, as on the other pages."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    q: Annotated[str, Field(max_length=100)] = ""
    lon: Longitude | None = None
    lat: Latitude | None = None
    lang: Language | None = None
    duration_min: Annotated[int, Field(ge=1, le=43_200)] = 120


@dataclass(frozen=True)
class _Place:
    name: str
    lon: float
    lat: float
    address: str


_PAGES: Final = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


@router.get("/list")
async def lots_as_html(  # noqa: PLR0917 - one for each thing that it asks
    ask: Annotated[ListAsk, Query()],
    city: CityCopy,
    deps: Deps,
    answers: Answers,
    prices: CurrentPrices,
    names: CurrentNames,
    accept_language: Annotated[str, Header()] = "",
) -> Response:
    """Give the lots near a place, by name or coordinates, else the freest, as HTML."""
    lang = ask.lang or preferred(accept_language or "zh")
    now = deps.clock()
    asked = ask.q.strip()
    places: list[_Place] = []
    if asked and names.index is not None:
        found = await worker.off_loop(names.index.find, asked, None, MOST_PLACES)
        places = [_place(each.thing, ask, lang) for each in found]
    at = (places[0].lon, places[0].lat) if places else None
    if at is None and not asked and ask.lon is not None and ask.lat is not None:
        at = ask.lon, ask.lat
    t = {key: _in(lang, words) for key, words in WORDS.items()}
    degraded, note = deps.database.is_away, ""
    if at is None:
        stay = Stay(now.replace(second=0, microsecond=0), ask.duration_min, None, now)
        lots = _freest(city, prices, stay, now)
        heading, note = t["freest"], t["nothing"].format(asked) if asked else ""
    else:

        def near(limit: int, radius_m: int) -> list[Json]:
            question = NearestLotsAsk(
                lon=at[0], lat=at[1], limit=limit, radius_m=radius_m, duration_min=ask.duration_min
            )
            text = answers.nearest(question, now, degraded=degraded)
            lots: list[Json] = orjson.loads(text)["lots"]
            return lots

        lots = near(MOST_LOTS, RADIUS_M)
        if not lots:
            lots = near(1, WIDE_M)
            note = t["none"] if lots else t["none_at_all"]
        heading = t["near"].format(places[0].name if places else t["point"])
    page = _PAGES.get_template("list.html.j2").render(
        t=t,
        lang=lang,
        q=asked,
        duration_min=ask.duration_min,
        other=_address(ask, lang="en" if lang == "zh" else "zh"),
        lengths=[(each, _length(each, lang)) for each in _lengths(ask.duration_min)],
        heading=heading,
        degraded=degraded,
        places=places,
        note=note,
        lots=[_shown(lot, ask.duration_min, t, lang) for lot in lots],
        time=f"{now.astimezone(_ZONE):%H:%M:%S}",
    )
    headers = {
        "Content-Security-Policy": _policy(page),
        "Cache-Control": "no-store",
        "Content-Language": t["tag"],
        "Vary": "Accept-Language",
    }
    return Response(page, headers=headers, media_type="text/html")


def _in(lang: Language, words: Words) -> str:
    return words.zh if lang == "zh" else words.en


def _lengths(asked: int) -> Sequence[int]:
    return sorted({asked, *LENGTHS_MIN})


def _length(minutes: int, lang: Language) -> str:
    return _in(lang, duration(minutes * _MINUTE_S))


def _address(ask: ListAsk, **change: object) -> str:
    given = ask.model_dump(exclude_none=True, exclude_defaults=True) | change
    return f"/list?{urlencode(given)}"


def _place(thing: NamedThing, ask: ListAsk, lang: Language) -> _Place:
    name = thing.name_zh if lang == "zh" else thing.name_en or thing.name_zh
    at = {"lon": round(thing.longitude, 5), "lat": round(thing.latitude, 5)}
    return _Place(name, at["lon"], at["lat"], _address(ask, q=thing.name_zh, lang=lang))


def _freest(city: City, prices: Prices, stay: Stay, now: datetime) -> list[Json]:
    """Return the open lots with the most free spaces, as `/v1/nearest` has lots."""
    table, at = city.table, micros(now)
    table.look_at_clock(at)
    fullest_first = nlargest(
        2 * MOST_LOTS, table.lots, key=lambda lot: (lot.state and lot.state.free_spaces) or 0
    )
    rows = [table.at(lot, at) for lot in fullest_first]
    some = [row for row in rows if row.status == "open" and row.free_spaces][:MOST_LOTS]
    return [nearest_lot(row, None) | {"quote": prices.glance(row.lot_id, stay)} for row in some]


def _shown(lot: Json, minutes: int, t: Mapping[str, str], lang: Language) -> Json:
    """Return what the page says of a lot."""
    facts = [_age(lot, t, lang)]
    metres = lot["distance_m"]
    if metres is not None:
        walk = max(1, round(metres * WAY / METRES_A_MINUTE))
        if walk <= MOST_MINUTES_ON_FOOT:
            facts.append(t["walk"].format(walk))
        facts.append(_distance(metres, lang))
    quote = lot["quote"]
    if quote is None:
        facts.append(t["no_price"])
    else:
        price = _in(lang, money(quote["total_minor"], quote["currency"]))
        facts.append(t["price"].format(_length(minutes, lang), price))
    if "closes_at" in lot:
        closes_at = datetime.fromisoformat(str(lot["closes_at"]))
        facts.append(t["closes"].format(f"{closes_at:%H:%M}"))
    name = lot["name"]
    return {
        "name": name["zh"] if lang == "zh" else name["en"] or name["zh"],
        "free": f"{lot['free_spaces']:,}",
        "of": t["free"].format(f"{lot['capacity']:,}"),
        "facts": " · ".join(facts),
    }


def _age(lot: Json, t: Mapping[str, str], lang: Language) -> str:
    seconds = int(lot["age_s"] or 0)
    units = ((_DAY_S, "天", " d"), (_HOUR_S, "小时", " h"), (_MINUTE_S, "分钟", " min"))
    unit, chinese, english = next((one for one in units if seconds >= one[0]), (1, "秒", " s"))
    age = f"{seconds // unit}{english}" if lang == "en" else f"{seconds // unit} {chinese}"
    return t["live" if lot["data_state"] == "live" else "old"].format(age)


def _distance(metres: float, lang: Language) -> str:
    if metres < _KM:
        return f"{round(metres, -1):.0f} " + ("米" if lang == "zh" else "m")
    return f"{metres / _KM:.1f} " + ("公里" if lang == "zh" else "km")


def _policy(page: str) -> str:
    """Return the Content-Security-Policy: the page's own style, and its form to this platform."""
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
