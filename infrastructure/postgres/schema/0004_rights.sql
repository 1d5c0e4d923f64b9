-- Rights are checked where they cannot be late: an event that was decided on a right (its guard: the room's
-- stream, and the version of it that was looked at) is taken only while nothing newer is in that stream, neither
-- stored nor in the same batch. What is refused is decided again by its node, on the room as it is now.

DROP FUNCTION append_record(bigint, text[], bigint[], text[], bytea[], text[], bigint[], text[], bigint[]);
CREATE FUNCTION append_record(
    lock_key bigint, oids text[], vers bigint[], topics text[], states bytea[],
    actors text[], ats bigint[], clients text[], seqs bigint[], guards text[], guard_vers bigint[],
    OUT previous bigint, OUT positions bigint[], OUT refused text[]
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(lock_key);
    WITH inp AS MATERIALIZED (
        SELECT * FROM unnest(oids, vers, topics, states, actors, ats, clients, seqs, guards, guard_vers)
                 WITH ORDINALITY AS i(oid, ver, topic, state, actor, at, client, seq, guard, guard_ver, ord)),
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
           (SELECT array_agg(oid) FROM head WHERE oid NOT IN (SELECT oid FROM ok))
    INTO previous, positions, refused;
END $$;

-- Presence has no rights of its own: who has left a room is not shown in it.
DROP FUNCTION append_presence(bigint, text[], bigint[], text[], bytea[], text[], bigint[], text[], bigint[]);
CREATE FUNCTION append_presence(
    lock_key bigint, oids text[], vers bigint[], topics text[], states bytea[],
    actors text[], ats bigint[], clients text[], seqs bigint[], guards text[], guard_vers bigint[],
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

-- Whose client this is: whoever was the first to come to the room as it.
CREATE INDEX record_client ON record (room, client, notification_id) WHERE topic = 'attendance.joined';
-- Where a node's cursors were last.
CREATE INDEX presence_keyframe ON presence (room, actor, at) WHERE topic = 'presence.keyframe_recorded';
