-- Edits that were undone
--
-- Of each person's edits in each document, how many were taken back by an undo at least once, by whom, and after how
-- long. An undo, a redo, and an edit that was restored over are not counted.
--
-- :room       in this room (all that one may see)
-- :document   only this one (all of them)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)

WITH chosen AS (
    SELECT room, document, revision, who, at FROM analytics.edits
    WHERE kind NOT IN ('undo', 'redo')
      AND room = coalesce(nullif(:'room', ''), room)
      AND document = coalesce(nullif(:'document', ''), document)
      AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
      AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')),
undos AS (
    SELECT room, document, revision, who, at, (pair ->> 0)::bigint AS first, (pair ->> 1)::bigint AS last
    FROM analytics.edits, jsonb_array_elements(undoes) AS pair
    WHERE kind = 'undo'
      AND room = coalesce(nullif(:'room', ''), room)
      AND document = coalesce(nullif(:'document', ''), document)),
taken_back AS (
    SELECT DISTINCT ON (room, document, chosen.revision)
           room, document, chosen.revision, undos.who = chosen.who AS is_own, undos.at - chosen.at AS stood
    FROM chosen JOIN undos USING (room, document)
    WHERE chosen.revision BETWEEN first AND last
    ORDER BY room, document, chosen.revision, undos.revision)
SELECT room, document, who, count(*) AS edits, count(is_own) AS undone,
       count(*) FILTER (WHERE is_own) AS by_themselves, count(*) FILTER (WHERE NOT is_own) AS by_others,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stood)::float8) AS median_seconds
FROM chosen LEFT JOIN taken_back USING (room, document, revision)
GROUP BY room, document, who
HAVING count(is_own) > 0
ORDER BY undone DESC, room COLLATE "C", document COLLATE "C", who COLLATE "C";
