-- Who worked with whom
--
-- For each pair of people: how many documents both edited, how often one edited a document right after the other, and
-- how often one answered the other in the chat. What was imported was edited elsewhere.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)
-- :minutes    right after is within so long (10)

WITH edited AS (
    SELECT room, document, who, lag(who) OVER before AS who_before, at - lag(at) OVER before AS gap
    FROM analytics.edits
    WHERE kind <> 'import'
      AND room = coalesce(nullif(:'room', ''), room)
      AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
      AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
    WINDOW before AS (PARTITION BY room, document ORDER BY position)),
writers AS (
    SELECT DISTINCT room, document, who FROM edited),
met AS (
    SELECT room, one.who, other.who AS with_whom, 1 AS documents, 0 AS turns, 0 AS answers
    FROM writers AS one JOIN writers AS other USING (room, document)
    WHERE one.who <> other.who
    UNION ALL
    SELECT room, who, who_before, 0, 1, 0 FROM edited
    WHERE who <> who_before AND gap <= coalesce(nullif(:'minutes', ''), '10')::int * interval '1 minute'
    UNION ALL
    SELECT room, who, answers_who, 0, 0, 1 FROM analytics.messages
    WHERE answers IS NOT NULL
      AND room = coalesce(nullif(:'room', ''), room)
      AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
      AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')),
pairs AS (
    SELECT room, least(who COLLATE "C", with_whom COLLATE "C") AS who,
           greatest(who COLLATE "C", with_whom COLLATE "C") AS with_whom, documents, turns, answers
    FROM met)
SELECT room, who, with_whom, sum(documents) / 2 AS documents, sum(turns) AS turns, sum(answers) AS answers
FROM pairs
GROUP BY room, who, with_whom
ORDER BY room COLLATE "C", turns DESC, documents DESC, answers DESC, who, with_whom;
