-- How far each projection has read, as the event library keeps it, and the first of them.

CREATE TABLE tracking (
    application_name text PRIMARY KEY,
    notification_id bigint NOT NULL
);

CREATE TABLE directory (
    room text NOT NULL,
    document text NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz,
    created_by text,
    modified_at timestamptz NOT NULL,
    modified_by text NOT NULL,
    PRIMARY KEY (room, document)
);
