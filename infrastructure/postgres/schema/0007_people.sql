-- Projections of rooms and people: which rooms there are, who may what in them, who is who, who was here.
-- They are asked page by page in the order of ids, so ids are compared as bytes, whatever the database's language.

CREATE TABLE rooms (
    room text COLLATE "C" PRIMARY KEY,
    title text NOT NULL,
    everyone text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    closed_at timestamptz,
    position bigint NOT NULL
);
-- A user's rooms are those that let everyone in, and those that the user is a member of.
CREATE INDEX rooms_for_everyone ON rooms (position) WHERE closed_at IS NULL AND everyone IS NOT NULL;

-- One row for each span in which a user had a role; version is that of the room at its beginning. What the room lets
-- everyone do is the role of the user *.
CREATE TABLE members (
    room text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    role text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz CHECK (until >= since),
    by text NOT NULL,
    invitation text,
    PRIMARY KEY (room, "user", version)
);
CREATE UNIQUE INDEX members_present ON members (room, "user") WHERE until IS NULL;
CREATE INDEX members_of_user ON members ("user", since);

-- The keys are what names and ids have in common that differ in nothing but case.
CREATE TABLE profiles (
    "user" text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    colour text NOT NULL,
    avatar text NOT NULL,
    created_at timestamptz,
    changed_at timestamptz NOT NULL,
    user_key text COLLATE "C" NOT NULL,
    name_key text COLLATE "C" NOT NULL
);
CREATE INDEX profiles_by_user ON profiles (user_key);
CREATE INDEX profiles_by_name ON profiles (name_key);

-- One row for each status of each stay; version is that of the stay at its beginning.
CREATE TABLE presence_spans (
    room text COLLATE "C" NOT NULL,
    session text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    client text NOT NULL,
    status text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz CHECK (until >= since),
    PRIMARY KEY (room, session, version)
);
CREATE UNIQUE INDEX presence_spans_now ON presence_spans (room, session) WHERE until IS NULL;
CREATE INDEX presence_spans_since ON presence_spans (room, since);
CREATE INDEX presence_spans_until ON presence_spans (room, until);
CREATE INDEX presence_spans_of_user ON presence_spans ("user", since);

-- Edits by day (UTC), inserted and deleted in code points; position is that of the last edit that was counted.
CREATE TABLE edit_days (
    room text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    day date NOT NULL,
    position bigint NOT NULL,
    edits bigint NOT NULL,
    inserted bigint NOT NULL,
    deleted bigint NOT NULL,
    PRIMARY KEY (room, "user", day)
);
CREATE INDEX edit_days_of_user ON edit_days ("user", day);
