-- Times are integers: ms since 1970, UTC. Columns named *_sealed are encrypted; *_hash are keyed
-- hashes, so that a number can be found and not read. Texts are ordered by their bytes, whatever
-- the database's own order is: what is listed in pages comes in one order on every server.

CREATE TABLE dossier (
    code           TEXT COLLATE "C" PRIMARY KEY,
    status         BIGINT,
    due_at         BIGINT,
    unit           TEXT COLLATE "C" NOT NULL,
    procedure      TEXT COLLATE "C" NOT NULL,
    applicant_hash BYTEA,
    agent_hash     BYTEA,
    first_seen_at  BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    body_sealed    BYTEA NOT NULL
);
CREATE INDEX dossier_applicant ON dossier (applicant_hash) WHERE applicant_hash IS NOT NULL;
CREATE INDEX dossier_agent ON dossier (agent_hash) WHERE agent_hash IS NOT NULL;
-- What is due, and what is late: few states are open, and only those grow old.
CREATE INDEX dossier_due ON dossier (status, due_at, code) WHERE due_at IS NOT NULL;

-- How each dossier's promise was kept, as far as the clock has no part in it; written with its
-- dossier, and narrow, since reports read all of it. `verdict`: standing, against the appointed due
-- date, against the first one; a digit each. `month`: of ended_at, 202611; 0 while it has none.
CREATE TABLE promise (
    code         TEXT COLLATE "C" PRIMARY KEY,
    place        BIGINT NOT NULL,
    received_at  BIGINT NOT NULL,
    first_due_at BIGINT,
    due_at       BIGINT,
    ended_at     BIGINT,
    month        BIGINT NOT NULL,
    verdict      BIGINT NOT NULL,
    late_days    BIGINT NOT NULL,
    moved        BIGINT NOT NULL
);
-- A report groups by it without sorting a million rows.
CREATE INDEX promise_place ON promise (place, month, verdict, ended_at, late_days, moved);

-- Unit and procedure together; `place` is derived from what names them.
CREATE TABLE place (
    place          BIGINT PRIMARY KEY,
    tier           TEXT COLLATE "C" NOT NULL,
    unit           TEXT COLLATE "C" NOT NULL,
    field          TEXT COLLATE "C" NOT NULL,
    procedure      TEXT COLLATE "C" NOT NULL,
    unit_name      TEXT COLLATE "C" NOT NULL,
    procedure_name TEXT COLLATE "C" NOT NULL
);

-- Every event that was taken, by the identity its source gave it.
CREATE TABLE event (
    source      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    code        TEXT COLLATE "C" NOT NULL,
    type        TEXT COLLATE "C" NOT NULL,
    time        BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body_sealed BYTEA NOT NULL,
    PRIMARY KEY (source, id)
);

-- A due moment: at most one of each notice, dossier and occasion.
CREATE TABLE moment (
    code    TEXT COLLATE "C" NOT NULL,
    notice  TEXT COLLATE "C" NOT NULL,
    episode TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (code, notice, episode)
);
CREATE INDEX moment_at ON moment (at);

-- What staff were told of: each dossier, or calendar, under each name once a due date or day.
CREATE TABLE told (
    subject TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (subject, name, at)
);

-- The outbox. `key` is the identity of what is said; channel and address belong to the way out.
CREATE TABLE message (
    id             TEXT COLLATE "C" PRIMARY KEY,
    key            TEXT COLLATE "C" NOT NULL UNIQUE,
    lane           BIGINT NOT NULL,
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sending',
                       'accepted', 'delivered', 'failed', 'unknown', 'expired', 'cancelled',
                       'superseded')),
    channel        TEXT COLLATE "C" NOT NULL,
    address_hash   BYTEA NOT NULL,
    address_sealed BYTEA NOT NULL,
    body_sealed    BYTEA NOT NULL,
    locale         TEXT COLLATE "C" NOT NULL,
    encoding       TEXT COLLATE "C" NOT NULL,
    units          BIGINT NOT NULL,
    segments       BIGINT NOT NULL,
    notice         TEXT COLLATE "C" NOT NULL,
    dossier        TEXT COLLATE "C",
    episode        TEXT COLLATE "C" NOT NULL,
    also           TEXT COLLATE "C" NOT NULL DEFAULT '[]', -- the other dossiers that it speaks of
    broadcast      TEXT COLLATE "C",
    created_at     BIGINT NOT NULL,
    not_before     BIGINT NOT NULL,
    best_before    BIGINT NOT NULL,
    attempts       BIGINT NOT NULL DEFAULT 0,
    unknowns       BIGINT NOT NULL DEFAULT 0,
    gateway        TEXT COLLATE "C" NOT NULL DEFAULT '',
    pinned         TEXT COLLATE "C" NOT NULL DEFAULT '', -- the one gateway that may send it again
    reason         TEXT COLLATE "C" NOT NULL DEFAULT '',
    rungs          TEXT COLLATE "C" NOT NULL DEFAULT '[]', -- the channels that it may go over
    rung           BIGINT NOT NULL DEFAULT 0, -- how often it went on to another one
    spent          BIGINT NOT NULL DEFAULT 0, -- how many of its attempts were over earlier ones
    fallen         TEXT COLLATE "C" NOT NULL DEFAULT '', -- why its channel is over, until the next is chosen
    updated_at     BIGINT NOT NULL
);
CREATE INDEX message_queued ON message (channel, lane, not_before, id) WHERE state = 'queued';
CREATE INDEX message_pinned ON message (pinned, channel, lane, not_before, id)
    WHERE state = 'queued' AND pinned <> '';
CREATE INDEX message_fallen ON message (id) WHERE fallen <> '';
CREATE INDEX message_open ON message (state, updated_at) WHERE state IN ('sending', 'unknown');
CREATE INDEX message_dossier ON message (dossier, id) WHERE dossier IS NOT NULL;
CREATE INDEX message_broadcast ON message (broadcast, state) WHERE broadcast IS NOT NULL;
-- What left for an address, or may have, and is capped: notices and bulk messages.
CREATE INDEX message_left ON message (address_hash, updated_at)
    WHERE lane >= 2 AND state IN ('sending', 'accepted', 'delivered', 'unknown');

-- The journal: a row stands here, committed, before the first byte of its attempt leaves.
CREATE TABLE attempt (
    message    TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    gateway    TEXT COLLATE "C" NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT,
    outcome    TEXT COLLATE "C" NOT NULL DEFAULT '',
    code       TEXT COLLATE "C" NOT NULL DEFAULT '',
    detail     TEXT COLLATE "C" NOT NULL DEFAULT '',
    address    TEXT COLLATE "C" NOT NULL DEFAULT '', -- masked
    PRIMARY KEY (message, number)
);

-- What a provider calls an attempt, one row a part; `key:…` where it gave no name.
CREATE TABLE reference (
    gateway TEXT COLLATE "C" NOT NULL,
    ref     TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    part    BIGINT NOT NULL,
    rung    BIGINT NOT NULL DEFAULT 0,
    status  TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (gateway, ref)
);
CREATE INDEX reference_message ON reference (message);

-- Delivery reports as they came; they may be there before the reference is.
CREATE TABLE receipt (
    gateway TEXT COLLATE "C" NOT NULL,
    ref     TEXT COLLATE "C" NOT NULL,
    status  TEXT COLLATE "C" NOT NULL,
    code    TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (gateway, ref, status, code)
);

CREATE TABLE inbound (
    gateway     TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    sender_hash BYTEA NOT NULL,
    body_sealed BYTEA NOT NULL,
    intent      TEXT COLLATE "C" NOT NULL,
    codes       TEXT COLLATE "C" NOT NULL,
    offered     TEXT COLLATE "C" NOT NULL,
    guesses     BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (gateway, key)
);
CREATE INDEX inbound_sender ON inbound (sender_hash, received_at);
CREATE INDEX inbound_guesses ON inbound (sender_hash, received_at, guesses) WHERE guesses > 0;

-- Texts without a code or a keyword, which wait for the rest; times are elapsed ones.
CREATE TABLE fragment (
    gateway     TEXT COLLATE "C" NOT NULL,
    sender_hash BYTEA NOT NULL,
    body_sealed BYTEA NOT NULL,
    first_at    BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    PRIMARY KEY (gateway, sender_hash)
);
CREATE INDEX fragment_until ON fragment (until);

-- Codes that were asked for by others than their applicants, by the run that they belong to.
CREATE TABLE guess (
    run  TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (run, code)
);
CREATE INDEX guess_at ON guess (at);

-- How satisfied an applicant was, once a dossier.
CREATE TABLE rating (
    dossier TEXT COLLATE "C" PRIMARY KEY,
    score   BIGINT NOT NULL,
    at      BIGINT NOT NULL
);

-- Refusals and their end: rows are closed, never removed, since the law asks for the record.
CREATE TABLE refusal (
    address_hash   BYTEA NOT NULL,
    scope          TEXT COLLATE "C" NOT NULL,
    at             BIGINT NOT NULL,
    address_sealed BYTEA NOT NULL,
    proof          TEXT COLLATE "C" NOT NULL,
    ended_at       BIGINT,
    ended_by       TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX refusal_now ON refusal (address_hash, scope) WHERE ended_at IS NULL;

-- Chat accounts and the numbers they proved to be their own; rows are closed, never removed.
CREATE TABLE binding (
    account_hash   BYTEA NOT NULL,
    number_hash    BYTEA NOT NULL,
    account_sealed BYTEA NOT NULL,
    number_sealed  BYTEA NOT NULL,
    at             BIGINT NOT NULL,
    proof          TEXT COLLATE "C" NOT NULL,
    ended_at       BIGINT,
    ended_by       TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX binding_now ON binding (account_hash, number_hash) WHERE ended_at IS NULL;
CREATE INDEX binding_number ON binding (number_hash, at) WHERE ended_at IS NULL;

-- Codes that tie a number to an account; each works once. The code itself is not kept.
CREATE TABLE link (
    code_hash     BYTEA NOT NULL,
    number_hash   BYTEA NOT NULL,
    account_hash  BYTEA,
    number_sealed BYTEA NOT NULL,
    at            BIGINT NOT NULL,
    until         BIGINT NOT NULL,
    used_at       BIGINT
);
CREATE INDEX link_code ON link (code_hash) WHERE used_at IS NULL;
CREATE INDEX link_number ON link (number_hash, at);
CREATE INDEX link_account ON link (account_hash, at) WHERE account_hash IS NOT NULL;

-- Codes that were asked for before their dossier was known.
CREATE TABLE kept (
    code           TEXT COLLATE "C" NOT NULL,
    account_hash   BYTEA NOT NULL,
    account_sealed BYTEA NOT NULL,
    language       TEXT COLLATE "C" NOT NULL,
    until          BIGINT NOT NULL,
    PRIMARY KEY (code, account_hash)
);
CREATE INDEX kept_account ON kept (account_hash);
CREATE INDEX kept_until ON kept (until);

-- What waits for people.
CREATE TABLE work (
    key        TEXT COLLATE "C" PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    dossier    TEXT COLLATE "C",
    detail     TEXT COLLATE "C" NOT NULL,
    opened_at  BIGINT NOT NULL,
    settled_at BIGINT,
    settled_by TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX work_open ON work (opened_at, key) WHERE settled_at IS NULL;
CREATE INDEX work_acted ON work (dossier, settled_at) WHERE settled_at IS NOT NULL AND dossier IS NOT NULL;

CREATE TABLE quarantine (
    id         BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    door       TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    raw_sealed BYTEA NOT NULL,
    settled_at BIGINT,
    settled_by TEXT COLLATE "C" NOT NULL DEFAULT '',
    fate       TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX quarantine_key ON quarantine (door, key) WHERE key <> '';

CREATE TABLE broadcast (
    id           TEXT COLLATE "C" PRIMARY KEY,
    title        TEXT COLLATE "C" NOT NULL,
    template     TEXT COLLATE "C" NOT NULL,
    channel      TEXT COLLATE "C" NOT NULL,
    keep_accents BIGINT NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    author       TEXT COLLATE "C" NOT NULL,
    approver     TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    recipients   BIGINT NOT NULL,
    segments     BIGINT NOT NULL,
    refused      BIGINT NOT NULL,
    faults       BIGINT NOT NULL,
    released     BIGINT NOT NULL DEFAULT 0,
    released_row BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE recipient (
    broadcast    TEXT COLLATE "C" NOT NULL,
    row          BIGINT NOT NULL,
    address_hash BYTEA NOT NULL,
    body_sealed  BYTEA NOT NULL,
    PRIMARY KEY (broadcast, row)
);
CREATE UNIQUE INDEX recipient_once ON recipient (broadcast, address_hash);

-- Who did what to a broadcast, and when.
CREATE TABLE broadcast_act (
    broadcast TEXT COLLATE "C" NOT NULL,
    at        BIGINT NOT NULL,
    act       TEXT COLLATE "C" NOT NULL,
    by        TEXT COLLATE "C" NOT NULL
);

-- How much each gateway may send at once, in millionths of an SMS, and when that was last reckoned;
-- and who was written to within the shortest gap that the gateway's provider asks for.
CREATE TABLE rate (
    name  TEXT COLLATE "C" PRIMARY KEY,
    level BIGINT NOT NULL,
    at    BIGINT NOT NULL
);
CREATE TABLE spoken (
    gateway      TEXT COLLATE "C" NOT NULL,
    address_hash BYTEA NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (gateway, address_hash)
);

-- Signed apologies: one a delay that is not dropped, and one signed a dossier (NĐ 61/2018 art 19(9)).
CREATE TABLE apology (
    id          TEXT COLLATE "C" PRIMARY KEY,
    dossier     TEXT COLLATE "C" NOT NULL,
    due_at      BIGINT NOT NULL,
    new_due_at  BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('drafted', 'approved', 'sent', 'returned',
                    'rejected', 'withdrawn')),
    late        BIGINT NOT NULL,
    author      TEXT COLLATE "C" NOT NULL,
    approver    TEXT COLLATE "C" NOT NULL,
    document    TEXT COLLATE "C" NOT NULL, -- its number
    created_at  BIGINT NOT NULL,
    signed_at   BIGINT,
    body_sealed BYTEA NOT NULL
);
CREATE UNIQUE INDEX apology_once ON apology (dossier, due_at)
    WHERE state NOT IN ('rejected', 'withdrawn');
CREATE UNIQUE INDEX apology_signed_once ON apology (dossier)
    WHERE state IN ('approved', 'sent', 'returned');
CREATE INDEX apology_state ON apology (state, id);
CREATE INDEX apology_dossier ON apology (dossier, id);

-- Who did what to an apology, and when.
CREATE TABLE apology_act (
    apology TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    act     TEXT COLLATE "C" NOT NULL,
    by      TEXT COLLATE "C" NOT NULL,
    note    TEXT COLLATE "C" NOT NULL
);
CREATE INDEX apology_act_of ON apology_act (apology, at);

-- What the source is to be told of; the row stays once it was.
CREATE TABLE apology_return (
    apology  TEXT COLLATE "C" PRIMARY KEY,
    at       BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    error    TEXT COLLATE "C" NOT NULL DEFAULT '',
    ended_at BIGINT
);
CREATE INDEX apology_return_at ON apology_return (at) WHERE ended_at IS NULL;

CREATE TABLE lease (
    name  TEXT COLLATE "C" PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL
);

-- Who dispatches. A process that does not renew its row before `until`, by this server's clock, is
-- dead.
CREATE TABLE process (
    owner TEXT COLLATE "C" PRIMARY KEY,
    until BIGINT NOT NULL
);

CREATE TABLE store_version (version BIGINT NOT NULL);
INSERT INTO store_version VALUES (1);
