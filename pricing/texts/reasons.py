"""Why a review moves a price or leaves it, in a sentence."""

from typing import Final

from pricing.texts.words import Words

REASONS: Final = {
    "full": Words(
        "平均占用率{occupancy}达到或超过稳价区间{rest}上限，价格上调。",
        "Mean occupancy {occupancy} is at the upper end of {rest}, where the price "
        "rests, or above: dearer.",
    ),
    "blocked": Words(
        "{pressure}的到达车辆无泊位可停，计入后需求超过稳价区间{rest}，价格上调。",
        "{pressure} of arrivals find no space; with them, demand is more than fills "
        "the lot to {rest}, where the price rests: dearer.",
    ),
    "idle": Words(
        "平均占用率{occupancy}处于或低于稳价区间{rest}下限，价格下调。",
        "Mean occupancy {occupancy} is at the lower end of {rest}, where the price "
        "rests, or below: cheaper.",
    ),
    "beside_full": Words(
        "相邻停车场已满而本场尚有余位（占用率{occupancy}，稳价区间{rest}），价格下调。",
        "Beside full lots there is room for more: mean occupancy {occupancy}, "
        "the price rests at {rest}: cheaper.",
    ),
    "in_band": Words(
        "平均占用率{occupancy}，需求处于稳价区间{rest}之内，价格不变。",
        "Mean occupancy {occupancy}: demand is what fills the lot to {rest}, where "
        "the price rests: unchanged.",
    ),
    "watch": Words(
        "平均占用率{occupancy}提示反向调整，但尚未明显越出目标区间{band}"
        "（上调须超出{rise}个百分点，下调须低于{fall}个百分点），继续观察。",
        "Mean occupancy {occupancy} asks for a change of direction, but the lot is not "
        "clear of the band {band} ({rise} points to rise, {fall} to fall): watched.",
    ),
    "at_ceiling": Words(
        "价格已到上限。",
        "The ceiling ends the rise.",
    ),
    "at_floor": Words(
        "价格已到下限。",
        "The floor ends the fall.",
    ),
    "grid": Words(
        "调整幅度小于价格档位，价格不变。",
        "The step is smaller than the grid of prices: unchanged.",
    ),
    "frozen": Words(
        "机制已冻结。",
        "The mechanism is frozen.",
    ),
    "too_soon": Words(
        "距上次调价未满最短间隔，价格不变。",
        "The last change is more recent than the shortest interval: unchanged.",
    ),
    "coverage": Words(
        "数据覆盖率仅{coverage}，价格不变。",
        "Only {coverage} of the time was seen: unchanged.",
    ),
    "out_of_season": Words(
        "数据属于其他季节，价格不变。",
        "The reading is of another season: unchanged.",
    ),
}


def explain(
    reason: str,
    *,
    occupancy: float,
    coverage: float,
    pressure: float | None,
    band: tuple[float, float],
    rest: tuple[float, float],
    rise: float,
    fall: float,
) -> Words:
    """Why, with the figures that were read; all are shares, 0..1.

    Args:
        reason: A key of `REASONS`.
        occupancy: Mean of what was read.
        coverage: How much of the time was seen.
        pressure: Arrivals that found no space; None where not known.
        band: The target, lower and upper end.
        rest: Within it, where the price is left alone.
        rise: How far above the band a price rises that fell last.
        fall: How far below it a price falls that rose last.
    """
    return REASONS[reason].filled(
        occupancy=_share(occupancy),
        coverage=_share(coverage),
        pressure=_share(pressure or 0.0),
        band=_range(*band),
        rest=_range(*rest),
        rise=round(100 * rise),
        fall=round(100 * fall),
    )


def _share(share: float) -> Words:
    percent = f"{100 * share:.1f}"
    return Words(f"{percent}%", f"{percent} %")


def _range(lower: float, upper: float) -> Words:
    low, high = f"{100 * lower:.0f}", f"{100 * upper:.0f}"
    return Words(f"{low}%至{high}%", f"{low} to {high} %")
