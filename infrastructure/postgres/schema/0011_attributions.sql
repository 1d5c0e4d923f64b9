-- Who wrote each character, as it was folded for a question about a revision: saves reading, means nothing by itself.
-- State is JSON: for each run its length, revision and offset, followed by its origin if it has one.
CREATE TABLE attributions (
    originator_id text NOT NULL,
    revision bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (originator_id, revision)
);
