-- The functions of the database, but for those of the history (history.sql). What a body stands in, to the space, is part of a dump.
-- A function's parameters stand in its body like columns, and some have the names of keywords:
-- noqa: disable=LT02,RF02,RF04

-- What the views and the queries ask of a lot.

CREATE OR REPLACE FUNCTION is_open(opens_at time, closes_at time, local_time time) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN opens_at IS NULL THEN TRUE
    WHEN opens_at < closes_at THEN local_time >= opens_at AND local_time < closes_at
    ELSE local_time >= opens_at OR local_time < closes_at
END;
COMMENT ON FUNCTION is_open IS
'Half-open daily hours, past midnight when they end at or before their start; null is always.';

CREATE OR REPLACE FUNCTION closes_within(
    opens_at time, closes_at time, timezone text, starts_at timestamptz, ends_at timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN opens_at IS NULL OR opens_at = closes_at THEN NULL
        WHEN NOT is_open(opens_at, closes_at, here.local::time) THEN starts_at
        WHEN closing.at < ends_at THEN closing.at
    END
    FROM (SELECT starts_at AT TIME ZONE timezone AS local) AS here
    CROSS JOIN LATERAL (
        SELECT
            here.local::date + (closes_at <= here.local::time)::integer + closes_at
            AS local
    ) AS wall
    -- Of a repeated hour this is the second pass.
    CROSS JOIN LATERAL (SELECT wall.local AT TIME ZONE timezone AS at) AS later
    -- By the offset of three hours before: of a repeated hour the first pass.
    CROSS JOIN LATERAL (
        SELECT
            later.at - interval '3 hours'
            + (wall.local - (later.at - interval '3 hours') AT TIME ZONE timezone) AS at
    ) AS earlier
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN
                    earlier.at > starts_at AND earlier.at AT TIME ZONE timezone = wall.local
                    THEN earlier.at
                ELSE later.at
            END AS at
    ) AS closing;
END;
COMMENT ON FUNCTION closes_within IS
'The first instant of a stay at which a lot with these daily hours is not open: the start
        where it is closed then, null where it is open throughout.';

CREATE OR REPLACE FUNCTION is_shut(
    closed_from timestamptz, closed_until timestamptz, starts_at timestamptz, ends_at timestamptz
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN closed_from IS NOT NULL
    AND (closed_from <= starts_at OR closed_from < ends_at)
    AND (closed_until IS NULL OR closed_until > starts_at);
COMMENT ON FUNCTION is_shut IS
'Whether a closure has the start or any later instant before the end of a stay; an instant is both
        its start and its end. No start is no closure, no end is for ever.';

CREATE OR REPLACE FUNCTION data_state(observed_at timestamptz, report_interval_s integer)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN observed_at >= now() - make_interval(secs => greatest(90, 1.5 * report_interval_s))
        THEN 'live'
    WHEN observed_at >= now() - make_interval(secs => greatest(900, 3 * report_interval_s))
        THEN 'stale'
    ELSE 'unknown'
END;
COMMENT ON FUNCTION data_state IS
'What a state is worth by its age: live until 90 s or 1.5 report intervals, whichever is more,
    stale until 15 min or 3 of them, unknown after that or where there is none.';

CREATE OR REPLACE FUNCTION bay_state(
    occupied_bits bytea, unknown_bits bytea, capacity integer, number integer
) RETURNS space_state
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN occupied_bits IS NULL OR number > capacity THEN 'unknown'
    WHEN get_bit(unknown_bits, number - 1) = 1 THEN 'unknown'
    WHEN get_bit(occupied_bits, number - 1) = 1 THEN 'occupied'
    ELSE 'free'
END::space_state;
COMMENT ON FUNCTION bay_state IS
'The state of bay `number` (from 1) in the bitmaps of a lot of so many bays; unknown beyond.';

-- What only a table's owner may do but the application needs: the importer loads a first city at
-- full speed and renews the planner's statistics; the ingester makes and drops partitions of the
-- history, and rows that fell into the default one because theirs was missing are moved to it. A
-- partition is attached with the constraints of its table.

CREATE OR REPLACE FUNCTION analyze_registration() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS 'ANALYZE public.lot, public.space';
COMMENT ON FUNCTION analyze_registration IS 'Renew the statistics of lots and spaces.';

CREATE OR REPLACE FUNCTION suspend_space_checks() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM public.space) THEN
            RETURN false;
        END IF;
        DROP INDEX public.space_geog_idx;
        ALTER TABLE public.space DROP CONSTRAINT space_lot_id_fkey;
        RETURN true;
    END $$;
COMMENT ON FUNCTION suspend_space_checks IS
'While there is no bay yet, drop what makes adding many slow; whether that was so.';

CREATE OR REPLACE FUNCTION resume_space_checks() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS '
        ALTER TABLE public.space ADD CONSTRAINT space_lot_id_fkey
        FOREIGN KEY (lot_id) REFERENCES public.lot ON DELETE CASCADE;
        CREATE INDEX space_geog_idx ON public.space USING gist (geog);
    ';
COMMENT ON FUNCTION resume_space_checks IS
'Make again what suspend_space_checks dropped; in the same transaction.';

-- The audit. What a hash is taken over is unambiguous, and the same to the byte in
-- parking_api/audit/service.py: each value as its length in bytes, a colon and itself, or as a dash
-- for null, with commas between them.

CREATE OR REPLACE FUNCTION audit_entry_hash(entry audit_entry) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
        SELECT sha256(convert_to(
            string_agg(
                coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value, '-'), ','
                ORDER BY place
            ),
            'UTF8'
        ))
        FROM unnest(ARRAY[
            entry.format::text,
            entry.entry_id::text,
            to_char(entry.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00'),
            entry.recorded_by,
            to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00'),
            entry.person_id,
            entry.action,
            entry.subject,
            entry.before::text,
            entry.after::text,
            entry.reason,
            encode(entry.previous_hash, 'hex')
        ]) WITH ORDINALITY AS part (value, place)
    $$;
COMMENT ON FUNCTION audit_entry_hash IS
'SHA-256 of an audit entry of format 2, over all but its hash.';

CREATE OR REPLACE FUNCTION add_audit_entry(
    person_id text, action text, subject text, before jsonb, after jsonb, reason text,
    at timestamptz
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        last public.audit_entry;
        made public.audit_entry;
    BEGIN
        -- Beyond that some clients cannot read it.
        IF (at >= timestamptz '1900-01-01Z' AND at < timestamptz '9000-01-01Z') IS NOT TRUE THEN
            RAISE EXCEPTION 'no time of an act' USING ERRCODE = 'datetime_field_overflow';
        END IF;
        -- Whoever verifies the chain needs several times as much memory.
        IF octet_length(concat(before, after, reason, person_id, action, subject)) > 8388608 THEN
            RAISE EXCEPTION 'too much for an audit entry'
                USING ERRCODE = 'string_data_right_truncation';
        END IF;
        -- One at a time, to the end of the transaction. An advisory lock anybody could take.
        LOCK TABLE public.audit_entry IN SHARE UPDATE EXCLUSIVE MODE;
        SELECT * INTO last FROM public.audit_entry ORDER BY entry_id DESC LIMIT 1;
        made.entry_id := coalesce(last.entry_id, 0) + 1;
        made.at := at;
        made.person_id := person_id;
        made.action := action;
        made.subject := subject;
        made.before := before;
        made.after := after;
        made.reason := reason;
        made.previous_hash := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
        made.format := 2;
        made.recorded_at := clock_timestamp();
        made.recorded_by := session_user;
        made.hash := public.audit_entry_hash(made);
        INSERT INTO public.audit_entry VALUES (made.*);
        RETURN made.entry_id;
    END $$;
COMMENT ON FUNCTION add_audit_entry IS
'Add an entry to the end of the audit, and return its number. Number, hashes, the time of recording
        and the role that records are set here; the rest is what the caller says.';

-- What the triggers do.

CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'an audit entry is never changed or removed'
            USING ERRCODE = 'insufficient_privilege';
    END $$;

-- A number far ahead would leave none for those who write next, and a hash out of line would break
-- the chain: so an entry goes nowhere but to the chain's end, and says truly when, and by whom.
CREATE OR REPLACE FUNCTION audit_entry_follows() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        last_id bigint;
        last_hash bytea;
    BEGIN
        SELECT entry_id, hash INTO last_id, last_hash FROM public.audit_entry
        ORDER BY entry_id DESC LIMIT 1;
        IF (NEW.entry_id, NEW.previous_hash) IS DISTINCT FROM
            (coalesce(last_id, 0) + 1, coalesce(last_hash, decode(repeat('00', 32), 'hex'))) THEN
            RAISE EXCEPTION 'an audit entry follows the last one'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF (
            NEW.format = 2 AND NEW.recorded_by = session_user
            AND NEW.recorded_at > clock_timestamp() - interval '1 minute'
            AND NEW.recorded_at <= clock_timestamp()
            AND NEW.hash = public.audit_entry_hash(NEW)
        ) IS NOT TRUE THEN
            RAISE EXCEPTION 'an audit entry is made by add_audit_entry'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;

-- A key only ever ends: no statement gives it another secret or person, or a longer life.
CREATE OR REPLACE FUNCTION api_key_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.key_id, NEW.person_id, NEW.hash, NEW.created_at)
            IS DISTINCT FROM (OLD.key_id, OLD.person_id, OLD.hash, OLD.created_at)
            OR NEW.expires_at > OLD.expires_at
            OR OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
        THEN
            RAISE EXCEPTION 'an API key only ever ends'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;

CREATE OR REPLACE FUNCTION tariff_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'a tariff version is never deleted'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.state <> 'draft' AND (
            OLD.document::text, OLD.content_hash, OLD.zones, OLD.lot_types, OLD.lots, OLD.copy_of,
            OLD.imported, OLD.drafted_by, OLD.drafted_at
        ) IS DISTINCT FROM (
            NEW.document::text, NEW.content_hash, NEW.zones, NEW.lot_types, NEW.lots, NEW.copy_of,
            NEW.imported, NEW.drafted_by, NEW.drafted_at
        ) THEN
            RAISE EXCEPTION 'a tariff version is immutable once it has left its draft'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF (OLD.state, NEW.state) <> ('approved', 'published') AND (
            OLD.issuing_office_zh, OLD.issuing_office_en, OLD.document_number, OLD.issued_on
        ) IS DISTINCT FROM (
            NEW.issuing_office_zh, NEW.issuing_office_en, NEW.document_number, NEW.issued_on
        ) THEN
            RAISE EXCEPTION 'who issued a tariff version is said when it is published'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'in_review'), ('in_review', 'approved'), ('approved', 'published'),
            ('draft', 'withdrawn'), ('in_review', 'withdrawn'), ('approved', 'withdrawn'),
            ('published', 'withdrawn')
        ) THEN
            RAISE EXCEPTION 'a tariff version goes no way back'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;

CREATE OR REPLACE FUNCTION price_mechanism_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'a price mechanism is never deleted'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.state <> 'draft' AND (
            OLD.definition::text, OLD.content_hash, OLD.zone_id, OLD.lot_types, OLD.drafted_by,
            OLD.drafted_at
        ) IS DISTINCT FROM (
            NEW.definition::text, NEW.content_hash, NEW.zone_id, NEW.lot_types, NEW.drafted_by,
            NEW.drafted_at
        ) THEN
            RAISE EXCEPTION 'a price mechanism is immutable once it has left its draft'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'approved'), ('draft', 'retired'), ('approved', 'retired')
        ) THEN
            RAISE EXCEPTION 'a price mechanism goes no way back'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;

CREATE OR REPLACE FUNCTION tariffs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('tariffs', '');
        RETURN NULL;
    END $$;

CREATE OR REPLACE FUNCTION logins_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('logins', '');
        RETURN NULL;
    END $$;

CREATE OR REPLACE FUNCTION registration_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('registration', TG_TABLE_NAME);
        RETURN NULL;
    END $$;
