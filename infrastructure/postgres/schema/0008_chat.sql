-- Chat: what a room asks the log for when its first session comes, and the tables of the projection.

DROP INDEX record_message;
CREATE INDEX record_message ON record (room, notification_id) WHERE kind = 'message' AND originator_version = 1;
CREATE INDEX record_receipts ON record (room, notification_id) WHERE topic = 'receipts.recorded';

-- How far each user has got and read a room's messages: notification ids.
CREATE TABLE chat_pointers (
    room text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    delivered bigint NOT NULL,
    read bigint NOT NULL,
    PRIMARY KEY (room, "user")
);
