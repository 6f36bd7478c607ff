"""What Prometheus reads of the ingester: every counter under its own name."""

import asyncio

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ingest_mqtt.counters import KEPT, PUSHED, REPLAYED, RESULTS, Counters, IngestCollector
from ingest_mqtt.effects import Received
from tests.ingest_mqtt.builders import AT


async def test_each_counter_has_its_name() -> None:
    counters = Counters(statuses=2, observations=4, commits=5, commit_failures=6)
    for index, result in enumerate(RESULTS):
        counters.results[result] = 10 + index
    for index, how in enumerate(KEPT):
        counters.kept[how] = 20 + index
    for index, result in enumerate(REPLAYED):
        counters.replayed[result] = 30 + index
    for index, result in enumerate(PUSHED):
        counters.pushed[result] = 40 + index
    counters.received = sum(counters.results.values())
    feed = "onelot/v1/feeds/gw-a/gates"
    for topic in (f"{feed}/count", f"{feed}/status"):
        counters.drop(Received(topic, b"", AT))
    registry = CollectorRegistry()
    registry.register(IngestCollector(asyncio.get_running_loop(), counters, lambda: 7))
    text = await asyncio.to_thread(generate_latest, registry)
    read = {
        sample.name + "".join(f" {label}" for label in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }
    results = dict(zip(RESULTS, range(10, 17), strict=True))
    results["dropped"] += 1
    assert read == {
        "ingest_received_total": sum(results.values()),
        "ingest_waiting": 7,
        "ingest_status_total": 2,
        "ingest_status_dropped_total": 1,
        "ingest_observations_total": 4,
        "ingest_commits_total": 5,
        "ingest_commit_failures_total": 6,
        **{f"ingest_messages_total {result}": number for result, number in results.items()},
        "ingest_dead_letters_total first": 20,
        "ingest_dead_letters_total repeat": 21,
        "ingest_dead_letters_total over_quota": 22,
        "ingest_replayed_total applied": 30,
        "ingest_replayed_total duplicate": 31,
        "ingest_replayed_total superseded": 32,
        "ingest_replayed_total rejected": 33,
        "ingest_pushed_total applied": 40,
        "ingest_pushed_total duplicate": 41,
        "ingest_pushed_total superseded": 42,
        "ingest_pushed_total rejected": 43,
        "ingest_pushed_total deferred": 44,
        "ingest_pushed_total unanswerable": 45,
    }
