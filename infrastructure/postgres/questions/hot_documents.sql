-- Hot documents
--
-- In which documents most is going on: by edits, with how many people took part.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)

SELECT room, document, count(*) AS edits, count(DISTINCT who) AS people, sum(inserted)::bigint AS inserted,
       sum(deleted)::bigint AS deleted, max(at) AS last_edit
FROM analytics.edits
WHERE room = coalesce(nullif(:'room', ''), room)
  AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
GROUP BY room, document
ORDER BY edits DESC, room COLLATE "C", document COLLATE "C";
