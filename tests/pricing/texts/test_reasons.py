"""Each reason of a review has its sentence."""

from pricing.mechanism import Reason
from pricing.texts.reasons import REASONS


def test_every_reason_has_a_sentence() -> None:
    # Older reviews have theirs beside the reason.
    assert set(REASONS) == set(Reason) - {Reason.BESIDE_FULL}
