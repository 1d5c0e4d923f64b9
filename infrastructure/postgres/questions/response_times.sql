-- How soon messages are answered
--
-- For each person who answered others in the chat, in how many seconds. A message answers the one that it replies to,
-- or the one just before it of somebody else within half an hour.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)

SELECT room, who, count(*) AS answers,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY response_seconds) AS median_seconds,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY response_seconds) AS nine_in_ten_seconds,
       max(response_seconds) AS slowest_seconds
FROM analytics.messages
WHERE answers IS NOT NULL
  AND room = coalesce(nullif(:'room', ''), room)
  AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
GROUP BY room, who
ORDER BY room COLLATE "C", median_seconds, who COLLATE "C";
