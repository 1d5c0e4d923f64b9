-- When people were kept out of the whole server: whoever is, reads in no room, whatever their role there.

CREATE INDEX record_lockouts ON record (originator_id, originator_version)
    WHERE topic IN ('profile.disabled', 'profile.enabled');

-- Profiles are in no room, so an analyst of some rooms sees none of them. Of those who were ever members of these
-- rooms, this much is told.
CREATE FUNCTION analytics.find_lockouts() RETURNS TABLE (
    room text, who text, since timestamptz, until timestamptz, locked_out_by text, let_in_by text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    WITH turns AS (
        SELECT split_part(originator_id, '/', 2) AS who, topic, at, actor,
               lead(at) OVER later AS next_at, lead(actor) OVER later AS next_actor
        FROM record WHERE topic IN ('profile.disabled', 'profile.enabled')
        WINDOW later AS (PARTITION BY originator_id ORDER BY originator_version)),
    limited AS (
        SELECT EXISTS (
            SELECT FROM pg_catalog.pg_auth_members AS joined
            JOIN pg_catalog.pg_roles AS team ON team.oid = joined.roleid
            JOIN pg_catalog.pg_roles AS login ON login.oid = joined.member
            WHERE team.rolname = 'chronoscribe_analyst' AND login.rolname = session_user) AS is_so)
    SELECT DISTINCT change.room, turns.who, turns.at, turns.next_at, turns.actor, turns.next_actor
    FROM turns JOIN analytics.membership_changes AS change ON change.who = turns.who, limited
    WHERE turns.topic = 'profile.disabled'
      AND (NOT limited.is_so OR change.room = ANY (analytics.my_rooms()));
END;
COMMENT ON FUNCTION analytics.find_lockouts() IS 'What the view lockouts shows';

CREATE VIEW analytics.lockouts WITH (security_invoker) AS SELECT * FROM analytics.find_lockouts();
COMMENT ON VIEW analytics.lockouts IS 'When somebody who was ever a member of a room was kept out of the whole server';
COMMENT ON COLUMN analytics.lockouts.room IS 'The room';
COMMENT ON COLUMN analytics.lockouts.who IS 'The user';
COMMENT ON COLUMN analytics.lockouts.since IS 'From this moment on';
COMMENT ON COLUMN analytics.lockouts.until IS 'Until just before this moment; null: still';
COMMENT ON COLUMN analytics.lockouts.locked_out_by IS 'Who kept them out';
COMMENT ON COLUMN analytics.lockouts.let_in_by IS 'Who let them in again; null: nobody yet';
