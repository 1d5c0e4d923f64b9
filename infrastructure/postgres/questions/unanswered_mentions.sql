-- Mentions that were never answered
--
-- Messages that speak to somebody (@name) who has neither replied to them, nor reacted to them, nor said anything in
-- the room soon after. What was deleted or imported, and who speaks to themselves, does not count.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)
-- :minutes    soon is within so long (1440)

SELECT asked.room, asked.at, asked.who, mentioned, asked.message, left(asked.text, 60) AS beginning
FROM analytics.messages AS asked, unnest(asked.mentions) AS mentioned
WHERE asked.deleted_at IS NULL AND asked.imported_from IS NULL AND mentioned <> asked.who
  AND asked.room = coalesce(nullif(:'room', ''), asked.room)
  AND asked.at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND asked.at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
  AND NOT EXISTS (
      SELECT FROM analytics.messages AS said
      WHERE said.room = asked.room AND said.who = mentioned AND said.position > asked.position
        AND said.imported_from IS NULL
        AND (said.reply_to = asked.message
             OR said.at <= asked.at + coalesce(nullif(:'minutes', ''), '1440')::int * interval '1 minute'))
  AND NOT EXISTS (
      SELECT FROM analytics.reactions AS made
      WHERE made.room = asked.room AND made.message = asked.message AND made.who = mentioned)
ORDER BY asked.position, mentioned;
