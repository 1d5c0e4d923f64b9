-- Text that was removed from the log: for each event that was changed, and for each time that it was, what stood for
-- its state in the chain before and stands for it now, with the salt of what stands there now (see domain/chain.py).

CREATE TABLE redacted_events (
    position bigint NOT NULL,
    part int NOT NULL,
    redaction text COLLATE "C" NOT NULL,
    before bytea NOT NULL,
    after bytea NOT NULL,
    salt bytea NOT NULL,
    PRIMARY KEY (position, part)
);
CREATE INDEX redacted_events_of_redaction ON redacted_events (redaction, position);
