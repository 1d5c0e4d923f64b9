-- Who was here and edited nothing
--
-- People who were in a room during this span and made no edit in it: how long they were here (several places at once
-- count once), how often they came, and how many messages they wrote.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (now)

WITH span AS (
    SELECT tstzrange(coalesce(nullif(:'from', '')::timestamptz, '-infinity'),
                     coalesce(nullif(:'to', '')::timestamptz, now())) AS asked),
here AS (
    SELECT room, who, count(*) AS stays, range_agg(tstzrange(since, coalesce(until, now())) * asked) AS times
    FROM analytics.stays, span
    WHERE room = coalesce(nullif(:'room', ''), room)
      AND tstzrange(since, coalesce(until, now())) && asked
    GROUP BY room, who),
done AS (
    SELECT room, who, count(*) FILTER (WHERE topic = 'document.edit_applied') AS edits,
           count(*) FILTER (WHERE topic = 'message.posted') AS messages
    FROM analytics.events, span
    WHERE topic IN ('document.edit_applied', 'message.posted')
      AND room = coalesce(nullif(:'room', ''), room)
      AND asked @> at
    GROUP BY room, who)
SELECT room, who, (SELECT sum(extract(epoch FROM upper(stretch) - lower(stretch))) / 60
                   FROM unnest(times) AS stretch)::float8 AS minutes, stays, coalesce(messages, 0) AS messages
FROM here LEFT JOIN done USING (room, who)
WHERE coalesce(edits, 0) = 0
ORDER BY room COLLATE "C", minutes DESC, who COLLATE "C";
