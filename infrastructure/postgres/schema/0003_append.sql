-- A whole batch in one statement and one round trip. Lock and insert are statements of their own, so the insert
-- looks at the log as it is when the lock has been waited for (a volatile function's statements each take a new
-- snapshot under READ COMMITTED). Per stream all or nothing: a stream is taken when its first event follows on what
-- is stored.

CREATE FUNCTION append_record(
    lock_key bigint, oids text[], vers bigint[], topics text[], states bytea[],
    actors text[], ats bigint[], clients text[], seqs bigint[],
    OUT previous bigint, OUT positions bigint[], OUT refused text[]
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(lock_key);
    WITH inp AS MATERIALIZED (
        SELECT * FROM unnest(oids, vers, topics, states, actors, ats, clients, seqs)
                 WITH ORDINALITY AS i(oid, ver, topic, state, actor, at, client, seq, ord)),
    head AS MATERIALIZED (SELECT oid, min(ver) AS first FROM inp GROUP BY oid),
    ok AS MATERIALIZED (
        SELECT h.oid FROM head h LEFT JOIN LATERAL
            (SELECT max(originator_version) AS cur FROM record r WHERE r.originator_id = h.oid) c ON true
        WHERE coalesce(c.cur, 0) = h.first - 1),
    ins AS (
        INSERT INTO record (originator_id, originator_version, topic, state, actor, at, client, seq)
        SELECT oid, ver, topic, state, actor, timestamptz 'epoch' + at * interval '1 microsecond', client, seq
        FROM inp WHERE oid IN (SELECT oid FROM ok) ORDER BY ord
        RETURNING notification_id)
    SELECT (SELECT coalesce(max(notification_id), 0) FROM record),
           (SELECT array_agg(notification_id ORDER BY notification_id) FROM ins),
           (SELECT array_agg(oid) FROM head WHERE oid NOT IN (SELECT oid FROM ok))
    INTO previous, positions, refused;
END $$;

-- A presence stream belongs to one run of one node, so nobody can be first.
CREATE FUNCTION append_presence(
    lock_key bigint, oids text[], vers bigint[], topics text[], states bytea[],
    actors text[], ats bigint[], clients text[], seqs bigint[],
    OUT previous bigint, OUT positions bigint[], OUT refused text[]
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(lock_key);
    WITH inp AS MATERIALIZED (
        SELECT * FROM unnest(oids, vers, topics, states, actors, ats)
                 WITH ORDINALITY AS i(oid, ver, topic, state, actor, at, ord)),
    ins AS (
        INSERT INTO presence (originator_id, originator_version, topic, state, actor, at)
        SELECT oid, ver, topic, state, actor, timestamptz 'epoch' + at * interval '1 microsecond'
        FROM inp ORDER BY ord
        RETURNING notification_id)
    SELECT (SELECT coalesce(max(notification_id), 0) FROM presence),
           (SELECT array_agg(notification_id ORDER BY notification_id) FROM ins)
    INTO previous, positions;
END $$;
