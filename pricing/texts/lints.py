"""What each lint says, by its code."""

from typing import Final

from pricing.texts.words import Words

_NO_PERIOD: Final = Words(
    "{first}等{count}天{opens}至{closes}没有任何时段，不收费。",
    "No period covers {opens} to {closes} on {days}, the first {first}: nothing is charged then.",
)
LINTS: Final = {
    "gap": _NO_PERIOD,
    "holiday_without_period": _NO_PERIOD,
    "period_never_governs": Words(
        "时段“{period}”全年从不适用：前面的时段已全部覆盖，或没有符合的日期。",
        'Period "{period}" never governs in the year: earlier periods cover all of it, or no date '
        "fits.",
    ),
    "overlap": Words(
        "时段“{later}”与在前的“{earlier}”在{opens}至{closes}重叠，以“{earlier}”为准。",
        'Period "{later}" overlaps the earlier "{earlier}" from {opens} to {closes}; "{earlier}" '
        "governs.",
    ),
    "holiday_not_in_calendar": Words(
        "法定节假日{day}不在日历中，按普通日收费。",
        "The public holiday {day} is not in the calendar and is charged as an ordinary day.",
    ),
    "tier_never_applies": Words(
        "时段“{period}”第{tier}档（自{start}起）内没有计时单位开始，不会适用。",
        'No unit of period "{period}" can start in its tier {tier}, from {start} on: it never '
        "applies.",
    ),
    "tier_beyond_cap": Words(
        "时段“{period}”在第{tier}档之前已达封顶，该档不影响收费。",
        'Period "{period}" reaches its cap before tier {tier}, which changes no fee.',
    ),
    "cap_below_unit": Words(
        "封顶低于时段“{period}”一个计时单位的价格。",
        'The cap is below the price of one unit of period "{period}".',
    ),
    "cap_beside_lower": Words(
        "另有同一范围的封顶“{lower}”不高于它，此封顶不起作用。",
        'The cap "{lower}" is no higher for the same window, so that this one decides nothing.',
    ),
    "floor_undercut": Words(
        "低于{reference}规定的每小时下限{limit}（车型：{vehicle}）。",
        "Below the floor of {limit} an hour of {reference} (vehicle: {vehicle}).",
    ),
    "ceiling_exceeded": Words(
        "超过{reference}规定的上限{limit}（车型：{vehicle}）。",
        "Above the ceiling of {limit} of {reference} (vehicle: {vehicle}).",
    ),
    "vehicle_without_name": Words(
        "此车型没有名称，收费明细和公告只称“{vehicle}”。",
        'This class has no name: quotes and notices call it "{vehicle}".',
    ),
    "night_dearer_than_day": Words(
        "{night:02}:00起停放{length}比{day}:00起更贵。",
        "A stay of {length} from {night:02}:00 costs more than one from {day}:00.",
    ),
    "off_street_dearer": Words(
        "{tried}次停放中有{times}次路外贵于路内，差额最大的是{at}起停放{length}。",
        "Off-street is dearer than on-street in {times} of {tried} stays; most of all for {length} "
        "from {at}.",
    ),
}
