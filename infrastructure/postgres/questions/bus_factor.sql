-- Bus factor of a document
--
-- The fewest people who have written half of a document or more, and who they are: of all characters that were ever
-- typed into it, also before it was imported. What came by undo, restore, branch or merge was written before.
--
-- :room       in this room (all that one may see)
-- :document   only this one (all of them)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)

WITH written AS (
    SELECT room, document, who, sum(inserted) AS inserted
    FROM analytics.edits
    WHERE kind IN ('typed', 'import')
      AND room = coalesce(nullif(:'room', ''), room)
      AND document = coalesce(nullif(:'document', ''), document)
      AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
      AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
    GROUP BY room, document, who
    HAVING sum(inserted) > 0),
ranked AS (
    SELECT *, sum(inserted) OVER (PARTITION BY room, document) AS total,
           sum(inserted) OVER (PARTITION BY room, document ORDER BY inserted DESC, who COLLATE "C"
                               ROWS UNBOUNDED PRECEDING) - inserted AS by_those_before
    FROM written)
SELECT room, document, count(*) AS bus_factor, array_agg(who ORDER BY inserted DESC, who COLLATE "C") AS who,
       sum(inserted)::bigint AS they_wrote, total::bigint AS all_wrote
FROM ranked
WHERE 2 * by_those_before < total
GROUP BY room, document, total
ORDER BY bus_factor, room COLLATE "C", document COLLATE "C";
