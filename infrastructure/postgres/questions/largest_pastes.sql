-- Largest pastes
--
-- Edits that put much text in at one place at once: pasted, dropped or generated, but hardly typed by hand.
--
-- :room       in this room (all that one may see)
-- :document   only this one (all of them)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)
-- :least      at least so many code points (100)

SELECT room, document, revision, at, who, length(longest_insert) AS characters,
       left(regexp_replace(longest_insert, '\s+', ' ', 'g'), 60) AS beginning
FROM analytics.edits
WHERE kind = 'typed' AND length(longest_insert) >= coalesce(nullif(:'least', ''), '100')::int
  AND room = coalesce(nullif(:'room', ''), room)
  AND document = coalesce(nullif(:'document', ''), document)
  AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
ORDER BY characters DESC, position;
