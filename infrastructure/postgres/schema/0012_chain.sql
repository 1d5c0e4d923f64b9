-- The hash chain (domain/chain.py): one row for each batch, written by the statement that appends it and under the
-- same lock, so that the chain has the order of the log. `digests` and `salts` are those of the batch's events, one
-- behind the other; an event's salt is overwritten with zeros when its text is removed.

CREATE TABLE record_chain (
    first bigint PRIMARY KEY,
    events bigint NOT NULL,
    at timestamptz NOT NULL,
    salts bytea NOT NULL,
    digests bytea NOT NULL,
    link bytea NOT NULL
);
CREATE TABLE presence_chain (LIKE record_chain INCLUDING ALL);
-- Random bytes: trying to compress them is for nothing.
ALTER TABLE record_chain ALTER COLUMN salts SET STORAGE EXTERNAL, ALTER COLUMN digests SET STORAGE EXTERNAL;
ALTER TABLE presence_chain ALTER COLUMN salts SET STORAGE EXTERNAL, ALTER COLUMN digests SET STORAGE EXTERNAL;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON record_chain FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON record_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON presence_chain FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON presence_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE record_chain ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE record_chain ENABLE ALWAYS TRIGGER append_only_truncate;
ALTER TABLE presence_chain ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE presence_chain ENABLE ALWAYS TRIGGER append_only_truncate;

-- extend_record_chain and extend_presence_chain: the next link. `positions` are those of the batch, `seals` for each
-- event its salt and its digest. `oldest` (microseconds) is when the first of them happened: of a log that lets old
-- days go, it tells whether the batch may be gone. One function for each log, so that its statement is planned once.
DO $make$
DECLARE
    log text;
BEGIN
    FOREACH log IN ARRAY ARRAY['record', 'presence'] LOOP
        EXECUTE format($function$
CREATE FUNCTION extend_%1$s_chain(positions bigint[], seals bytea, oldest bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    count bigint := cardinality(positions);
    new_salts bytea := substr(seals, 1, 16);
    new_digests bytea := substr(seals, 17);
BEGIN
    -- Nobody else takes numbers while the log is locked, and a chain that says otherwise would prove nothing.
    IF positions[count] <> positions[1] + count - 1 THEN
        RAISE EXCEPTION 'the positions of a batch do not follow on each other';
    END IF;
    IF count > 1 THEN
        SELECT string_agg(substr(seals, (48 * n + 1)::int, 16), '' ORDER BY n),
               string_agg(substr(seals, (48 * n + 17)::int, 32), '' ORDER BY n)
        INTO new_salts, new_digests FROM generate_series(0, count - 1) AS n;
    END IF;
    INSERT INTO %1$s_chain (first, events, at, salts, digests, link)
    SELECT positions[1], count, timestamptz 'epoch' + oldest * interval '1 microsecond', new_salts, new_digests, sha256(
        coalesce((SELECT c.link FROM %1$s_chain c ORDER BY c.first DESC LIMIT 1), decode(repeat('00', 32), 'hex'))
        || int8send(positions[1]) || int8send(count) || int8send(oldest) || sha256(new_digests));
END $$
        $function$, log);
    END LOOP;
END $make$;

DROP FUNCTION append_record(
    bigint, text[], bigint[], text[], bytea[], text[], bigint[], text[], bigint[], text[], bigint[]);
CREATE FUNCTION append_record(
    lock_key bigint, oids text[], vers bigint[], topics text[], states bytea[],
    actors text[], ats bigint[], clients text[], seqs bigint[], guards text[], guard_vers bigint[], seals bytea[],
    OUT previous bigint, OUT positions bigint[], OUT refused text[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    taken bytea;
    oldest bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(lock_key);
    WITH inp AS MATERIALIZED (
        SELECT * FROM unnest(oids, vers, topics, states, actors, ats, clients, seqs, guards, guard_vers, seals)
                 WITH ORDINALITY
                 AS i(oid, ver, topic, state, actor, at, client, seq, guard, guard_ver, seal, ord)),
    head AS MATERIALIZED (SELECT oid, min(ver) AS first FROM inp GROUP BY oid),
    present AS MATERIALIZED (
        SELECT g.guard, greatest(
            (SELECT max(originator_version) FROM record r WHERE r.originator_id = g.guard),
            (SELECT max(ver) FROM inp WHERE oid = g.guard)) AS cur
        FROM (SELECT DISTINCT guard FROM inp WHERE guard IS NOT NULL) g),
    late AS MATERIALIZED (
        SELECT DISTINCT inp.oid FROM inp JOIN present USING (guard) WHERE inp.guard_ver < present.cur),
    ok AS MATERIALIZED (
        SELECT h.oid FROM head h LEFT JOIN LATERAL
            (SELECT max(originator_version) AS cur FROM record r WHERE r.originator_id = h.oid) c ON true
        WHERE coalesce(c.cur, 0) = h.first - 1 AND h.oid NOT IN (SELECT oid FROM late)),
    ins AS (
        INSERT INTO record (originator_id, originator_version, topic, state, actor, at, client, seq)
        SELECT oid, ver, topic, state, actor, timestamptz 'epoch' + at * interval '1 microsecond', client, seq
        FROM inp WHERE oid IN (SELECT oid FROM ok) ORDER BY ord
        RETURNING notification_id)
    SELECT (SELECT coalesce(max(notification_id), 0) FROM record),
           (SELECT array_agg(notification_id ORDER BY notification_id) FROM ins),
           (SELECT array_agg(oid) FROM head WHERE oid NOT IN (SELECT oid FROM ok)),
           (SELECT string_agg(seal, '' ORDER BY ord) FROM inp WHERE oid IN (SELECT oid FROM ok)),
           (SELECT min(at) FROM inp)
    INTO previous, positions, refused, taken, oldest;
    IF positions IS NOT NULL THEN
        PERFORM extend_record_chain(positions, taken, oldest);
    END IF;
END $$;

DROP FUNCTION append_presence(
    bigint, text[], bigint[], text[], bytea[], text[], bigint[], text[], bigint[], text[], bigint[]);
CREATE FUNCTION append_presence(
    lock_key bigint, oids text[], vers bigint[], topics text[], states bytea[],
    actors text[], ats bigint[], clients text[], seqs bigint[], guards text[], guard_vers bigint[], seals bytea[],
    OUT previous bigint, OUT positions bigint[], OUT refused text[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    taken bytea;
    oldest bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(lock_key);
    WITH inp AS MATERIALIZED (
        SELECT * FROM unnest(oids, vers, topics, states, actors, ats, seals)
                 WITH ORDINALITY AS i(oid, ver, topic, state, actor, at, seal, ord)),
    ins AS (
        INSERT INTO presence (originator_id, originator_version, topic, state, actor, at)
        SELECT oid, ver, topic, state, actor, timestamptz 'epoch' + at * interval '1 microsecond'
        FROM inp ORDER BY ord
        RETURNING notification_id)
    SELECT (SELECT coalesce(max(notification_id), 0) FROM presence),
           (SELECT array_agg(notification_id ORDER BY notification_id) FROM ins),
           (SELECT string_agg(seal, '' ORDER BY ord) FROM inp),
           (SELECT min(at) FROM inp)
    INTO previous, positions, taken, oldest;
    IF positions IS NOT NULL THEN
        PERFORM extend_presence_chain(positions, taken, oldest);
    END IF;
END $$;

-- What was there before the chain: from here on it cannot be changed unseen. Row by row as domain/chain.py has it.
CREATE FUNCTION chain_what_is_there(log text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    batch bigint[];
    sealed bytea;
    oldest bigint;
    after bigint := 0;
    -- Presence has neither.
    numbered text := CASE WHEN log = 'record' THEN 'coalesce(''='' || client, ''''), coalesce(''='' || seq, '''')'
                          ELSE ''''', ''''' END;
BEGIN
    LOOP
        EXECUTE format(
            'WITH page AS MATERIALIZED (
                 SELECT *, decode(replace(gen_random_uuid()::text, ''-'', ''''), ''hex'') AS salt
                 FROM %s WHERE notification_id > $1 ORDER BY notification_id LIMIT 512),
             run AS (  -- a batch has no gaps
                 SELECT * FROM (SELECT *, notification_id - row_number() OVER (ORDER BY notification_id) AS gap
                                FROM page) AS numbered
                 WHERE gap = (SELECT min(notification_id) - 1 FROM page))
             SELECT array_agg(notification_id ORDER BY notification_id),
                    (extract(epoch FROM min(at)) * 1000000)::bigint,
                    string_agg(salt || sha256(convert_to(concat_ws(E''\n'', originator_id, originator_version, topic,
                        actor, (extract(epoch FROM at) * 1000000)::bigint, %s) || E''\n'', ''UTF8'')
                        || sha256(salt || state)), '''' ORDER BY notification_id)
             FROM run', log, numbered)
        INTO batch, oldest, sealed USING after;
        EXIT WHEN batch IS NULL;
        EXECUTE format('SELECT extend_%s_chain($1, $2, $3)', log) USING batch, sealed, oldest;
        after := batch[cardinality(batch)];
    END LOOP;
END $$;
SELECT chain_what_is_there('record');
SELECT chain_what_is_there('presence');
DROP FUNCTION chain_what_is_there(text);

-- What was vouched for: links that were signed and told to others. The log can be verified against them, and against
-- copies of them that are kept elsewhere.
CREATE TABLE checkpoints (
    log text NOT NULL,
    position bigint NOT NULL,
    epoch text NOT NULL,
    at timestamptz NOT NULL,
    link bytea NOT NULL,
    key bytea NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (log, position, key)
);
