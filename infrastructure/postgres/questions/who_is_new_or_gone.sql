-- Who is new and who is gone
--
-- New is who did something in the room for the first time in this span, gone is who did so before it and not in it. To
-- come, edit, speak, save, run and to change members is to do something.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (a week before the end)
-- :to         until just before this moment (now)

WITH span AS (
    SELECT coalesce(nullif(:'from', '')::timestamptz,
                    coalesce(nullif(:'to', '')::timestamptz, now()) - interval '7 days') AS since,
           coalesce(nullif(:'to', '')::timestamptz, now()) AS until),
seen AS (
    SELECT room, who, min(at) AS first_seen, max(at) AS last_seen, count(*) AS deeds
    FROM analytics.events, span
    WHERE room = coalesce(nullif(:'room', ''), room)
      AND at < until AND who NOT LIKE '@%'
      AND (kind IN ('room', 'document', 'message', 'revisions', 'run') OR topic = 'attendance.joined')
    GROUP BY room, who)
SELECT room, who, CASE WHEN first_seen >= since THEN 'new' ELSE 'gone' END AS state, first_seen, last_seen, deeds
FROM seen, span
WHERE first_seen >= since OR last_seen < since
ORDER BY room COLLATE "C", state DESC, first_seen, who COLLATE "C";
