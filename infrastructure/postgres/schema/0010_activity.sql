-- The activity of rooms: one readable line for each thing that matters. id is the position of the line's first event,
-- changed of the last one that it was folded of; chain is what further events find the line by.

CREATE TABLE activity (
    room text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    changed bigint NOT NULL CHECK (changed >= id),
    kind text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    document text COLLATE "C",
    message text COLLATE "C",
    at timestamptz NOT NULL,
    until timestamptz NOT NULL CHECK (until >= at),
    details jsonb NOT NULL,
    chain text COLLATE "C",
    PRIMARY KEY (room, id)
);
CREATE INDEX activity_changed ON activity (room, changed);
CREATE INDEX activity_of_user ON activity ("user", id);
CREATE INDEX activity_of_document ON activity (room, document, id) WHERE document IS NOT NULL;
CREATE INDEX activity_of_kind ON activity (room, kind, id);
CREATE INDEX activity_chain ON activity (room, chain, id) WHERE chain IS NOT NULL;

-- Whose stays there were, and which are open: somebody comes with the first of them and goes with the last.
CREATE TABLE activity_places (
    room text COLLATE "C" NOT NULL,
    session text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    is_here boolean NOT NULL,
    PRIMARY KEY (room, session)
);
CREATE INDEX activity_places_open ON activity_places (room, "user") WHERE is_here;
