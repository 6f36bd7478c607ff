"""Why a review moves a price or leaves it, in a sentence."""

from typing import Final

from pricing.texts.words import Words

REASONS: Final = {
    "full": Words(
        "平均占用率{occupancy}达到或超过目标区间{band}上限，价格上调。",
        "Mean occupancy {occupancy} is at the upper end of {band} or above: dearer.",
    ),
    "blocked": Words(
        "{pressure}的时间无空余泊位，超过允许的{longest}，价格上调。",
        "No space is free for {pressure} of the time, which may be {longest}: dearer.",
    ),
    "idle": Words(
        "平均占用率{occupancy}低于稳价区间{rest}，价格下调。",
        "Mean occupancy {occupancy} is below {rest}, where the price rests: cheaper.",
    ),
    "in_band": Words(
        "平均占用率{occupancy}，{pressure}的时间无空余泊位，均无须调价，价格不变。",
        "Mean occupancy {occupancy}, and no space is free for {pressure} of the time: neither asks "
        "for another price: unchanged.",
    ),
    "watch": Words(
        "平均占用率{occupancy}、{pressure}的时间无空余泊位提示反向调整，但尚不明显（上调须超过允许时间"
        "的{times}倍，或超出目标区间{band}{rise}个百分点；下调须低于区间{fall}个百分点），继续观察。",
        "Mean occupancy {occupancy} and no free space for {pressure} of the time ask for a change "
        "of direction, but not plainly (to rise takes {times} times as long as may be, or {rise} "
        "points above the band {band}; to fall, {fall} below): watched.",
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
    longest: float,
    watch: tuple[float, float, float],
) -> Words:
    """Why, with the figures that were read; all are shares, 0..1, where nothing else is said.

    Args:
        reason: A key of `REASONS`.
        occupancy: Mean of what was read.
        coverage: How much of the time was seen.
        pressure: Of the time without a free space; None where not known.
        band: The target, lower and upper end.
        rest: Within it, where the price is left alone.
        longest: Of the time for which there may be no free space.
        watch: At how many times that, and how far above the band, a price rises that fell last; how
            far below it one falls that rose last.
    """
    times, rise, fall = watch
    return REASONS[reason].filled(
        occupancy=_share(occupancy),
        coverage=_share(coverage),
        pressure=_share(pressure or 0.0),
        longest=_share(longest),
        band=_range(*band),
        rest=_range(*rest),
        times=f"{times:.0f}",
        rise=round(100 * rise),
        fall=round(100 * fall),
    )


def _share(share: float) -> Words:
    percent = f"{100 * share:.1f}"
    return Words(f"{percent}%", f"{percent} %")


def _range(lower: float, upper: float) -> Words:
    low, high = f"{100 * lower:.0f}", f"{100 * upper:.0f}"
    return Words(f"{low}%至{high}%", f"{low} to {high} %")
