-- Activity by hour of the day
--
-- When in the day people edit, speak and come. What was imported was edited elsewhere.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)
-- :zone       hours of this time zone (UTC)

SELECT room, extract(hour FROM at AT TIME ZONE coalesce(nullif(:'zone', ''), 'UTC'))::int AS hour,
       count(*) FILTER (WHERE topic = 'document.edit_applied') AS edits,
       count(*) FILTER (WHERE topic = 'message.posted') AS messages,
       count(*) FILTER (WHERE topic = 'attendance.joined') AS comings,
       count(DISTINCT who) AS people
FROM analytics.events
WHERE topic IN ('document.edit_applied', 'message.posted', 'attendance.joined')
  AND client IS DISTINCT FROM 'import.history'
  AND room = coalesce(nullif(:'room', ''), room)
  AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
GROUP BY room, hour
ORDER BY room COLLATE "C", hour;
