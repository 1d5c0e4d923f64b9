-- Edits that were imported: whose they are is who wrote them elsewhere; when that was, who has brought them here, and
-- what they are called there, stand beside.

CREATE OR REPLACE VIEW analytics.edits WITH (security_invoker) AS
SELECT r.notification_id AS position, r.at, r.room, split_part(r.originator_id, '/', 2) AS document,
       (said.state ->> 'revision')::bigint AS revision, (said.state ->> 'base')::bigint AS base,
       coalesce(said.state ->> 'author', r.actor) AS who,
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
       r.originator_id AS stream,
       coalesce(timestamptz 'epoch' + (said.state ->> 'written')::bigint * interval '1 microsecond', r.at) AS written_at,
       CASE WHEN said.state ? 'author' THEN r.actor END AS imported_by, said.state ->> 'reference' AS reference,
       said.state ->> 'note' AS note
FROM record r
CROSS JOIN LATERAL (SELECT convert_from(r.state, 'UTF8')::jsonb AS state OFFSET 0) AS said
WHERE r.topic = 'document.edit_applied';
COMMENT ON COLUMN analytics.edits.who IS 'Whose edit; of an imported one the author, who is no user: a name and whose it is';
COMMENT ON COLUMN analytics.edits.kind IS 'typed, undo, redo, restore, branch, merge, redaction, import';
COMMENT ON COLUMN analytics.edits.written_at IS 'When it was made: at, or for an imported one when that was where it comes from';
COMMENT ON COLUMN analytics.edits.imported_by IS 'Who has imported it; null for what was written here';
COMMENT ON COLUMN analytics.edits.reference IS 'Of an imported one, the commit or the revision of the pad';
COMMENT ON COLUMN analytics.edits.note IS 'Of an imported one, the first line of the commit';
