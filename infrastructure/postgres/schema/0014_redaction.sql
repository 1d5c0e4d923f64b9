-- Text that was removed from the log: for each event that was changed, and for each time that it was, what stood for
-- its state in the chain before and stands for it now, with the salt of what stands there now (see domain/chain.py).
-- The salt of what does not stand there any more is overwritten with zeros.

CREATE TABLE redacted_events (
    position bigint NOT NULL,
    part bigint NOT NULL,
    redaction text COLLATE "C" NOT NULL,
    before bytea NOT NULL,
    after bytea NOT NULL,
    salt bytea NOT NULL,
    PRIMARY KEY (position, part)
);
CREATE INDEX redacted_events_of_redaction ON redacted_events (redaction, position);

CREATE INDEX record_redactions ON record (room, notification_id) WHERE topic = 'redaction.made';

-- Who has not heard of the redaction at this position still has the text that it removed in memory: a snapshot of the
-- stream is kept only from those who have.
CREATE TABLE redacted_streams (
    stream text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);

-- The only change of the log that is let through: of a state, by a redaction that says so in the same transaction.
CREATE FUNCTION refuse_all_but_redaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND coalesce(current_setting('chronoscribe.redaction', true), '') <> '' THEN
        IF TG_TABLE_NAME = 'record' AND (
            NEW.originator_id, NEW.originator_version, NEW.topic, NEW.notification_id, NEW.actor, NEW.at, NEW.client,
            NEW.seq) IS NOT DISTINCT FROM (
            OLD.originator_id, OLD.originator_version, OLD.topic, OLD.notification_id, OLD.actor, OLD.at, OLD.client,
            OLD.seq)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% on % is refused: the log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION refuse_all_but_forgotten_salts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND coalesce(current_setting('chronoscribe.redaction', true), '') <> ''
       AND (NEW.first, NEW.events, NEW.at, NEW.digests, NEW.link) IS NOT DISTINCT FROM
           (OLD.first, OLD.events, OLD.at, OLD.digests, OLD.link)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: the log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION require_redaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM record WHERE originator_id = current_setting('chronoscribe.redaction', true)
        AND topic = 'redaction.made' AND xmin = pg_current_xact_id()::xid)
    THEN
        RAISE EXCEPTION 'a redaction has to say what it does' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER append_only ON record;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON record
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_redaction();
ALTER TABLE record ENABLE ALWAYS TRIGGER append_only;
DROP TRIGGER append_only ON record_chain;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON record_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_forgotten_salts();
ALTER TABLE record_chain ENABLE ALWAYS TRIGGER append_only;
CREATE CONSTRAINT TRIGGER redaction_is_told AFTER UPDATE ON record DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION require_redaction();
ALTER TABLE record ENABLE ALWAYS TRIGGER redaction_is_told;
