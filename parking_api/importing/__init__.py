"""The way in for a city, or for lots alone: every row is checked before anything is changed.

A city is a directory of these files, UTF-8, CSV with a header row or GeoJSON polygons, WGS 84.
docs/operators.md has the other names that columns may have, in Chinese too, and what else of
spreadsheets and map programs is read: other encodings and separators, numbers, times.

districts.geojson   adcode, name_zh, name_en
operators.csv       operator_id, name_zh, name_en
gateways.csv        gateway_id, operator_id, simulated (true only for the simulators' own; this
                    column may be missing)
zones.geojson       zone_id, name_zh, name_en, zone_class (1, 2, 3), valid_from (RFC 3339), valid_to
                    (exclusive; may be missing); two in force at the same time share no ground
tariffs.json        may be missing: {"calendar": {"holidays", "makeup_workdays"}, "price_controls":
                    [...], "tariffs": [{"document", "applies_to": {"zones", "lot_types"} or
                    {"lots"}, "effective_from"}]}; what is there already is the bureau's, and stays
places.csv          may be missing: place_id, name_zh, name_en, district (may be missing),
                    longitude, latitude; what drivers search for beside districts and lots
lots.csv            lot_id, operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use,
                    reporting, report_interval_s, capacity, levels, height_limit_m, opens_at,
                    closes_at, timezone, longitude, latitude; and, each of which may be missing,
                    closed_from, closed_until, closed_reason, retired
bays.csv            lot_id, number, level, space_class, longitude, latitude

ids                 a-z 0-9 . _ - (64 at most)
district            the adcode of the district that contains the lot; empty: found by its place
lot_type            on_street, surface, underground, multi_storey
land_use            hospital, school, scenic, station, mall, market, office, hotel, housing,
                    industrial, street; or empty
reporting           bays (every bay is sensed) or count (counted at the gates)
report_interval_s   longest silence that is normal, 10..86400 seconds
capacity            1..20000 spaces
levels              1 or more; empty: 1
height_limit_m      1.5..6.0; empty: none
opens_at, closes_at HH:MM to 24:00, local; a closing time at or before the opening one is the next
                    day's; both empty: round the clock
timezone            IANA name; empty: Asia/Shanghai
closed_from,        for which time the operator has closed the lot: RFC 3339, or local such as
closed_until        2026-12-05 08:00; the end exclusive, empty: without end
closed_reason       for drivers, 200 characters; a file without these three leaves closures alone
retired             true: the lot is in no answer but its history; empty: false; a file without
                    this column leaves it as it is
number              of the bay, 1..capacity
level               0 the street, -1 the first basement, 1 the first floor up
space_class         standard, accessible, ev, large

A lot that reports `bays` has exactly the bays 1..capacity; one that counts may have some. The
directory is the truth about the lots that it names and says nothing about any other.
"""
