"""Tariffs looked over: lints, and comparisons of versions."""

from pricing import content_hash
from tests.parking_api.bureau import Bureau, document, get


async def test_a_comparison_reads_well(bureau: Bureau) -> None:
    path = await bureau.published()
    changed = document(price=350, grace={"mode": "threshold", "seconds": 900, "basis": "stay"})
    changed["periods"][0]["tiers"].append({"from_s": 3600, "price_minor": 400})
    changed["periods"][0]["cap_minor"] = 6000
    await bureau.post("/v1/tariffs/t-1/versions", bureau.drafter, document=changed)

    told = await get(bureau, f"{path}/compare?to=2", **bureau.drafter)

    texts = {change["path"]: change["text"] for change in told["changes"]}
    assert texts["periods[all].tiers[0].price_minor"] == {
        "zh": "时段“每日全天”阶梯自0分钟起价格由3.00元改为3.50元。",
        "en": "periods 'daily 00:00-24:00' tiers from 0 min price: CNY 3.00 becomes CNY 3.50.",
    }
    assert "新增" in texts["periods[all].tiers[3600]"]["zh"]
    assert texts["periods[all].cap_minor"]["zh"] == "新增时段“每日全天”时段封顶：60.00元。"
    half_hour = [row for row in told["fees"] if row["duration_s"] == 1800]
    assert {(row["before_minor"], row["after_minor"]) for row in half_hour} == {(300, 350)}
    quarter = [row for row in told["fees"] if row["duration_s"] == 900]
    assert {(row["before_minor"], row["after_minor"]) for row in quarter} == {(300, 0)}
    assert (await bureau.api.get(f"{path}/compare?to=2")).status_code == 404
    assert not any(change.startswith("applies_to") for change in texts)
    same = await get(bureau, f"{path}/compare?to=1")
    assert (same["changes"], same["fees"]) == ([], [])


async def test_what_it_applies_to_is_compared_too(bureau: Bureau) -> None:
    path = await bureau.published()
    wider = {"zones": ["z-1"], "lot_types": ["on_street", "surface"]}
    await bureau.version("t-1", copy_of=1, applies_to=wider)
    told = await get(bureau, f"{path}/compare?to=2", **bureau.drafter)
    assert told["text"] == {
        "zh": "适用的停车场类型由道路泊位改为道路泊位；地面停车场。",
        "en": "applies to lot types: on-street berths becomes on-street berths; surface lots.",
    }
    assert told["fees"] == []


async def test_lints(bureau: Bureau) -> None:
    await bureau.published()
    dear = document("garage", 900)
    target = {"zones": ["z-1"], "lot_types": ["underground"]}
    dear["periods"][0]["cap_minor"] = 500

    answer = await bureau.api.post(
        "/v1/tariffs/lint",
        json={"document": dear, "applies_to": target},
        headers=bureau.drafter,
    )

    found = {finding["code"]: finding for finding in answer.json()["findings"]}
    assert {"cap_below_unit", "off_street_dearer"} <= set(found)
    assert found["cap_below_unit"]["path"] == "periods[0].cap_minor"
    assert found["cap_below_unit"]["amount_minor"] == 400
    kept = await get(bureau, "/v1/tariffs/t-1/versions/1/lint", **bureau.drafter)
    assert kept["hash"] == content_hash(document())


async def test_no_sentence_of_a_comparison_holds_an_id(bureau: Bureau) -> None:
    day = document()["periods"][0]
    before = document(
        periods=[day | {"id": "zq-day"}],
        vehicles={"zq-van": {"multiplier": 2}},
        entitlements=[{"id": "zq-nev", "deduct_s": 1800}],
        caps=[{"window": "session", "amount_minor": 9000}],
    )
    after = before | {
        "periods": [day | {"id": "zq-day", "start": "08:00"}, day | {"id": "zq-night"}],
        "vehicles": {"zq-van": {"multiplier": 3}, "large": {}},
        "entitlements": [
            {"id": "zq-nev", "deduct_s": 3600},
            {"id": "zq-vip", "name": {"zh": "月卡", "en": "Monthly card"}, "percent_off": 50},
        ],
        "caps": [{"window": "session", "amount_minor": 8000}],
    }
    path = (await bureau.draft(document=before)).headers["location"]
    drafted = await bureau.post("/v1/tariffs/t-1/versions", bureau.drafter, document=after)
    assert drafted.status_code == 201, drafted.text

    told = await get(bureau, f"{path}/compare?to=2", **bureau.drafter)

    english = {change["path"]: change["text"]["en"] for change in told["changes"]}
    assert not [text for text in (*english.values(), told["text"]["zh"]) if "zq" in text]
    assert english["periods[zq-day].start"] == (
        "periods 'daily 00:00-24:00' start: 00:00 becomes 08:00."
    )
    assert english["vehicles.zq-van.multiplier"].startswith("vehicles 'this class of vehicles'")
    assert "'Monthly card' is new: name" in english["entitlements[zq-vip]"]
    assert english["caps[session].amount_minor"].startswith("caps 'a stay' amount of the cap")
    assert "periods[zq-night]" in english
