-- The log for analysts: views in a schema of their own, all of them live (they read the log itself and no projection,
-- so they are never behind it and a rebuild is never in their way), and who may see which rooms.
-- Their columns are a promise: docs/analytics.md lists them and a test compares. A person is always called `who`,
-- since `user` without quotes is the role of the database that asks. Each view runs with the rights of whoever asks.

-- It may be there where the tables were dropped and are made anew.
CREATE SCHEMA IF NOT EXISTS analytics;
COMMENT ON SCHEMA analytics IS 'What a Chronoscribe log says, decoded: views for analysts and auditors';

-- What is seldom in a room is found without reading all of its edits. (An insert looks at the condition only.)
CREATE INDEX record_documents ON record (room, notification_id) WHERE kind = 'document' AND originator_version = 1;
CREATE INDEX record_seldom ON record (kind, room, notification_id) WHERE kind IN ('room', 'run', 'revisions');

-- What is looked up by an expression is computed behind a fence (MATERIALIZED, OFFSET 0) first: where policies hold,
-- Postgres takes an index for a comparison only if nothing in it could tell what it sees, and `||` might.

-- Who sees what.

-- Which rooms a login role sees that is a member of chronoscribe_analyst. Kept by `chronoscribe analyst`.
CREATE TABLE analyst_rooms (
    role name NOT NULL,
    room text COLLATE "C" NOT NULL,
    PRIMARY KEY (role, room)
);
COMMENT ON TABLE analyst_rooms IS 'Which rooms an analyst sees';

-- The rooms of whoever has logged in; what they become by SET ROLE changes nothing. The body is bound to its table
-- here and looks nothing up by name later.
CREATE FUNCTION analytics.my_rooms() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT coalesce(array_agg(room), '{}') FROM analyst_rooms WHERE role = session_user;
END;
COMMENT ON FUNCTION analytics.my_rooms() IS 'The rooms that the analyst sees who has logged in';

-- The log.

CREATE VIEW analytics.events WITH (security_invoker) AS
SELECT notification_id AS position, at, room, kind, topic, originator_id AS stream, originator_version AS version,
       actor AS who, client, seq, convert_from(state, 'UTF8')::jsonb AS state
FROM record;
COMMENT ON VIEW analytics.events IS 'Every event, as it is stored';
COMMENT ON COLUMN analytics.events.position IS 'Its place in the log: higher is later, with gaps';
COMMENT ON COLUMN analytics.events.at IS 'When, by the clock of the server';
COMMENT ON COLUMN analytics.events.room IS 'The room; empty for what belongs to none, such as a profile';
COMMENT ON COLUMN analytics.events.kind IS 'Of what: room, document, message, attendance, receipts, run, revisions, profile, retention';
COMMENT ON COLUMN analytics.events.topic IS 'What happened';
COMMENT ON COLUMN analytics.events.stream IS 'The stream: kind:room/name';
COMMENT ON COLUMN analytics.events.version IS 'Its number in its stream, from 1 without gaps';
COMMENT ON COLUMN analytics.events.who IS 'The user who did it, @server for what the server does by itself';
COMMENT ON COLUMN analytics.events.client IS 'Of an edit or a stay, the browser tab or program';
COMMENT ON COLUMN analytics.events.seq IS 'Of an edit, its number among those of its client in this document';
COMMENT ON COLUMN analytics.events.state IS 'The fields of the event';

-- Rooms and rights.

CREATE VIEW analytics.rooms WITH (security_invoker) AS
SELECT opened.notification_id AS position, opened.room, coalesce(renamed.title, opened.title) AS title,
       opened.at AS opened_at, opened.actor AS opened_by, closed.at AS closed_at, closed.actor AS closed_by
FROM (SELECT *, convert_from(state, 'UTF8')::jsonb ->> 'title' AS title
      FROM record WHERE topic = 'room.opened') AS opened
LEFT JOIN LATERAL (
    SELECT convert_from(r.state, 'UTF8')::jsonb ->> 'title' AS title FROM record r
    WHERE r.originator_id = opened.originator_id AND r.topic = 'room.renamed'
    ORDER BY r.originator_version DESC LIMIT 1) AS renamed ON true
LEFT JOIN LATERAL (
    SELECT r.at, r.actor FROM record r
    WHERE r.originator_id = opened.originator_id AND r.topic = 'room.closed' LIMIT 1) AS closed ON true;
COMMENT ON VIEW analytics.rooms IS 'Rooms, also those that were closed';
COMMENT ON COLUMN analytics.rooms.position IS 'Where it was opened in the log';
COMMENT ON COLUMN analytics.rooms.room IS 'Its id';
COMMENT ON COLUMN analytics.rooms.title IS 'Its title now';
COMMENT ON COLUMN analytics.rooms.opened_at IS 'When it was opened';
COMMENT ON COLUMN analytics.rooms.opened_by IS 'Who opened it';
COMMENT ON COLUMN analytics.rooms.closed_at IS 'When it was closed; null while it is open';
COMMENT ON COLUMN analytics.rooms.closed_by IS 'Who closed it';

-- Before there were rights (version 1 of room.opened), whoever reached the server could do everything.
CREATE VIEW analytics.membership_changes WITH (security_invoker) AS
WITH said AS (
    SELECT r.notification_id AS position, r.at, r.room, r.originator_version AS version, r.topic, r.actor,
           convert_from(r.state, 'UTF8')::jsonb AS state
    FROM record r WHERE r.kind = 'room'),
turns AS (
    SELECT position, at, room, version, actor, state ->> 'owner' AS who, 'opened' AS change, 'owner' AS role,
           NULL AS invitation
    FROM said WHERE topic = 'room.opened' AND state ->> 'owner' IS NOT NULL
    UNION ALL
    SELECT position, at, room, version, actor, '*', 'opened',
           CASE WHEN state ? 'class_version' THEN state ->> 'everyone' ELSE 'editor' END, NULL
    FROM said WHERE topic = 'room.opened' AND NOT (state ? 'class_version' AND state ->> 'everyone' IS NULL)
    UNION ALL
    SELECT position, at, room, version, actor, state ->> 'user',
           CASE WHEN state ->> 'invitation' IS NULL THEN 'added' ELSE 'invited' END, state ->> 'role',
           state ->> 'invitation'
    FROM said WHERE topic = 'room.member_added'
    UNION ALL
    SELECT position, at, room, version, actor, state ->> 'user', 'role changed', state ->> 'role', NULL
    FROM said WHERE topic = 'room.role_changed'
    UNION ALL
    SELECT position, at, room, version, actor, state ->> 'user',
           CASE WHEN state ->> 'user' = actor THEN 'left' ELSE 'removed' END, NULL, NULL
    FROM said WHERE topic = 'room.member_removed'
    UNION ALL
    SELECT position, at, room, version, actor, '*', 'access changed', state ->> 'everyone', NULL
    FROM said WHERE topic = 'room.access_changed'
    UNION ALL
    SELECT position, at, room, version, actor, '*', 'closed', NULL, NULL
    FROM said WHERE topic = 'room.closed')
SELECT position, at, room, version, actor AS changed_by, who, change,
       lag(role) OVER (PARTITION BY room, who ORDER BY version) AS role_before, role AS role_after, invitation
FROM turns;
COMMENT ON VIEW analytics.membership_changes IS 'Every change of a right in a room';
COMMENT ON COLUMN analytics.membership_changes.position IS 'Its place in the log';
COMMENT ON COLUMN analytics.membership_changes.at IS 'When';
COMMENT ON COLUMN analytics.membership_changes.room IS 'The room';
COMMENT ON COLUMN analytics.membership_changes.version IS 'The number of the event in the stream of the room';
COMMENT ON COLUMN analytics.membership_changes.changed_by IS 'Who changed it';
COMMENT ON COLUMN analytics.membership_changes.who IS 'Whose right; * for all who are no members';
COMMENT ON COLUMN analytics.membership_changes.change IS 'opened, added, invited (came by an invitation), role changed, removed, left, access changed, closed';
COMMENT ON COLUMN analytics.membership_changes.role_before IS 'The role until then; null for none';
COMMENT ON COLUMN analytics.membership_changes.role_after IS 'The role from then on; null for none';
COMMENT ON COLUMN analytics.membership_changes.invitation IS 'The invitation by which somebody came';

-- Clocks of nodes differ: nobody has a role before the room was opened, nor before they had the one before.
CREATE VIEW analytics.memberships WITH (security_invoker) AS
WITH turns AS (
    SELECT room, version, changed_by, who, change, role_after, invitation,
           greatest(max(at) OVER (PARTITION BY room, who ORDER BY version),
                    min(at) FILTER (WHERE version = 1) OVER (PARTITION BY room)) AS at,
           max(at) FILTER (WHERE change = 'closed') OVER (PARTITION BY room) AS closed_at
    FROM analytics.membership_changes),
spans AS (
    SELECT *, lead(at) OVER (PARTITION BY room, who ORDER BY version) AS next_at FROM turns)
SELECT room, who, role_after AS role, at AS since,
       CASE WHEN next_at IS NOT NULL OR closed_at IS NOT NULL
            THEN greatest(coalesce(next_at, closed_at), at) END AS until,
       changed_by AS given_by, change AS how, invitation, version
FROM spans WHERE role_after IS NOT NULL;
COMMENT ON VIEW analytics.memberships IS 'Who had which role in a room from when until when';
COMMENT ON COLUMN analytics.memberships.room IS 'The room';
COMMENT ON COLUMN analytics.memberships.who IS 'The member; * for all who are no members';
COMMENT ON COLUMN analytics.memberships.role IS 'owner, editor, commenter or viewer';
COMMENT ON COLUMN analytics.memberships.since IS 'From this moment on';
COMMENT ON COLUMN analytics.memberships.until IS 'Until just before this moment; null: still';
COMMENT ON COLUMN analytics.memberships.given_by IS 'Who gave it';
COMMENT ON COLUMN analytics.memberships.how IS 'opened, added, invited, role changed, access changed';
COMMENT ON COLUMN analytics.memberships.invitation IS 'The invitation by which the member came';
COMMENT ON COLUMN analytics.memberships.version IS 'The version of the room at its beginning';

CREATE VIEW analytics.permissions WITH (security_invoker) AS
SELECT room, who, role, since, until,
       true AS can_read,
       role IN ('commenter', 'editor', 'owner') AS can_comment,
       role IN ('editor', 'owner') AS can_edit,
       role = 'owner' AS can_manage
FROM analytics.memberships;
COMMENT ON VIEW analytics.permissions IS 'What somebody could do in a room and all its documents, from when until when';
COMMENT ON COLUMN analytics.permissions.room IS 'The room';
COMMENT ON COLUMN analytics.permissions.who IS 'The member; * for all who are no members (a member has their own role only)';
COMMENT ON COLUMN analytics.permissions.role IS 'By which role';
COMMENT ON COLUMN analytics.permissions.since IS 'From this moment on';
COMMENT ON COLUMN analytics.permissions.until IS 'Until just before this moment; null: still';
COMMENT ON COLUMN analytics.permissions.can_read IS 'Read all documents and the chat, now and then';
COMMENT ON COLUMN analytics.permissions.can_comment IS 'Speak in the chat';
COMMENT ON COLUMN analytics.permissions.can_edit IS 'Edit, create and unlist documents';
COMMENT ON COLUMN analytics.permissions.can_manage IS 'Members, invitations, title, access, closing';

-- Documents.

CREATE VIEW analytics.documents WITH (security_invoker) AS
SELECT created.notification_id AS position, created.room, created.document, created.at AS created_at, created.actor AS created_by,
       newest.revision, newest.at AS modified_at, newest.actor AS modified_by, coalesce(list.is_listed, false) AS is_listed
FROM (SELECT *, split_part(originator_id, '/', 2) AS document, 'room:' || room AS room_stream
      FROM record WHERE kind = 'document' AND originator_version = 1 OFFSET 0) AS created
CROSS JOIN LATERAL (
    SELECT coalesce((convert_from(r.state, 'UTF8')::jsonb ->> 'revision')::bigint, 0) AS revision, r.at, r.actor
    FROM record r WHERE r.originator_id = created.originator_id ORDER BY r.originator_version DESC LIMIT 1) AS newest
LEFT JOIN LATERAL (
    SELECT r.topic = 'room.document_listed' AS is_listed FROM record r
    WHERE r.originator_id = created.room_stream AND r.topic IN ('room.document_listed', 'room.document_unlisted')
      AND convert_from(r.state, 'UTF8')::jsonb ->> 'document' = created.document
    ORDER BY r.originator_version DESC LIMIT 1) AS list ON true;
COMMENT ON VIEW analytics.documents IS 'Documents, as they stand';
COMMENT ON COLUMN analytics.documents.position IS 'Where it was created in the log';
COMMENT ON COLUMN analytics.documents.room IS 'The room';
COMMENT ON COLUMN analytics.documents.document IS 'Its id in the room';
COMMENT ON COLUMN analytics.documents.created_at IS 'When it was created';
COMMENT ON COLUMN analytics.documents.created_by IS 'Who created it';
COMMENT ON COLUMN analytics.documents.revision IS 'How many edits it has had';
COMMENT ON COLUMN analytics.documents.modified_at IS 'When it was edited last';
COMMENT ON COLUMN analytics.documents.modified_by IS 'Who edited it last';
COMMENT ON COLUMN analytics.documents.is_listed IS 'Whether it is on the list of the room; one that is not keeps its history';

-- A row's state is decoded once, for whichever of its columns are asked for.
CREATE VIEW analytics.edits WITH (security_invoker) AS
SELECT r.notification_id AS position, r.at, r.room, split_part(r.originator_id, '/', 2) AS document,
       (said.state ->> 'revision')::bigint AS revision, (said.state ->> 'base')::bigint AS base, r.actor AS who,
       r.client, coalesce(said.state ->> 'cause', 'typed') AS kind,
       (SELECT coalesce(sum(length(part #>> '{}')), 0)::bigint
        FROM jsonb_array_elements(said.state -> 'op') AS part
        WHERE jsonb_typeof(part) = 'string') AS inserted,
       (SELECT coalesce(sum(CASE jsonb_typeof(part -> 'd') WHEN 'string' THEN length(part ->> 'd')
                            ELSE (part ->> 'd')::bigint END), 0)::bigint
        FROM jsonb_array_elements(said.state -> 'op') AS part
        WHERE jsonb_typeof(part) = 'object') AS deleted,
       (SELECT part #>> '{}' FROM jsonb_array_elements(said.state -> 'op') WITH ORDINALITY AS parts (part, place)
        WHERE jsonb_typeof(part) = 'string' ORDER BY length(part #>> '{}') DESC, place LIMIT 1) AS longest_insert,
       said.state -> 'undoes' AS undoes, nullif(said.state -> 'source' ->> 0, '') AS source_document,
       (said.state -> 'source' ->> 1)::bigint AS source_revision, said.state ->> 'redaction' AS redaction,
       r.originator_id AS stream
FROM record r
CROSS JOIN LATERAL (SELECT convert_from(r.state, 'UTF8')::jsonb AS state OFFSET 0) AS said
WHERE r.topic = 'document.edit_applied';
COMMENT ON VIEW analytics.edits IS 'Every edit of every document';
COMMENT ON COLUMN analytics.edits.position IS 'Its place in the log';
COMMENT ON COLUMN analytics.edits.at IS 'When it was accepted';
COMMENT ON COLUMN analytics.edits.room IS 'The room';
COMMENT ON COLUMN analytics.edits.document IS 'The document';
COMMENT ON COLUMN analytics.edits.revision IS 'The revision that it made';
COMMENT ON COLUMN analytics.edits.base IS 'The revision that its author saw; those in between were made by others meanwhile';
COMMENT ON COLUMN analytics.edits.who IS 'Whose edit';
COMMENT ON COLUMN analytics.edits.client IS 'The browser tab or program; @ and the user for what the server did for them, such as an undo';
COMMENT ON COLUMN analytics.edits.kind IS 'typed, undo, redo, restore, branch, merge, redaction';
COMMENT ON COLUMN analytics.edits.inserted IS 'Characters that it inserted (Unicode code points)';
COMMENT ON COLUMN analytics.edits.deleted IS 'Characters that it deleted (Unicode code points)';
COMMENT ON COLUMN analytics.edits.longest_insert IS 'The longest text that it inserted at one place; blocks in a sealed room';
COMMENT ON COLUMN analytics.edits.undoes IS 'Of an undo or redo, the edits that it took back: pairs of first and last revision';
COMMENT ON COLUMN analytics.edits.source_document IS 'Of a branch or merge, the document that its text is from; null for this one';
COMMENT ON COLUMN analytics.edits.source_revision IS 'Of a restore, branch or merge, the revision that its text is from';
COMMENT ON COLUMN analytics.edits.redaction IS 'The last redaction that removed text of it: blocks stand there, as many as the characters were';
COMMENT ON COLUMN analytics.edits.stream IS 'document:room/document: with it one document is found at once';

CREATE VIEW analytics.revisions WITH (security_invoker) AS
SELECT position, at, room, document, revision, name, who,
       name IS NOT NULL AND row_number() OVER (PARTITION BY room, document, name ORDER BY position DESC) = 1
           AS is_current
FROM (SELECT r.notification_id AS position, r.at, r.room, split_part(r.originator_id, '/', 2) AS document,
             (convert_from(r.state, 'UTF8')::jsonb ->> 'revision')::bigint AS revision,
             convert_from(r.state, 'UTF8')::jsonb ->> 'name' AS name, r.actor AS who
      FROM record r WHERE r.kind = 'revisions' AND r.topic = 'revisions.saved') AS saved;
COMMENT ON VIEW analytics.revisions IS 'Revisions that were saved or given a name';
COMMENT ON COLUMN analytics.revisions.position IS 'Its place in the log';
COMMENT ON COLUMN analytics.revisions.at IS 'When it was saved';
COMMENT ON COLUMN analytics.revisions.room IS 'The room';
COMMENT ON COLUMN analytics.revisions.document IS 'The document';
COMMENT ON COLUMN analytics.revisions.revision IS 'The revision';
COMMENT ON COLUMN analytics.revisions.name IS 'The name that it was given; null for none';
COMMENT ON COLUMN analytics.revisions.who IS 'Who saved it';
COMMENT ON COLUMN analytics.revisions.is_current IS 'Whether the name still means this revision';

CREATE VIEW analytics.runs WITH (security_invoker) AS
SELECT begun.notification_id AS position, begun.room, said.state ->> 'run' AS run, begun.actor AS who,
       said.state ->> 'client' AS client, said.state ->> 'title' AS title, said.state ->> 'document' AS document,
       (said.state ->> 'revision')::bigint AS revision, begun.at AS started_at, finished.at AS finished_at,
       finished.state ->> 'outcome' AS outcome, (finished.state ->> 'exit_code')::bigint AS exit_code
FROM record begun
CROSS JOIN LATERAL (SELECT convert_from(begun.state, 'UTF8')::jsonb AS state OFFSET 0) AS said
LEFT JOIN LATERAL (
    SELECT r.at, convert_from(r.state, 'UTF8')::jsonb AS state FROM record r
    WHERE r.originator_id = begun.originator_id AND r.topic = 'run.finished' LIMIT 1) AS finished ON true
WHERE begun.kind = 'run' AND begun.topic = 'run.started';
COMMENT ON VIEW analytics.runs IS 'Runs of code, as clients reported them';
COMMENT ON COLUMN analytics.runs.position IS 'Where it was started in the log';
COMMENT ON COLUMN analytics.runs.room IS 'The room';
COMMENT ON COLUMN analytics.runs.run IS 'Its id';
COMMENT ON COLUMN analytics.runs.who IS 'Who ran it';
COMMENT ON COLUMN analytics.runs.client IS 'Where it ran';
COMMENT ON COLUMN analytics.runs.title IS 'What it is called';
COMMENT ON COLUMN analytics.runs.document IS 'What was run; null where it is more than one document';
COMMENT ON COLUMN analytics.runs.revision IS 'At which revision';
COMMENT ON COLUMN analytics.runs.started_at IS 'When it began';
COMMENT ON COLUMN analytics.runs.finished_at IS 'When it ended; null: not that anybody has said';
COMMENT ON COLUMN analytics.runs.outcome IS 'passed, failed or stopped';
COMMENT ON COLUMN analytics.runs.exit_code IS 'Its exit code, where there is one';

CREATE VIEW analytics.redactions WITH (security_invoker) AS
SELECT r.notification_id AS position, r.at, r.room, said.state ->> 'redaction' AS redaction, r.actor AS who,
       said.state ->> 'reason' AS reason, said.state ->> 'author' AS author,
       ARRAY(SELECT jsonb_array_elements_text(said.state -> 'documents')) AS documents,
       ARRAY(SELECT jsonb_array_elements_text(said.state -> 'messages')) AS messages,
       (said.state ->> 'events')::bigint AS events, (said.state ->> 'characters')::bigint AS characters
FROM record r
CROSS JOIN LATERAL (SELECT convert_from(r.state, 'UTF8')::jsonb AS state OFFSET 0) AS said
WHERE r.topic = 'redaction.made';
COMMENT ON VIEW analytics.redactions IS 'Each time that text was removed from history';
COMMENT ON COLUMN analytics.redactions.position IS 'Its place in the log';
COMMENT ON COLUMN analytics.redactions.at IS 'When';
COMMENT ON COLUMN analytics.redactions.room IS 'The room; empty where it was somebody''s profile';
COMMENT ON COLUMN analytics.redactions.redaction IS 'Its id in the room';
COMMENT ON COLUMN analytics.redactions.who IS 'Who removed it';
COMMENT ON COLUMN analytics.redactions.reason IS 'Why, in their words';
COMMENT ON COLUMN analytics.redactions.author IS 'Whose text it was, where all was removed that somebody has written';
COMMENT ON COLUMN analytics.redactions.documents IS 'Of which documents';
COMMENT ON COLUMN analytics.redactions.messages IS 'Of which messages';
COMMENT ON COLUMN analytics.redactions.events IS 'From how many events';
COMMENT ON COLUMN analytics.redactions.characters IS 'How many characters (Unicode code points)';

-- Chat.

-- A message answers the one that it replies to, or else the one just before it in the room when that is at most half
-- an hour old, in both cases only when somebody else wrote it (projections/statistics.py). Imports answer nobody.
CREATE VIEW analytics.messages WITH (security_invoker) AS
WITH begun AS MATERIALIZED (
    SELECT r.notification_id AS position, r.at, r.room, split_part(r.originator_id, '/', 2) AS message, r.actor,
           r.topic = 'message.imported' AS is_import, r.originator_id, said.state,
           'message:' || r.room || '/' || (said.state ->> 'reply_to') AS replied_to
    FROM record r CROSS JOIN LATERAL (SELECT convert_from(r.state, 'UTF8')::jsonb AS state OFFSET 0) AS said
    WHERE r.kind = 'message' AND r.originator_version = 1),
said AS (
    SELECT *, lag(message) OVER spoken AS before, lag(actor) OVER spoken AS before_who, lag(at) OVER spoken AS before_at
    FROM begun WHERE NOT is_import
    WINDOW spoken AS (PARTITION BY room ORDER BY position)),
posted AS (
    SELECT said.*, answered.*
    FROM said
    LEFT JOIN LATERAL (
        SELECT r.actor, r.at FROM record r
        WHERE r.originator_id = said.replied_to
          AND r.originator_version = 1 AND r.topic = 'message.posted') AS replied (reply_who, reply_at) ON true
    CROSS JOIN LATERAL (
        SELECT state ->> 'reply_to', reply_who, reply_at WHERE reply_who <> actor
        UNION ALL
        SELECT before, before_who, before_at
        WHERE state ->> 'reply_to' IS NULL AND before_who <> actor AND at - before_at <= interval '30 minutes'
        UNION ALL
        SELECT NULL, NULL, NULL
        LIMIT 1) AS answered (answers, answers_who, answers_at)
    UNION ALL
    SELECT begun.*, NULL, NULL, NULL, NULL, NULL, NULL FROM begun WHERE is_import)
SELECT posted.position,
       CASE WHEN is_import THEN timestamptz 'epoch' + (state ->> 'posted')::bigint * interval '1 microsecond'
            ELSE posted.at END AS at,
       room, message, CASE WHEN is_import THEN state ->> 'author' ELSE posted.actor END AS who,
       CASE WHEN deleted.at IS NULL AND state ->> 'deleted' IS NULL
            THEN coalesce(edited.text, state ->> 'text') END AS text,
       state ->> 'reply_to' AS reply_to,
       CASE WHEN deleted.at IS NOT NULL OR state ->> 'deleted' IS NOT NULL THEN '{}'
            ELSE coalesce(edited.mentions, ARRAY(SELECT jsonb_array_elements_text(state -> 'mentions'))) END
           AS mentions,
       coalesce((state ->> 'edits')::bigint, 0) + coalesce(edited.edits, 0) AS edits,
       coalesce(edited.at, timestamptz 'epoch' + (state ->> 'edited')::bigint * interval '1 microsecond') AS edited_at,
       coalesce(deleted.at, timestamptz 'epoch' + (state ->> 'deleted')::bigint * interval '1 microsecond')
           AS deleted_at,
       deleted.actor AS deleted_by, answers, answers_who,
       CASE WHEN answers_at IS NOT NULL THEN greatest(extract(epoch FROM posted.at - answers_at), 0) END::float8
           AS response_seconds,
       state ->> 'source' AS imported_from
FROM posted
LEFT JOIN LATERAL (
    SELECT (array_agg(said.state ->> 'text' ORDER BY r.originator_version DESC))[1] AS text,
           ARRAY(SELECT jsonb_array_elements_text(
               (array_agg(said.state -> 'mentions' ORDER BY r.originator_version DESC))[1])) AS mentions,
           count(*) AS edits, (array_agg(r.at ORDER BY r.originator_version DESC))[1] AS at
    FROM record r CROSS JOIN LATERAL (SELECT convert_from(r.state, 'UTF8')::jsonb AS state) AS said
    WHERE r.originator_id = posted.originator_id AND r.topic = 'message.edited'
    HAVING count(*) > 0) AS edited ON true
LEFT JOIN LATERAL (
    SELECT r.at, r.actor FROM record r
    WHERE r.originator_id = posted.originator_id AND r.topic = 'message.deleted' LIMIT 1) AS deleted ON true;
COMMENT ON VIEW analytics.messages IS 'Chat messages, as they stand';
COMMENT ON COLUMN analytics.messages.position IS 'Where it was posted in the log: its place in the room';
COMMENT ON COLUMN analytics.messages.at IS 'When it was said; of an imported one, when it was said where it comes from';
COMMENT ON COLUMN analytics.messages.room IS 'The room';
COMMENT ON COLUMN analytics.messages.message IS 'Its id in the room';
COMMENT ON COLUMN analytics.messages.who IS 'Who said it';
COMMENT ON COLUMN analytics.messages.text IS 'What it says now; null for one that was deleted, blocks in a sealed room';
COMMENT ON COLUMN analytics.messages.reply_to IS 'The message that it is a reply to';
COMMENT ON COLUMN analytics.messages.mentions IS 'The users that its text speaks to';
COMMENT ON COLUMN analytics.messages.edits IS 'How often it was edited';
COMMENT ON COLUMN analytics.messages.edited_at IS 'When it was edited last';
COMMENT ON COLUMN analytics.messages.deleted_at IS 'When it was deleted';
COMMENT ON COLUMN analytics.messages.deleted_by IS 'Who deleted it';
COMMENT ON COLUMN analytics.messages.answers IS 'The message that it answers: that which it replies to, or the one before it of somebody else within 30 minutes';
COMMENT ON COLUMN analytics.messages.answers_who IS 'Who said that';
COMMENT ON COLUMN analytics.messages.response_seconds IS 'How long after that it was said';
COMMENT ON COLUMN analytics.messages.imported_from IS 'The room that it was imported from';

CREATE VIEW analytics.reactions WITH (security_invoker) AS
SELECT added.notification_id AS position, added.at, added.room, split_part(added.originator_id, '/', 2) AS message,
       added.actor AS who, said.emoji,
       (SELECT CASE r.topic WHEN 'message.imported' THEN convert_from(r.state, 'UTF8')::jsonb ->> 'author'
                    ELSE r.actor END
        FROM record r WHERE r.originator_id = added.originator_id AND r.originator_version = 1) AS to_whom,
       (SELECT r.at FROM record r
        WHERE r.originator_id = added.originator_id AND r.originator_version > added.originator_version
          AND r.topic = 'message.reaction_removed' AND r.actor = added.actor
          AND convert_from(r.state, 'UTF8')::jsonb ->> 'emoji' = said.emoji
        ORDER BY r.originator_version LIMIT 1) AS removed_at
FROM record added
CROSS JOIN LATERAL (SELECT convert_from(added.state, 'UTF8')::jsonb ->> 'emoji' AS emoji OFFSET 0) AS said
WHERE added.topic = 'message.reaction_added';
COMMENT ON VIEW analytics.reactions IS 'Every reaction to a message that was made in the room, also those that were taken back';
COMMENT ON COLUMN analytics.reactions.position IS 'Its place in the log';
COMMENT ON COLUMN analytics.reactions.at IS 'When';
COMMENT ON COLUMN analytics.reactions.room IS 'The room';
COMMENT ON COLUMN analytics.reactions.message IS 'The message';
COMMENT ON COLUMN analytics.reactions.who IS 'Who reacted';
COMMENT ON COLUMN analytics.reactions.emoji IS 'With what';
COMMENT ON COLUMN analytics.reactions.to_whom IS 'Who said the message';
COMMENT ON COLUMN analytics.reactions.removed_at IS 'When it was taken back; null while it stands';

CREATE VIEW analytics.receipts WITH (security_invoker) AS
SELECT r.notification_id AS position,
       timestamptz 'epoch' + (told ->> 3)::bigint * interval '1 microsecond' AS at, r.room, told ->> 0 AS who,
       (told ->> 1)::bigint AS delivered_up_to, (told ->> 2)::bigint AS read_up_to
FROM record r
CROSS JOIN LATERAL jsonb_array_elements(convert_from(r.state, 'UTF8')::jsonb -> 'receipts') AS told
WHERE r.topic = 'receipts.recorded';
COMMENT ON VIEW analytics.receipts IS 'How far somebody has got and read the messages of a room, each time that it was told';
COMMENT ON COLUMN analytics.receipts.position IS 'Its place in the log';
COMMENT ON COLUMN analytics.receipts.at IS 'When it was told';
COMMENT ON COLUMN analytics.receipts.room IS 'The room';
COMMENT ON COLUMN analytics.receipts.who IS 'Who';
COMMENT ON COLUMN analytics.receipts.delivered_up_to IS 'All messages up to this position had arrived';
COMMENT ON COLUMN analytics.receipts.read_up_to IS 'All messages up to this position were read';

-- Presence.

CREATE VIEW analytics.stays WITH (security_invoker) AS
SELECT joined.notification_id AS position, joined.room, split_part(joined.originator_id, '/', 2) AS session,
       joined.actor AS who, coalesce(said.state ->> 'name', joined.actor) AS name, said.state ->> 'client' AS client,
       joined.at AS since,
       CASE WHEN gone.at IS NOT NULL THEN greatest(gone.at, joined.at) END AS until, gone.reason
FROM record joined
CROSS JOIN LATERAL (SELECT convert_from(joined.state, 'UTF8')::jsonb AS state OFFSET 0) AS said
LEFT JOIN LATERAL (
    SELECT r.at, convert_from(r.state, 'UTF8')::jsonb ->> 'reason' AS reason FROM record r
    WHERE r.originator_id = joined.originator_id AND r.topic = 'attendance.left' LIMIT 1) AS gone ON true
WHERE joined.kind = 'attendance' AND joined.topic = 'attendance.joined';
COMMENT ON VIEW analytics.stays IS 'Every stay of a client in a room, from its coming to its going';
COMMENT ON COLUMN analytics.stays.position IS 'Where it begins in the log';
COMMENT ON COLUMN analytics.stays.room IS 'The room';
COMMENT ON COLUMN analytics.stays.session IS 'Its id in the room';
COMMENT ON COLUMN analytics.stays.who IS 'Who was here';
COMMENT ON COLUMN analytics.stays.name IS 'What they were called then';
COMMENT ON COLUMN analytics.stays.client IS 'The browser tab or program';
COMMENT ON COLUMN analytics.stays.since IS 'When they came';
COMMENT ON COLUMN analytics.stays.until IS 'When they left; null: still here';
COMMENT ON COLUMN analytics.stays.reason IS 'left, lost, drained, superseded, removed';

CREATE VIEW analytics.presence WITH (security_invoker) AS
SELECT room, session, min(joined_by) OVER stay AS who, client, status, since, until, version
FROM (SELECT *, lead(since) OVER stay AS until
      FROM (SELECT r.room, split_part(r.originator_id, '/', 2) AS session, r.originator_version AS version,
                   CASE r.topic WHEN 'attendance.joined' THEN r.actor END AS joined_by,
                   said.state ->> 'client' AS client,
                   CASE r.topic WHEN 'attendance.joined' THEN 'idle' WHEN 'attendance.status_changed'
                        THEN said.state ->> 'status' END AS status,
                   max(r.at) OVER (PARTITION BY r.room, r.originator_id ORDER BY r.originator_version) AS since
            FROM record r CROSS JOIN LATERAL (SELECT convert_from(r.state, 'UTF8')::jsonb AS state OFFSET 0) AS said
            WHERE r.kind = 'attendance'
              AND r.topic IN ('attendance.joined', 'attendance.status_changed', 'attendance.left')) AS turns
      WINDOW stay AS (PARTITION BY room, session ORDER BY version)) AS spans
WHERE status IS NOT NULL
WINDOW stay AS (PARTITION BY room, session);
COMMENT ON VIEW analytics.presence IS 'What every client in a room was doing, from when until when';
COMMENT ON COLUMN analytics.presence.room IS 'The room';
COMMENT ON COLUMN analytics.presence.session IS 'The stay';
COMMENT ON COLUMN analytics.presence.who IS 'Who';
COMMENT ON COLUMN analytics.presence.client IS 'The browser tab or program';
COMMENT ON COLUMN analytics.presence.status IS 'editing, running, idle, away';
COMMENT ON COLUMN analytics.presence.since IS 'From this moment on';
COMMENT ON COLUMN analytics.presence.until IS 'Until just before this moment; null: still';
COMMENT ON COLUMN analytics.presence.version IS 'The number of the event in the stream of the stay';

-- From the other log, of which old days are dropped (CHRONOSCRIBE_PRESENCE_DAYS).
CREATE VIEW analytics.cursors WITH (security_invoker) AS
SELECT p.notification_id AS position, timestamptz 'epoch' + (move ->> 5)::bigint * interval '1 microsecond' AS at,
       p.room, move ->> 0 AS client, move ->> 1 AS document, (move ->> 2)::bigint AS revision,
       nullif((move ->> 3)::bigint, -1) AS anchor, nullif((move ->> 4)::bigint, -1) AS head
FROM presence p
CROSS JOIN LATERAL jsonb_array_elements(convert_from(p.state, 'UTF8')::jsonb -> 'moves') AS move
WHERE p.topic = 'presence.frame_recorded';
COMMENT ON VIEW analytics.cursors IS 'Every move of a cursor or selection, as long as it is kept';
COMMENT ON COLUMN analytics.cursors.position IS 'Its place in the log of presence';
COMMENT ON COLUMN analytics.cursors.at IS 'When';
COMMENT ON COLUMN analytics.cursors.room IS 'The room';
COMMENT ON COLUMN analytics.cursors.client IS 'Whose: stays say who that is';
COMMENT ON COLUMN analytics.cursors.document IS 'In which document';
COMMENT ON COLUMN analytics.cursors.revision IS 'In the text of which revision';
COMMENT ON COLUMN analytics.cursors.anchor IS 'Where the selection begins, in code points; null: not shown any more';
COMMENT ON COLUMN analytics.cursors.head IS 'Where the cursor is; null: not shown any more';
