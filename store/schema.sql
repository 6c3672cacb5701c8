-- SPDX-License-Identifier: MIT
-- mtusweep's database, version 1; schema2.sql makes version 2 out of it. docs/schema.md
-- explains both to their readers.
--
-- Rules: rates are bit/s in tables and Mbit/s (10^6 bit/s) in view results; times are
-- ISO 8601 in UTC ("2026-11-22T12:20:39.123Z"); what is not known is NULL, never 0 or -1.
-- "Server" and "peer" are the two ends of the tunnel; upload is peer to server.
--
-- The ranges are those that store/row.c reads: a value outside of them cannot be. A file
-- may have been made without these checks, so its reader relies on none of them.

PRAGMA application_id = 1297372499; -- 0x4d545553, "MTUS"
PRAGMA user_version = 1;

-- One sweep.
CREATE TABLE run (
	id INTEGER PRIMARY KEY -- in the order in which runs were stored
		CHECK (id BETWEEN 1 AND 9007199254740992),
	uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36), -- the same at both ends
	role TEXT NOT NULL CHECK (role IN (
		'peer',     -- the record: written by the end that measured
		'server')), -- the copy of what the other end was told
	started_at TEXT NOT NULL -- by this host's clock; imported: the log's date
		CHECK (started_at GLOB '[0-9]*-*-*T*:*:*Z'),
	ended_at TEXT -- NULL while it goes on, and after a crash
		CHECK (ended_at GLOB '[0-9]*-*-*T*:*:*Z'),
	outcome TEXT NOT NULL DEFAULT 'running'
		CHECK (outcome IN ('running', 'done', 'interrupted', 'failed')),
	outcome_text TEXT NOT NULL DEFAULT '', -- why it ended, where that needs a word
	strategy TEXT NOT NULL CHECK (length(strategy) <= 15),
	passes INTEGER NOT NULL CHECK (passes BETWEEN 0 AND 2147483647),
	seed TEXT NOT NULL -- as --seed takes it: 64 bits without a sign
		CHECK (length(seed) BETWEEN 1 AND 20),
	duration_ms INTEGER -- one direction's test; NULL: a probe, or imported
		CHECK (duration_ms BETWEEN 0 AND 1000000000000),
	congestion TEXT -- the tests' algorithm; NULL: each end's default
		CHECK (length(congestion) <= 15),
	persist TEXT NOT NULL CHECK (persist IN ('none', 'each', 'best')),
	pairs_planned INTEGER -- visits planned; NULL: by what is measured
		CHECK (pairs_planned BETWEEN 0 AND 2147483647),
	options TEXT, -- the command line's options, a JSON object
	process TEXT -- the writer (base/process.h): tells a crash from a run under way
		CHECK (length(process) <= 159),

	server_host TEXT CHECK (length(server_host) <= 64),
	server_interface TEXT CHECK (length(server_interface) <= 15),
	server_address TEXT CHECK (length(server_address) <= 45), -- inside the tunnel
	server_link_mtu INTEGER -- before the run
		CHECK (server_link_mtu BETWEEN 1 AND 65535),
	server_backend TEXT NOT NULL -- the WireGuard implementation
		CHECK (server_backend IN ('none', 'kernel', 'userspace')),
	server_endpoint_family INTEGER -- the outer packets' IP version
		CHECK (server_endpoint_family IN (4, 6)),
	server_versions TEXT -- program and libraries
		CHECK (length(server_versions) <= 95),
	server_mtu_min INTEGER NOT NULL -- the grid
		CHECK (server_mtu_min BETWEEN 576 AND 65535),
	server_mtu_max INTEGER NOT NULL CHECK (server_mtu_max BETWEEN 576 AND 65535),
	server_mtu_step INTEGER NOT NULL CHECK (server_mtu_step BETWEEN 1 AND 65535),

	peer_host TEXT CHECK (length(peer_host) <= 64),
	peer_interface TEXT CHECK (length(peer_interface) <= 15),
	peer_address TEXT CHECK (length(peer_address) <= 45),
	peer_link_mtu INTEGER CHECK (peer_link_mtu BETWEEN 1 AND 65535),
	peer_backend TEXT NOT NULL
		CHECK (peer_backend IN ('none', 'kernel', 'userspace')),
	peer_endpoint_family INTEGER CHECK (peer_endpoint_family IN (4, 6)),
	peer_versions TEXT CHECK (length(peer_versions) <= 95),
	peer_mtu_min INTEGER NOT NULL CHECK (peer_mtu_min BETWEEN 576 AND 65535),
	peer_mtu_max INTEGER NOT NULL CHECK (peer_mtu_max BETWEEN 576 AND 65535),
	peer_mtu_step INTEGER NOT NULL CHECK (peer_mtu_step BETWEEN 1 AND 65535)
);

-- One visit of one pair of MTUs: a test in each direction. Rows of a pair lie together
-- (WITHOUT ROWID orders them by the primary key), which is what view results reads.
CREATE TABLE measurement (
	run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL -- counts the visits of a run
		CHECK (seq BETWEEN 1 AND 4294967295),
	pass INTEGER NOT NULL CHECK (pass BETWEEN 1 AND 2147483647),
	reference INTEGER NOT NULL DEFAULT 0 CHECK (reference IN (0, 1)), -- part
		-- of the reference series, which detects drift
	server_mtu INTEGER NOT NULL CHECK (server_mtu BETWEEN 576 AND 65535),
	peer_mtu INTEGER NOT NULL CHECK (peer_mtu BETWEEN 576 AND 65535),

	upload_status TEXT NOT NULL CHECK (upload_status IN (
		'ok',
		'blackhole',   -- nothing full-size ever arrived: a result, not an error
		'timeout',     -- data flowed, then stalled, or the deadline came
		'unreachable', -- no answer to the test's connections, or from the other end
		'refused',     -- nobody listened there, or the port was busy
		'error')),     -- anything else; the text says what
	upload_text TEXT NOT NULL CHECK (length(upload_text) <= 119),
	upload_sent_bps INTEGER -- as libiperf reports it, the whole test
		CHECK (upload_sent_bps BETWEEN 0 AND 1000000000000000),
	upload_received_bps INTEGER -- as libiperf reports it, the whole test
		CHECK (upload_received_bps BETWEEN 0 AND 1000000000000000),
	upload_goodput_bps INTEGER -- the steady part alone, slow start excluded
		CHECK (upload_goodput_bps BETWEEN 0 AND 1000000000000000),
	upload_goodput_low_bps INTEGER -- the long-run goodput lies within these two
		CHECK (upload_goodput_low_bps BETWEEN 0 AND 1000000000000000),
	upload_goodput_high_bps INTEGER -- in 19 of 20 tests
		CHECK (upload_goodput_high_bps BETWEEN 0 AND 1000000000000000),
	upload_retransmits INTEGER
		CHECK (upload_retransmits BETWEEN 0 AND 1000000000000000),
	upload_rtt_us INTEGER -- mean, as the end that sent saw it
		CHECK (upload_rtt_us BETWEEN 0 AND 1000000000000000),
	upload_started_at TEXT CHECK (upload_started_at GLOB '[0-9]*-*-*T*:*:*Z'),
	upload_duration_ms INTEGER -- data transfer alone
		CHECK (upload_duration_ms BETWEEN 0 AND 1000000000000),

	download_status TEXT NOT NULL CHECK (download_status IN (
		'ok', 'blackhole', 'timeout', 'unreachable', 'refused', 'error')),
	download_text TEXT NOT NULL CHECK (length(download_text) <= 119),
	download_sent_bps INTEGER
		CHECK (download_sent_bps BETWEEN 0 AND 1000000000000000),
	download_received_bps INTEGER
		CHECK (download_received_bps BETWEEN 0 AND 1000000000000000),
	download_goodput_bps INTEGER
		CHECK (download_goodput_bps BETWEEN 0 AND 1000000000000000),
	download_goodput_low_bps INTEGER
		CHECK (download_goodput_low_bps BETWEEN 0 AND 1000000000000000),
	download_goodput_high_bps INTEGER
		CHECK (download_goodput_high_bps BETWEEN 0 AND 1000000000000000),
	download_retransmits INTEGER
		CHECK (download_retransmits BETWEEN 0 AND 1000000000000000),
	download_rtt_us INTEGER
		CHECK (download_rtt_us BETWEEN 0 AND 1000000000000000),
	download_started_at TEXT CHECK (download_started_at GLOB '[0-9]*-*-*T*:*:*Z'),
	download_duration_ms INTEGER
		CHECK (download_duration_ms BETWEEN 0 AND 1000000000000),

	-- 1: the other end has the row. Used in the peer's database only.
	acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged IN (0, 1)),

	PRIMARY KEY (run_id, server_mtu, peer_mtu, seq),
	UNIQUE (run_id, seq)
) WITHOUT ROWID;

-- Facts that a reader of a run's results must know.
CREATE TABLE warning (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	warned_at TEXT NOT NULL CHECK (warned_at GLOB '[0-9]*-*-*T*:*:*Z'),
	text TEXT NOT NULL,
	UNIQUE (run_id, text)
);

-- The path of a run: the fate of outer packets by size (as sent, IP header included).
CREATE TABLE path (
	run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
	overhead INTEGER NOT NULL -- bytes by which WireGuard makes a packet larger
		CHECK (overhead BETWEEN 0 AND 1000),
	upload_probes INTEGER NOT NULL -- sizes probed; 0: throughput alone told
		CHECK (upload_probes BETWEEN 0 AND 1000000),
	download_probes INTEGER NOT NULL CHECK (download_probes BETWEEN 0 AND 1000000),
	probe_ms INTEGER NOT NULL -- how long the probing took, in vain too; 0: not tried
		CHECK (probe_ms BETWEEN 0 AND 1000000000)
);

-- Its bands: sizes above the next smaller size_max, up to and including this one.
CREATE TABLE path_band (
	run_id INTEGER NOT NULL REFERENCES path (run_id) ON DELETE CASCADE,
	direction TEXT NOT NULL CHECK (direction IN ('upload', 'download')),
	size_max INTEGER NOT NULL CHECK (size_max BETWEEN 1 AND 65535),
	fate TEXT NOT NULL CHECK (fate IN (
		'whole',      -- arrives as it was sent
		'fragmented', -- arrives in fragments
		'lost',
		'unknown')),  -- not found out: somewhere in here is the edge
	PRIMARY KEY (run_id, direction, size_max)
) WITHOUT ROWID;

-- The recommendation of a run.
CREATE TABLE recommendation (
	run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
	server_mtu INTEGER NOT NULL CHECK (server_mtu BETWEEN 576 AND 65535),
	peer_mtu INTEGER NOT NULL CHECK (peer_mtu BETWEEN 576 AND 65535),
	settled INTEGER NOT NULL CHECK (settled IN (0, 1)), -- no rival may still be better
	text TEXT NOT NULL -- the evidence, as it was printed
);

-- A visit with the one figure a direction that counts: the steady goodput where there is
-- one, else the received rate; NULL unless the direction's test is ok.
CREATE VIEW visit AS
SELECT
	run_id, seq, pass, server_mtu, peer_mtu,
	CASE upload_status WHEN 'ok'
		THEN coalesce(upload_goodput_bps, upload_received_bps) END AS upload_bps,
	CASE download_status WHEN 'ok'
		THEN coalesce(download_goodput_bps, download_received_bps)
		END AS download_bps,
	upload_status, download_status,
	CASE upload_status WHEN 'ok'
		THEN download_status ELSE upload_status END AS status
FROM measurement;

-- A pair of a run. The rates are the medians of the visits that are ok in that direction.
-- A direction's status is ok as soon as one of its visits is, else that of the last one;
-- upload_ok and download_ok count the visits that are, for pairs that work now and then.
--
-- No GROUP BY and no window over all rows: every column asks for its own pair's rows. So
-- whatever a query says of run_id or of an MTU, directly or through a join or a subquery,
-- narrows the search in measurement's primary key, and a run's answer does not depend on
-- how many runs there are. The median is the mean of the rows i of n with
-- n <= 2i <= n + 2: the middle one or the middle two.
CREATE VIEW results AS
SELECT
	run_id, server_mtu, peer_mtu, upload_mbps, download_mbps, visits,
	upload_status, download_status,
	CASE upload_status WHEN 'ok'
		THEN download_status ELSE upload_status END AS status,
	upload_ok, download_ok
FROM (
	SELECT
		run_id, server_mtu, peer_mtu,
		(SELECT round(avg(upload_bps) / 1e6, 3) FROM (
			SELECT upload_bps,
				row_number() OVER (ORDER BY upload_bps) AS i,
				count(*) OVER () AS n
			FROM visit AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND upload_bps IS NOT NULL)
			WHERE 2 * i BETWEEN n AND n + 2) AS upload_mbps,
		(SELECT round(avg(download_bps) / 1e6, 3) FROM (
			SELECT download_bps,
				row_number() OVER (ORDER BY download_bps) AS i,
				count(*) OVER () AS n
			FROM visit AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND download_bps IS NOT NULL)
			WHERE 2 * i BETWEEN n AND n + 2) AS download_mbps,
		(SELECT count(*) FROM measurement AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu) AS visits,
		(SELECT upload_status FROM measurement AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
			ORDER BY upload_status <> 'ok', seq DESC LIMIT 1)
			AS upload_status,
		(SELECT download_status FROM measurement AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
			ORDER BY download_status <> 'ok', seq DESC LIMIT 1)
			AS download_status,
		(SELECT count(*) FROM measurement AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND v.upload_status = 'ok') AS upload_ok,
		(SELECT count(*) FROM measurement AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND v.download_status = 'ok') AS download_ok
	FROM measurement AS first
	WHERE seq = (SELECT min(seq) FROM measurement AS v
		WHERE v.run_id = first.run_id
			AND v.server_mtu = first.server_mtu
			AND v.peer_mtu = first.peer_mtu)
);
