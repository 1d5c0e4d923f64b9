-- The two logs, snapshots, and what is known of the store itself.
-- The columns of record up to notification_id, and snapshots, are the event library's.

CREATE TABLE store (
    key text PRIMARY KEY,
    value text NOT NULL
);
-- Changes when a store is restored or forked, so that no client resumes across it.
INSERT INTO store VALUES ('epoch', gen_random_uuid()::text);

CREATE TABLE record (
    originator_id text NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS (split_part(originator_id, ':', 1)) STORED,
    room text NOT NULL GENERATED ALWAYS AS (split_part(split_part(originator_id, ':', 2), '/', 1)) STORED,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    client text,
    seq bigint,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    -- Nothing is ever updated or deleted, so there is nothing to vacuum but the visibility map.
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);
CREATE UNIQUE INDEX record_position ON record (notification_id);
CREATE INDEX record_room ON record (room, notification_id);
-- Exactly once: a client's number is used once in a document, whoever appends it.
CREATE UNIQUE INDEX record_seq ON record (originator_id, client, seq) WHERE seq IS NOT NULL;
-- What a room asks for when its first session comes: who is here, what was said last.
CREATE INDEX record_attendance ON record (room, originator_id, originator_version) WHERE kind = 'attendance';
CREATE INDEX record_message ON record (room, notification_id) WHERE kind = 'message';
CREATE INDEX record_rooms ON record (notification_id) WHERE topic = 'room.opened';

CREATE TABLE snapshots (
    originator_id text NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);

-- Cursor moves. Partitioned by day: a day is dropped as a whole when its time is over.
CREATE SEQUENCE presence_notification_id_seq;
CREATE TABLE presence (
    originator_id text NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL DEFAULT nextval('presence_notification_id_seq'),
    kind text NOT NULL GENERATED ALWAYS AS (split_part(originator_id, ':', 1)) STORED,
    room text NOT NULL GENERATED ALWAYS AS (split_part(split_part(originator_id, ':', 2), '/', 1)) STORED,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (originator_id, originator_version, at)
) PARTITION BY RANGE (at);
CREATE INDEX presence_position ON presence (notification_id);
CREATE INDEX presence_room ON presence (room, at);

-- Append-only, by the database itself: also for a superuser in replica mode.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON record FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON record FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE record ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE record ENABLE ALWAYS TRIGGER append_only_truncate;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON presence FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE presence ENABLE ALWAYS TRIGGER append_only;

-- A partition for every day asked for; the caller asks ahead of time. Row triggers are cloned from the parent by
-- Postgres, a truncate trigger is not.
CREATE FUNCTION create_presence_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := 'presence_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF presence FOR VALUES FROM (%L) TO (%L)',
                       name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_truncate', name);
    END IF;
END $$;

-- The log, readable: the state as JSON beside the columns.
CREATE VIEW events AS
SELECT notification_id, at, room, kind, topic, originator_id AS stream, originator_version AS version, actor, client, seq,
       convert_from(state, 'UTF8')::jsonb AS state
FROM record;
