"""From what was charged to the lines of a quote (docs/contract/tariff.md, Charging 9 and 11).

Outside, every amount is a whole smallest unit. Where exact amounts are fractions, lines are rounded
down in turn, so that each sum from the first is the exact sum rounded down; the line of the final
rounding then adds one unit or none, and each line carries its exact amount beside.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Final

from pricing.charging.clock import Piece
from pricing.charging.periods import UNIT
from pricing.charging.rates import VehicleRates
from pricing.document import Entitlement
from pricing.fields import exact
from pricing.instants import SECOND
from pricing.texts import naming
from pricing.texts.lines import Adjustment, Line

HALF: Final = Fraction(1, 2)
HUNDRED: Final = 100


def reduced(amount: Fraction, granted: Sequence[Entitlement]) -> Fraction:
    """The amount after every percentage, one after another, unrounded."""
    for each in granted:
        amount *= 1 - exact(each.percent_off) / HUNDRED
    return amount


def rounded(amount: Fraction) -> int:
    """The amount in whole smallest units, halves up."""
    return floor(amount + HALF)


def whole_lines(
    pieces: Sequence[Piece], amounts: Sequence[int], rates: VehicleRates, currency: str
) -> tuple[Line, ...]:
    """Lines where every amount is a whole smallest unit and no percentage is taken."""
    return tuple(
        [
            _line(piece, amount, piece[8] - amount, rates, currency)
            for piece, amount in zip(pieces, amounts, strict=True)
        ]
    )


def exact_lines(
    pieces: Sequence[Piece],
    amounts: Sequence[int],
    rates: VehicleRates,
    currency: str,
    percentages: Sequence[Entitlement],
) -> tuple[Line, ...]:
    """Lines where amounts may be fractions, with those of percentages and of the rounding."""
    lines = []
    scale = rates.denominator
    before = 0
    for piece, kept in zip(pieces, amounts, strict=True):
        after = before + kept
        amount = after // scale - before // scale
        line = _line(piece, amount, (piece.gross - kept) // scale, rates, currency)
        if amount * scale != kept:
            line = line._replace(exact_minor=decimal_text(Fraction(kept, scale)))
        lines.append(line)
        before = after
    total = Fraction(before, scale)
    return (*lines, *_closing_lines(total, lines[-1].end_us, currency, percentages))


def _closing_lines(
    total: Fraction, exit_us: int, currency: str, percentages: Sequence[Entitlement]
) -> list[Line]:
    """Lines of no length at exit: what each percentage takes, and the rounding."""
    lines = []
    for each in percentages:
        left = reduced(total, (each,))
        amount = floor(left) - floor(total)
        lines.append(
            Line(
                exit_us,
                exit_us,
                "percentage",
                amount,
                currency,
                adjustment=Adjustment(percent_off=str(each.percent_off)),
                entitlement=each.id,
                exact_minor=None if amount == left - total else decimal_text(left - total),
                entitlement_called=naming.entitlement(each),
            )
        )
        total = left
    if total.denominator != 1:
        amount, exact_minor = rounded(total) - floor(total), decimal_text(total)
        lines.append(Line(exit_us, exit_us, "rounding", amount, currency, exact_minor=exact_minor))
    return lines


def _line(piece: Piece, amount: int, taken: int, rates: VehicleRates, currency: str) -> Line:
    start, end, kind, period, _, day, tier, units, _, charged, _, entitlement = piece
    if period is None:
        return Line(start, end, kind, 0, currency)
    if charged is None:
        return Line(
            start,
            end,
            kind,
            0,
            currency,
            period.id,
            day,
            entitlement=entitlement,
            period_called=period.called,
            entitlement_called=rates.entitlements[entitlement] if entitlement else None,
        )
    is_unit = kind == UNIT
    return Line(
        start,
        end,
        kind,
        amount,
        currency,
        period.id,
        day,
        tier + 1 if is_unit else None,
        units,
        period.unit_us // SECOND if is_unit else None,
        charged.listed[tier],
        rates.unit_adjustment if is_unit else rates.flat_adjustment,
        taken,
        None,
        None,
        charged.foreign,
        period.called,
        None,
        charged.foreign_called,
    )


def decimal_text(amount: Fraction) -> str:
    """The amount in decimals; they end, since multipliers and percentages are decimals."""
    if amount.denominator == 1:
        return str(amount.numerator)
    places = 1
    while 10**places % amount.denominator:
        places += 1
    digits = str((abs(amount) * 10**places).numerator).rjust(places + 1, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
