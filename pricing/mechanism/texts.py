"""Why a price moves or is held, in a sentence, in Chinese and English."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from pricing.mechanism.rules import WATCH_FALL, WATCH_RISE, Band, Reason


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A sentence in both languages."""

    zh: str
    en: str


class Seen(NamedTuple):
    """The figures of a reading, shares of 0..1, and what they are held against.

    Attributes:
        band: the target.
        rest: the occupancies between which the price is left alone.
    """

    occupancy: float
    coverage: float
    pressure: float | None
    band: Band
    rest: Band


_ENGLISH: Final = {
    Reason.FULL: "Mean occupancy {occupancy} is at the upper end of {rest}, where the price "
    "rests, or above: dearer.",
    Reason.BLOCKED: "{pressure} of arrivals find no space; with them, demand is more than fills "
    "the lot to {rest}, where the price rests: dearer.",
    Reason.IDLE: "Mean occupancy {occupancy} is at the lower end of {rest}, where the price "
    "rests, or below: cheaper.",
    Reason.BESIDE_FULL: "Beside full lots there is room for more: mean occupancy {occupancy}, "
    "the price rests at {rest}: cheaper.",
    Reason.IN_BAND: "Mean occupancy {occupancy}: demand is what fills the lot to {rest}, where "
    "the price rests: unchanged.",
    Reason.WATCH: "Mean occupancy {occupancy} asks for a change of direction, but the lot is not "
    "clear of the band {band} ({rise} points to rise, {fall} to fall): watched.",
    Reason.AT_CEILING: "The ceiling ends the rise.",
    Reason.AT_FLOOR: "The floor ends the fall.",
    Reason.GRID: "The step is smaller than the grid of prices: unchanged.",
    Reason.FROZEN: "The mechanism is frozen.",
    Reason.TOO_SOON: "The last change is more recent than the shortest interval: unchanged.",
    Reason.COVERAGE: "Only {coverage} of the time was seen: unchanged.",
    Reason.OUT_OF_SEASON: "The reading is of another season: unchanged.",
}
_CHINESE: Final = {
    Reason.FULL: "平均占用率{occupancy}达到或超过稳价区间{rest}上限，价格上调。",
    Reason.BLOCKED: "{pressure}的到达车辆无泊位可停，计入后需求超过稳价区间{rest}，价格上调。",
    Reason.IDLE: "平均占用率{occupancy}处于或低于稳价区间{rest}下限，价格下调。",
    Reason.BESIDE_FULL: "相邻停车场已满而本场尚有余位（占用率{occupancy}，稳价区间{rest}），"
    "价格下调。",
    Reason.IN_BAND: "平均占用率{occupancy}，需求处于稳价区间{rest}之内，价格不变。",
    Reason.WATCH: "平均占用率{occupancy}提示反向调整，但尚未明显越出目标区间{band}"
    "（上调须超出{rise}个百分点，下调须低于{fall}个百分点），继续观察。",
    Reason.AT_CEILING: "价格已到上限。",
    Reason.AT_FLOOR: "价格已到下限。",
    Reason.GRID: "调整幅度小于价格档位，价格不变。",
    Reason.FROZEN: "机制已冻结。",
    Reason.TOO_SOON: "距上次调价未满最短间隔，价格不变。",
    Reason.COVERAGE: "数据覆盖率仅{coverage}，价格不变。",
    Reason.OUT_OF_SEASON: "数据属于其他季节，价格不变。",
}


def explain(reason: Reason, seen: Seen) -> Bilingual:
    """Say why, with the figures that were read."""
    shares = {
        "occupancy": seen.occupancy,
        "coverage": seen.coverage,
        "pressure": seen.pressure or 0.0,
    }
    english = {name: f"{100 * share:.1f} %" for name, share in shares.items()}
    chinese = {name: f"{100 * share:.1f}%" for name, share in shares.items()}
    ranges = {"band": seen.band, "rest": seen.rest}
    english |= {
        name: f"{100 * one.lower:.0f} to {100 * one.upper:.0f} %" for name, one in ranges.items()
    }
    chinese |= {
        name: f"{100 * one.lower:.0f}%至{100 * one.upper:.0f}%" for name, one in ranges.items()
    }
    points = {"rise": round(100 * WATCH_RISE), "fall": round(100 * WATCH_FALL)}
    return Bilingual(
        zh=_CHINESE[reason].format(**chinese, **points),
        en=_ENGLISH[reason].format(**english, **points),
    )
