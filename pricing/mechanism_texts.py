"""Why a price moves or is held, in a sentence, in Chinese and English."""

from dataclasses import dataclass
from typing import Final

from pricing.mechanism_rules import Band, Reason


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A sentence in both languages."""

    zh: str
    en: str


_ENGLISH: Final = {
    Reason.FULL: "Mean occupancy {occupancy} is at the upper end of the band {band}: dearer.",
    Reason.BLOCKED: "{pressure} of arrivals find no space, at most 5 % should: dearer.",
    Reason.IDLE: "Mean occupancy {occupancy} is at the lower end of the band {band}: cheaper.",
    Reason.BESIDE_FULL: "Spaces stand idle ({occupancy}) beside full lots: cheaper.",
    Reason.IN_BAND: "Mean occupancy {occupancy} lies in the band {band}: unchanged.",
    Reason.WATCH: "Mean occupancy {occupancy} asks for a change of direction, but is within five "
    "points of the band {band}: watched.",
    Reason.AT_CEILING: "The ceiling ends the rise.",
    Reason.AT_FLOOR: "The floor ends the fall.",
    Reason.GRID: "The step is smaller than the grid of prices: unchanged.",
    Reason.FROZEN: "The mechanism is frozen.",
    Reason.TOO_SOON: "The last change is more recent than the shortest interval: unchanged.",
    Reason.COVERAGE: "Only {coverage} of the time was seen: unchanged.",
    Reason.OUT_OF_SEASON: "The reading is of another season: unchanged.",
}
_CHINESE: Final = {
    Reason.FULL: "平均占用率{occupancy}达到目标区间{band}上限，价格上调。",
    Reason.BLOCKED: "{pressure}的到达车辆无泊位可停，超过5%，价格上调。",
    Reason.IDLE: "平均占用率{occupancy}处于目标区间{band}下限，价格下调。",
    Reason.BESIDE_FULL: "相邻停车场已满而本场空闲（占用率{occupancy}），价格下调。",
    Reason.IN_BAND: "平均占用率{occupancy}在目标区间{band}内，价格不变。",
    Reason.WATCH: "平均占用率{occupancy}提示反向调整，但距目标区间{band}不足五个百分点，继续观察。",
    Reason.AT_CEILING: "价格已到上限。",
    Reason.AT_FLOOR: "价格已到下限。",
    Reason.GRID: "调整幅度小于价格档位，价格不变。",
    Reason.FROZEN: "机制已冻结。",
    Reason.TOO_SOON: "距上次调价未满最短间隔，价格不变。",
    Reason.COVERAGE: "数据覆盖率仅{coverage}，价格不变。",
    Reason.OUT_OF_SEASON: "数据属于其他季节，价格不变。",
}


def explain(
    reason: Reason, occupancy: float, coverage: float, pressure: float | None, band: Band
) -> Bilingual:
    """Say why, with the figures (shares of 0..1) that were read."""
    lower, upper = 100 * band.lower, 100 * band.upper
    shares = {"occupancy": occupancy, "coverage": coverage, "pressure": pressure or 0.0}
    english = {name: f"{100 * share:.1f} %" for name, share in shares.items()}
    chinese = {name: f"{100 * share:.1f}%" for name, share in shares.items()}
    return Bilingual(
        zh=_CHINESE[reason].format(**chinese, band=f"{lower:.0f}%至{upper:.0f}%"),
        en=_ENGLISH[reason].format(**english, band=f"{lower:.0f} to {upper:.0f} %"),
    )
