-- Times are integers: ms since 1970, UTC. Blobs named *_sealed are encrypted; *_hash are keyed
-- hashes, so that a number can be found and not read.

CREATE TABLE dossier (
    code           TEXT PRIMARY KEY,
    status         INTEGER,
    due_at         INTEGER,
    unit           TEXT NOT NULL,
    procedure      TEXT NOT NULL,
    applicant_hash BLOB,
    agent_hash     BLOB,
    first_seen_at  INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    body_sealed    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX dossier_applicant ON dossier (applicant_hash) WHERE applicant_hash IS NOT NULL;
CREATE INDEX dossier_agent ON dossier (agent_hash) WHERE agent_hash IS NOT NULL;
-- What is due, and what is late: few states are open, and only those grow old.
CREATE INDEX dossier_due ON dossier (status, due_at, code) WHERE due_at IS NOT NULL;

-- How each dossier's promise was kept, as far as the clock has no part in it; written with its
-- dossier, and narrow, since reports read all of it. `verdict`: standing, against the appointed due
-- date, against the first one; a digit each. `month`: of ended_at, 202611; 0 while it has none.
CREATE TABLE promise (
    code         TEXT PRIMARY KEY,
    place        INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    first_due_at INTEGER,
    due_at       INTEGER,
    ended_at     INTEGER,
    month        INTEGER NOT NULL,
    verdict      INTEGER NOT NULL,
    late_days    INTEGER NOT NULL,
    moved        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- A report groups by it without sorting a million rows.
CREATE INDEX promise_place ON promise (place, month, verdict, ended_at, late_days, moved);

-- Unit and procedure together; `place` is derived from what names them.
CREATE TABLE place (
    place          INTEGER PRIMARY KEY,
    tier           TEXT NOT NULL,
    unit           TEXT NOT NULL,
    field          TEXT NOT NULL,
    procedure      TEXT NOT NULL,
    unit_name      TEXT NOT NULL,
    procedure_name TEXT NOT NULL
) STRICT;

-- Every event that was taken, by the identity its source gave it.
CREATE TABLE event (
    source      TEXT NOT NULL,
    id          TEXT NOT NULL,
    code        TEXT NOT NULL,
    type        TEXT NOT NULL,
    time        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body_sealed BLOB NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;

-- A due moment: at most one of each notice, dossier and occasion. The columns of its key come
-- first: in any other order SQLite before 3.41 finds its rows damaged where they are not.
CREATE TABLE moment (
    code    TEXT NOT NULL,
    notice  TEXT NOT NULL,
    episode TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (code, notice, episode)
) STRICT, WITHOUT ROWID;
CREATE INDEX moment_at ON moment (at);

-- What staff were told of: each dossier, or calendar, under each name once a due date or day.
CREATE TABLE told (
    subject TEXT NOT NULL,
    name    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (subject, name, at)
) STRICT, WITHOUT ROWID;

-- The outbox. `key` is the identity of what is said; channel and address belong to the way out.
CREATE TABLE message (
    id             TEXT PRIMARY KEY,
    key            TEXT NOT NULL UNIQUE,
    lane           INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'accepted', 'delivered',
                       'failed', 'unknown', 'expired', 'cancelled', 'superseded')),
    channel        TEXT NOT NULL,
    address_hash   BLOB NOT NULL,
    address_sealed BLOB NOT NULL,
    body_sealed    BLOB NOT NULL,
    locale         TEXT NOT NULL,
    encoding       TEXT NOT NULL,
    units          INTEGER NOT NULL,
    segments       INTEGER NOT NULL,
    notice         TEXT NOT NULL,
    dossier        TEXT,
    episode        TEXT NOT NULL,
    also           TEXT NOT NULL DEFAULT '[]', -- the other dossiers that it speaks of
    broadcast      TEXT,
    created_at     INTEGER NOT NULL,
    not_before     INTEGER NOT NULL,
    best_before    INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    unknowns       INTEGER NOT NULL DEFAULT 0,
    gateway        TEXT NOT NULL DEFAULT '',
    pinned         TEXT NOT NULL DEFAULT '', -- the one gateway that may send it again
    reason         TEXT NOT NULL DEFAULT '',
    rungs          TEXT NOT NULL DEFAULT '[]', -- the channels that it may go over
    rung           INTEGER NOT NULL DEFAULT 0, -- how often it went on to another one
    spent          INTEGER NOT NULL DEFAULT 0, -- how many of its attempts were over earlier ones
    fallen         TEXT NOT NULL DEFAULT '', -- why its channel is over, until the next is chosen
    updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
    message    TEXT NOT NULL,
    number     INTEGER NOT NULL,
    gateway    TEXT NOT NULL,
    owner      TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT NOT NULL DEFAULT '',
    code       TEXT NOT NULL DEFAULT '',
    detail     TEXT NOT NULL DEFAULT '',
    address    TEXT NOT NULL DEFAULT '', -- masked
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

-- What a provider calls an attempt, one row a part; `key:…` where it gave no name.
CREATE TABLE reference (
    gateway TEXT NOT NULL,
    ref     TEXT NOT NULL,
    message TEXT NOT NULL,
    part    INTEGER NOT NULL,
    rung    INTEGER NOT NULL DEFAULT 0,
    status  TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (gateway, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_message ON reference (message);

-- Delivery reports as they came; they may be there before the reference is.
CREATE TABLE receipt (
    gateway TEXT NOT NULL,
    ref     TEXT NOT NULL,
    status  TEXT NOT NULL,
    code    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (gateway, ref, status, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbound (
    gateway     TEXT NOT NULL,
    key         TEXT NOT NULL,
    sender_hash BLOB NOT NULL,
    body_sealed BLOB NOT NULL,
    intent      TEXT NOT NULL,
    codes       TEXT NOT NULL,
    offered     TEXT NOT NULL,
    guesses     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (gateway, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_sender ON inbound (sender_hash, received_at);
CREATE INDEX inbound_guesses ON inbound (sender_hash, received_at, guesses) WHERE guesses > 0;

-- Texts without a code or a keyword, which wait for the rest; times are elapsed ones.
CREATE TABLE fragment (
    gateway     TEXT NOT NULL,
    sender_hash BLOB NOT NULL,
    body_sealed BLOB NOT NULL,
    first_at    INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    PRIMARY KEY (gateway, sender_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX fragment_until ON fragment (until);

-- Codes that were asked for by others than their applicants, by the run that they belong to.
CREATE TABLE guess (
    run  TEXT NOT NULL,
    code TEXT NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (run, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX guess_at ON guess (at);

-- How satisfied an applicant was, once a dossier.
CREATE TABLE rating (
    dossier TEXT PRIMARY KEY,
    score   INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Refusals and their end: rows are closed, never removed, since the law asks for the record.
CREATE TABLE refusal (
    address_hash   BLOB NOT NULL,
    scope          TEXT NOT NULL,
    at             INTEGER NOT NULL,
    address_sealed BLOB NOT NULL,
    proof          TEXT NOT NULL,
    ended_at       INTEGER,
    ended_by       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX refusal_now ON refusal (address_hash, scope) WHERE ended_at IS NULL;

-- Chat accounts and the numbers they proved to be their own; rows are closed, never removed.
CREATE TABLE binding (
    account_hash   BLOB NOT NULL,
    number_hash    BLOB NOT NULL,
    account_sealed BLOB NOT NULL,
    number_sealed  BLOB NOT NULL,
    at             INTEGER NOT NULL,
    proof          TEXT NOT NULL,
    ended_at       INTEGER,
    ended_by       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX binding_now ON binding (account_hash, number_hash) WHERE ended_at IS NULL;
CREATE INDEX binding_number ON binding (number_hash, at) WHERE ended_at IS NULL;

-- Codes that tie a number to an account; each works once. The code itself is not kept.
CREATE TABLE link (
    code_hash     BLOB NOT NULL,
    number_hash   BLOB NOT NULL,
    account_hash  BLOB,
    number_sealed BLOB NOT NULL,
    at            INTEGER NOT NULL,
    until         INTEGER NOT NULL,
    used_at       INTEGER
) STRICT;
CREATE INDEX link_code ON link (code_hash) WHERE used_at IS NULL;
CREATE INDEX link_number ON link (number_hash, at);
CREATE INDEX link_account ON link (account_hash, at) WHERE account_hash IS NOT NULL;

-- Codes that were asked for before their dossier was known.
CREATE TABLE kept (
    code           TEXT NOT NULL,
    account_hash   BLOB NOT NULL,
    account_sealed BLOB NOT NULL,
    language       TEXT NOT NULL,
    until          INTEGER NOT NULL,
    PRIMARY KEY (code, account_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_account ON kept (account_hash);
CREATE INDEX kept_until ON kept (until);

-- What waits for people.
CREATE TABLE work (
    key        TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    dossier    TEXT,
    detail     TEXT NOT NULL,
    opened_at  INTEGER NOT NULL,
    settled_at INTEGER,
    settled_by TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX work_open ON work (opened_at, key) WHERE settled_at IS NULL;
CREATE INDEX work_acted ON work (dossier, settled_at) WHERE settled_at IS NOT NULL AND dossier IS NOT NULL;

CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY,
    door       TEXT NOT NULL,
    key        TEXT NOT NULL,
    reason     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    raw_sealed BLOB NOT NULL,
    settled_at INTEGER,
    settled_by TEXT NOT NULL DEFAULT '',
    fate       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX quarantine_key ON quarantine (door, key) WHERE key <> '';

CREATE TABLE broadcast (
    id           TEXT PRIMARY KEY,
    title        TEXT NOT NULL,
    template     TEXT NOT NULL,
    channel      TEXT NOT NULL,
    keep_accents INTEGER NOT NULL,
    state        TEXT NOT NULL,
    author       TEXT NOT NULL,
    approver     TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    recipients   INTEGER NOT NULL,
    segments     INTEGER NOT NULL,
    refused      INTEGER NOT NULL,
    faults       INTEGER NOT NULL,
    released     INTEGER NOT NULL DEFAULT 0,
    released_row INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE recipient (
    broadcast    TEXT NOT NULL,
    row          INTEGER NOT NULL,
    address_hash BLOB NOT NULL,
    body_sealed  BLOB NOT NULL,
    PRIMARY KEY (broadcast, row)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX recipient_once ON recipient (broadcast, address_hash);

-- Who did what to a broadcast, and when.
CREATE TABLE broadcast_act (
    broadcast TEXT NOT NULL,
    at        INTEGER NOT NULL,
    act       TEXT NOT NULL,
    by        TEXT NOT NULL
) STRICT;

-- How much each gateway may send at once, in millionths of an SMS, and when that was last reckoned;
-- and who was written to within the shortest gap that the gateway's provider asks for.
CREATE TABLE rate (
    name  TEXT PRIMARY KEY,
    level INTEGER NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE spoken (
    gateway      TEXT NOT NULL,
    address_hash BLOB NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (gateway, address_hash)
) STRICT, WITHOUT ROWID;

-- Signed apologies: one a delay that is not dropped, and one signed a dossier (NĐ 61/2018 art 19(9)).
CREATE TABLE apology (
    id          TEXT PRIMARY KEY,
    dossier     TEXT NOT NULL,
    due_at      INTEGER NOT NULL,
    new_due_at  INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('drafted', 'approved', 'sent', 'returned',
                    'rejected', 'withdrawn')),
    late        INTEGER NOT NULL,
    author      TEXT NOT NULL,
    approver    TEXT NOT NULL,
    document    TEXT NOT NULL, -- its number
    created_at  INTEGER NOT NULL,
    signed_at   INTEGER,
    body_sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX apology_once ON apology (dossier, due_at)
    WHERE state NOT IN ('rejected', 'withdrawn');
CREATE UNIQUE INDEX apology_signed_once ON apology (dossier)
    WHERE state IN ('approved', 'sent', 'returned');
CREATE INDEX apology_state ON apology (state, id);
CREATE INDEX apology_dossier ON apology (dossier, id);

-- Who did what to an apology, and when.
CREATE TABLE apology_act (
    apology TEXT NOT NULL,
    at      INTEGER NOT NULL,
    act     TEXT NOT NULL,
    by      TEXT NOT NULL,
    note    TEXT NOT NULL
) STRICT;
CREATE INDEX apology_act_of ON apology_act (apology, at);

-- What the source is to be told of; the row stays once it was.
CREATE TABLE apology_return (
    apology  TEXT PRIMARY KEY,
    at       INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error    TEXT NOT NULL DEFAULT '',
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX apology_return_at ON apology_return (at) WHERE ended_at IS NULL;

CREATE TABLE lease (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
