-- Hours of co-editing
--
-- For how long two or more people were editing a document at the same time. Somebody is editing from each of their
-- edits on for so many minutes. What was imported was edited elsewhere.
--
-- :room       in this room (all that one may see)
-- :document   only this one (all of them)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)
-- :minutes    for so long after an edit somebody is still editing (10)

WITH editing AS (
    SELECT room, document, who,
           range_agg(tstzrange(at, at + coalesce(nullif(:'minutes', ''), '10')::int * interval '1 minute')) AS times
    FROM analytics.edits
    WHERE kind <> 'import'
      AND room = coalesce(nullif(:'room', ''), room)
      AND document = coalesce(nullif(:'document', ''), document)
      AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
      AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
    GROUP BY room, document, who),
pairs AS (
    SELECT room, document, one.who, other.who AS with_whom, one.times * other.times AS times
    FROM editing AS one JOIN editing AS other USING (room, document)
    WHERE one.who <> other.who AND one.times && other.times),
together AS (
    SELECT room, document, array_agg(DISTINCT who COLLATE "C") AS people, range_agg(times) AS times
    FROM pairs GROUP BY room, document)
SELECT room, document, people, count(*) AS stretches,
       (sum(extract(epoch FROM upper(stretch) - lower(stretch))) / 3600)::float8 AS hours,
       min(lower(stretch)) AS first_began, max(upper(stretch)) AS last_ended
FROM together, unnest(times) AS stretch
GROUP BY room, document, people
ORDER BY hours DESC, room COLLATE "C", document COLLATE "C";
