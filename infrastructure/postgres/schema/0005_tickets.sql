-- Tickets: each opens one socket, once, within seconds. No log and no events: a ticket is gone when it has been
-- used, and nothing of it is worth keeping.
-- Unlogged: a crash of Postgres empties the table, so that no ticket can come back after it was redeemed, and
-- neither issuing nor redeeming waits for a disk. Who held one asks for another.

CREATE UNLOGGED TABLE tickets (
    -- SHA-256 of the ticket: who reads the table, or a copy of it, can open nothing.
    digest bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    -- Where it must be shown: the page's origin (null: no page) and the class of program.
    origin text,
    agent text NOT NULL,
    -- Whose it is, as the token said.
    user_name text NOT NULL,
    name text,
    is_admin boolean NOT NULL,
    token_issued_at timestamptz NOT NULL,
    token_expires_at timestamptz NOT NULL
);
CREATE INDEX tickets_of_user ON tickets (user_name);
