-- Chat: what a room asks the log for when its first session comes, and the tables of the projection.

DROP INDEX record_message;
CREATE INDEX record_message ON record (room, notification_id) WHERE kind = 'message' AND originator_version = 1;
CREATE INDEX record_receipts ON record (room, notification_id) WHERE topic = 'receipts.recorded';

-- Finds parts of words. Comes with Postgres, and whoever may create our tables may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- One row for each message, as it stands; version is that of its stream, and position where it was posted in the log,
-- which is its place in the room. Of a deleted one the text is empty. text_key and words are the text as it is
-- searched (projections/chat_search.py).
CREATE TABLE chat_messages (
    room text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    author text COLLATE "C" NOT NULL,
    client text,
    posted_at timestamptz NOT NULL,
    text text NOT NULL,
    documents jsonb NOT NULL,
    reply_to text COLLATE "C",
    mentions text[] NOT NULL,
    link jsonb,
    edits bigint NOT NULL,
    edited_at timestamptz,
    deleted_at timestamptz,
    deleted_by text,
    pinned_at timestamptz,
    pinned_by text,
    reactions jsonb NOT NULL,
    source text,
    imported_by text,
    imported_at timestamptz,
    text_key text NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (room, message)
);
CREATE UNIQUE INDEX chat_messages_of_room ON chat_messages (room, position);
CREATE INDEX chat_messages_of_author ON chat_messages (author, position);
CREATE INDEX chat_messages_of_author_in_room ON chat_messages (room, author, position);
CREATE INDEX chat_messages_replies ON chat_messages (room, reply_to, position) WHERE reply_to IS NOT NULL;
CREATE INDEX chat_messages_pinned ON chat_messages (room, position) WHERE pinned_at IS NOT NULL;
CREATE INDEX chat_messages_mentions ON chat_messages USING gin (mentions) WHERE mentions <> '{}';
CREATE INDEX chat_messages_reactions ON chat_messages USING gin (reactions jsonb_path_ops) WHERE reactions <> '[]';
CREATE INDEX chat_messages_words ON chat_messages USING gin (words);
CREATE INDEX chat_messages_parts ON chat_messages USING gin (text_key gin_trgm_ops);

-- How far each user has got and read a room's messages: notification ids.
CREATE TABLE chat_pointers (
    room text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    delivered bigint NOT NULL,
    read bigint NOT NULL,
    PRIMARY KEY (room, "user")
);
CREATE INDEX chat_pointers_of_user ON chat_pointers ("user");
