-- The partitions of the history that are always there; sql/partitions.py has the dated ones made.

CREATE TABLE IF NOT EXISTS space_event_default PARTITION OF space_event DEFAULT;
CREATE TABLE IF NOT EXISTS count_event_default PARTITION OF count_event DEFAULT;
CREATE TABLE IF NOT EXISTS lot_occupancy_default PARTITION OF lot_occupancy DEFAULT;
CREATE TABLE IF NOT EXISTS lot_occupancy_day_default PARTITION OF lot_occupancy_day DEFAULT;
CREATE TABLE IF NOT EXISTS lot_occupancy_fed_default PARTITION OF lot_occupancy_fed DEFAULT;
