-- Longest sessions
--
-- Stays of one client in a room that began in this span, the longest first, with how many edits came from it meanwhile.
-- Who is still here has been so until now.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)
-- :least      at least so many minutes (0)

WITH stays AS (
    SELECT *, coalesce(until, now()) AS ends FROM analytics.stays
    WHERE room = coalesce(nullif(:'room', ''), room)
      AND since >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
      AND since < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
      AND coalesce(until, now()) - since >= coalesce(nullif(:'least', ''), '0')::int * interval '1 minute'),
edited AS (
    SELECT stays.position, count(*) AS edits
    FROM stays JOIN analytics.events ON events.room = stays.room AND events.client = stays.client
         AND events.at >= stays.since AND events.at <= stays.ends
    WHERE events.topic = 'document.edit_applied'
    GROUP BY stays.position)
SELECT room, who, session, since, until, extract(epoch FROM ends - since)::float8 / 60 AS minutes,
       coalesce(edits, 0) AS edits, reason
FROM stays LEFT JOIN edited USING (position)
ORDER BY ends - since DESC, room COLLATE "C", session COLLATE "C";
