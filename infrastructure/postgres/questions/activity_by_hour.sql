-- Activity by hour of the day
--
-- When in the day people edit, speak and come.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)
-- :zone       hours of this time zone (UTC)

WITH done AS (
    SELECT room, at, actor, topic FROM (
        SELECT room, at, who AS actor, topic FROM analytics.events
        WHERE topic IN ('document.edit_applied', 'message.posted', 'attendance.joined') AND room = coalesce(nullif(:'room', ''), room)
          AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')) AS chosen)
SELECT room, extract(hour FROM at AT TIME ZONE coalesce(nullif(:'zone', ''), 'UTC'))::int AS hour,
       count(*) FILTER (WHERE topic = 'document.edit_applied') AS edits,
       count(*) FILTER (WHERE topic = 'message.posted') AS messages,
       count(*) FILTER (WHERE topic = 'attendance.joined') AS comings,
       count(DISTINCT actor) AS people
FROM done
GROUP BY room, hour
ORDER BY room COLLATE "C", hour;
