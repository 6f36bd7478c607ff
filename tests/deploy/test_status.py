"""The status line."""

from datetime import UTC, datetime, timedelta

from deploy.status import City, Reading, line, parse_city, parse_counter, rate

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
READING = Reading(NOW, 100.0)


def test_line_tells_rate_age_free_spaces_and_lots() -> None:
    city = City(1670, 123456, 1600, 50, 20, NOW - timedelta(seconds=1.25))
    assert line(city, READING, 512.4, NOW) == (
        "512 obs/s | newest commit 1.2 s ago | 123,456 spaces free"
        " | lots: 1,600 live, 50 stale, 20 unknown"
    )


def test_line_says_what_does_not_answer() -> None:
    silent = "the ingester does not answer | the API does not answer"
    assert line(None, None, None, NOW) == silent
    assert line(None, READING, None, NOW) == "- obs/s | the API does not answer"
    assert "newest commit none" in line(City(1, 0, 0, 0, 1, None), READING, 0.0, NOW)


def test_city_is_read_from_the_answer_of_v1_city() -> None:
    body = {
        "lots": 3,
        "capacity": 90,
        "free_spaces": 12,
        "occupancy": 0.8,
        "live": 1,
        "stale": 1,
        "estimated": 0,
        "unknown": 1,
        "districts": [],
        "as_of": "2026-11-22T17:30:00+08:00",
    }
    assert parse_city(body) == City(3, 12, 1, 1, 1, NOW)
    assert parse_city({**body, "as_of": None}).as_of is None


def test_counter_is_summed_over_its_labels() -> None:
    text = (
        "# TYPE ingest_observations_total counter\n"
        'ingest_observations_total{kind="spaces"} 40.0\n'
        'ingest_observations_total{kind="count"} 2.0\n'
        "# TYPE ingest_messages_total counter\n"
        "ingest_messages_total 7.0\n"
    )
    assert parse_counter(text) == 42.0


def test_rate_is_per_second_and_unknown_across_a_restart() -> None:
    before = Reading(NOW, 100.0)
    assert rate(before, Reading(NOW + timedelta(seconds=5), 600.0)) == 100.0
    assert rate(before, Reading(NOW + timedelta(seconds=5), 10.0)) is None
    assert rate(None, before) is None
    assert rate(before, None) is None
