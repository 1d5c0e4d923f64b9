-- Who could read this document at a moment
--
-- By which role, and whether they could edit it too. * are all who are no members; a member has their own role only.
-- Whoever was kept out of the server at that moment could read nothing.
-- was_here: whether they were in the room at that moment, for * whether anybody was who is no member.
--
-- :room       in this room (all that one may see)
-- :document   only this one (all of them)
-- :at         at this moment (now)

WITH asked AS (
    SELECT coalesce(nullif(:'at', '')::timestamptz, now()) AS moment),
allowed AS (
    SELECT permissions.* FROM analytics.permissions, asked
    WHERE room = coalesce(nullif(:'room', ''), room)
      AND since <= moment AND (until > moment OR until IS NULL)),
kept_out AS (
    SELECT room, who FROM analytics.lockouts, asked
    WHERE room = coalesce(nullif(:'room', ''), room)
      AND since <= moment AND (until > moment OR until IS NULL)),
here AS (
    SELECT DISTINCT room, who FROM analytics.stays, asked
    WHERE room = coalesce(nullif(:'room', ''), room)
      AND since <= moment AND (until > moment OR until IS NULL))
SELECT allowed.room, document, allowed.who, role, can_edit, since, until,
       CASE allowed.who
           WHEN '*' THEN EXISTS (
               SELECT FROM here WHERE here.room = allowed.room
               AND NOT EXISTS (SELECT FROM allowed AS member WHERE member.room = here.room AND member.who = here.who))
           ELSE EXISTS (SELECT FROM here WHERE here.room = allowed.room AND here.who = allowed.who)
       END AS was_here
FROM allowed JOIN analytics.documents USING (room), asked
WHERE document = coalesce(nullif(:'document', ''), document)
  AND created_at <= moment
  AND NOT EXISTS (SELECT FROM kept_out WHERE kept_out.room = allowed.room AND kept_out.who = allowed.who)
ORDER BY allowed.room COLLATE "C", document COLLATE "C", can_edit DESC, allowed.who COLLATE "C";
