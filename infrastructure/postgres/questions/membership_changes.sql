-- Membership changes
--
-- Every change of what somebody may do in a room: who, to whom, from which role to which. * are all who are no members.
--
-- :room       in this room (all that one may see)
-- :from       from this moment on (the beginning)
-- :to         until just before this moment (for ever)

SELECT room, at, changed_by, change, who, role_before, role_after, invitation
FROM analytics.membership_changes
WHERE room = coalesce(nullif(:'room', ''), room)
  AND at >= coalesce(nullif(:'from', '')::timestamptz, '-infinity')
  AND at < coalesce(nullif(:'to', '')::timestamptz, 'infinity')
ORDER BY position, who COLLATE "C";
