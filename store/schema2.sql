-- SPDX-License-Identifier: MIT
-- Version 2 out of version 1: the reason of a recommendation as facts. The tables of
-- version 1 stay as they are: the file may be anybody's, so nothing of its own schema is
-- rewritten, and a file that has a 'reason' already is refused as a whole.

-- Why a run recommends its pair. A row for each row of recommendation.
CREATE TABLE reason (
	run_id INTEGER PRIMARY KEY REFERENCES recommendation (run_id) ON DELETE CASCADE,
	kind TEXT NOT NULL CHECK (kind IN ( -- base/reason.h has the sentences
		'nothing',  -- no pair works both ways
		'fits',     -- the largest that fits whole
		'faster',   -- fits too, and is faster than the largest that fits
		'arrives',  -- the largest at which data arrives undiminished
		'measured', -- nothing is known to fit: the fastest
		'told',     -- the other end says so
		'text')),   -- written by version 1: recommendation.text alone says it
	margin INTEGER NOT NULL -- percent by which a rival may be faster when settled
		CHECK (margin BETWEEN 0 AND 100),
	visits INTEGER NOT NULL CHECK (visits BETWEEN 0 AND 2147483647),
	rival_server_mtu INTEGER -- the pair that may be faster yet; NULL: none
		CHECK (rival_server_mtu BETWEEN 576 AND 65535),
	rival_peer_mtu INTEGER CHECK (rival_peer_mtu BETWEEN 576 AND 65535)
);

INSERT INTO reason (run_id, kind, margin, visits)
	SELECT run_id, 'text', 0, 0 FROM recommendation;

PRAGMA user_version = 2;
