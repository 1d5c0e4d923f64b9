-- Statistics: what was done in each room, by whom and when, and what is said and how quickly it is answered.

-- One row for each room, user and hour in which something was done, and the same added up by day, by month (UTC) and
-- for ever, so that a year is a few rows of each kind. The user * is everybody together.
CREATE TABLE statistics (
    room text COLLATE "C" NOT NULL,
    scale text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    messages bigint NOT NULL,
    replies bigint NOT NULL,
    words bigint NOT NULL,
    characters bigint NOT NULL,
    message_edits bigint NOT NULL,
    message_deletions bigint NOT NULL,
    reactions_added bigint NOT NULL,
    reactions_removed bigint NOT NULL,
    document_edits bigint NOT NULL,
    inserted bigint NOT NULL,
    deleted bigint NOT NULL,
    responses bigint NOT NULL,
    response_milliseconds bigint NOT NULL,
    PRIMARY KEY (room, scale, "user", since)
);

-- How many responses took how long, in buckets that grow by a fifth.
CREATE TABLE statistics_responses (
    room text COLLATE "C" NOT NULL,
    scale text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    bucket bigint NOT NULL,
    responses bigint NOT NULL,
    PRIMARY KEY (room, scale, "user", since, bucket)
);

-- What stands in a room now: a reaction or a message that was taken back is not in it.
CREATE TABLE statistics_emoji (
    room text COLLATE "C" NOT NULL,
    emoji text COLLATE "C" NOT NULL,
    uses bigint NOT NULL,
    PRIMARY KEY (room, emoji)
);
CREATE TABLE statistics_words (
    room text COLLATE "C" NOT NULL,
    word text COLLATE "C" NOT NULL,
    uses bigint NOT NULL,
    PRIMARY KEY (room, word)
);
CREATE INDEX statistics_words_most_used ON statistics_words (room, uses DESC, word);

-- What later events need to know of a message, and of the last one of a room.
CREATE TABLE statistics_messages (
    room text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    author text COLLATE "C" NOT NULL,
    said timestamptz,
    words text NOT NULL,
    PRIMARY KEY (room, message)
);
CREATE TABLE statistics_rooms (
    room text COLLATE "C" PRIMARY KEY,
    author text COLLATE "C" NOT NULL,
    said timestamptz NOT NULL
);
