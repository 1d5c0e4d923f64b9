-- Who edited what
--
-- How many edits each person made in each document, and how much they inserted and deleted (code points).
--
-- :room       in this room (all that one may see)
-- :document   only this one (all of them)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)

SELECT room, document, who, count(*) AS edits, sum(inserted)::bigint AS inserted, sum(deleted)::bigint AS deleted,
       min(at) AS first_edit, max(at) AS last_edit
FROM analytics.edits
WHERE room = coalesce(nullif(:'room', ''), room)
  AND document = coalesce(nullif(:'document', ''), document)
  AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
GROUP BY room, document, who
ORDER BY room COLLATE "C", document COLLATE "C", edits DESC, who COLLATE "C";
