-- Keys of people, each for one room, under which what they write there is stored when the room is sealed. They are
-- wrapped by the master key, which is not in the database. A key that is destroyed is a row that is gone: its id stays
-- in the log, in what it sealed.

CREATE TABLE person_keys (
    id text COLLATE "C" PRIMARY KEY,
    room text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (room, "user")
);
CREATE INDEX person_keys_of_user ON person_keys ("user");
CREATE INDEX record_sealing ON record (room, notification_id) WHERE topic = 'room.sealing_changed';
