-- Events that a projection could not take in: it went on without them. Which, and why; a rebuild tries them again.

CREATE TABLE parked (
    projection text NOT NULL,
    position bigint NOT NULL,
    stream text NOT NULL,
    version bigint NOT NULL,
    topic text NOT NULL,
    error text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, position)
);
