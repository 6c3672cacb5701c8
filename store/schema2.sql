-- SPDX-License-Identifier: MIT
-- Version 2 out of version 1: reasons and warnings as facts. The tables of version 1 stay
-- as they are: the file may be anybody's, so nothing of its own schema is rewritten, and a
-- file that has a table of one of these names already is refused as a whole. Version 2
-- writes no row of 'warning' and no recommendation.text.

-- Why a run recommends its pair. A row for each row of recommendation.
CREATE TABLE reason (
	run_id INTEGER PRIMARY KEY REFERENCES recommendation (run_id) ON DELETE CASCADE,
	kind TEXT NOT NULL CHECK (kind IN ( -- base/reason.h has the sentences
		'nothing',  -- no pair works both ways
		'fits',     -- the largest that fits whole
		'faster',   -- fits too, and is faster than the largest that fits
		'relayed',  -- the largest that arrives; outer packets are not all seen
		'arrives',  -- the largest at which data arrives undiminished
		'measured', -- nothing is known to fit: the fastest
		'unsent',   -- the same, and no test sent packets as large as its MTUs
		'in_fragments', -- none fits: the smallest, which arrives in fragments
		'none_arrives', -- none fits, and none arrives
		'own_whole',    -- one end alone: its largest that arrives whole
		'own_arrives',  -- the same, whole or in fragments
		'own_assumed',  -- the same; upload is fragmented as download is
		'own_none',     -- none of its MTUs is known to fit
		'text')),   -- written by version 1: recommendation.text alone says it
	status TEXT -- NULL: written by version 1
		CHECK (status IN (
			'predicted',     -- by probes; the pair is not shown to work
			'confirmed',     -- the pair was measured: it works both ways
			'contradicted')), -- measurements contradict the probes
	margin INTEGER NOT NULL -- percent by which a rival may be faster when settled
		CHECK (margin BETWEEN 0 AND 100),
	visits INTEGER NOT NULL CHECK (visits BETWEEN 0 AND 2147483647),
	rival_server_mtu INTEGER -- the pair that may be faster yet; NULL: none
		CHECK (rival_server_mtu BETWEEN 576 AND 65535),
	rival_peer_mtu INTEGER CHECK (rival_peer_mtu BETWEEN 576 AND 65535),
	upload_bps INTEGER -- the recommended pair's rate; NULL: not measured
		CHECK (upload_bps BETWEEN 0 AND 1000000000000000),
	upload_low_bps INTEGER -- it lies within these two, in 19 of 20 runs
		CHECK (upload_low_bps BETWEEN 0 AND 1000000000000000),
	upload_high_bps INTEGER
		CHECK (upload_high_bps BETWEEN 0 AND 1000000000000000),
	upload_current_bps INTEGER -- the rate of the pair before the run
		CHECK (upload_current_bps BETWEEN 0 AND 1000000000000000),
	upload_ratio_permille INTEGER -- the pair's rate in permille of this; or NULL
		CHECK (upload_ratio_permille BETWEEN 0 AND 1000000000),
	upload_ratio_low_permille INTEGER
		CHECK (upload_ratio_low_permille BETWEEN 0 AND 1000000000),
	upload_ratio_high_permille INTEGER
		CHECK (upload_ratio_high_permille BETWEEN 0 AND 1000000000),
	upload_guessed INTEGER NOT NULL DEFAULT 0 -- 1: bands of reason_band
		CHECK (upload_guessed IN (0, 1)),
	download_bps INTEGER
		CHECK (download_bps BETWEEN 0 AND 1000000000000000),
	download_low_bps INTEGER
		CHECK (download_low_bps BETWEEN 0 AND 1000000000000000),
	download_high_bps INTEGER
		CHECK (download_high_bps BETWEEN 0 AND 1000000000000000),
	download_current_bps INTEGER
		CHECK (download_current_bps BETWEEN 0 AND 1000000000000000),
	download_ratio_permille INTEGER
		CHECK (download_ratio_permille BETWEEN 0 AND 1000000000),
	download_ratio_low_permille INTEGER
		CHECK (download_ratio_low_permille BETWEEN 0 AND 1000000000),
	download_ratio_high_permille INTEGER
		CHECK (download_ratio_high_permille BETWEEN 0 AND 1000000000),
	download_guessed INTEGER NOT NULL DEFAULT 0
		CHECK (download_guessed IN (0, 1))
);

-- The bands of a direction that was not probed, or whose probes measurements contradict:
-- they are told from throughput. Columns as those of path_band.
CREATE TABLE reason_band (
	run_id INTEGER NOT NULL REFERENCES reason (run_id) ON DELETE CASCADE,
	direction TEXT NOT NULL CHECK (direction IN ('upload', 'download')),
	size_max INTEGER NOT NULL CHECK (size_max BETWEEN 1 AND 65535),
	fate TEXT NOT NULL CHECK (fate IN ('whole', 'fragmented', 'lost', 'unknown')),
	PRIMARY KEY (run_id, direction, size_max)
) WITHOUT ROWID;

INSERT INTO reason (run_id, kind, margin, visits)
	SELECT run_id, 'text', 0, 0 FROM recommendation;

-- Warnings for the reader of a run, in the order in which they came. A kind uses the
-- columns that its sentence in base/warning.h names; the others are NULL.
CREATE TABLE run_warning (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	about TEXT NOT NULL -- the run, or its recommendation alone
		CHECK (about IN ('run', 'recommendation')),
	warned_at TEXT NOT NULL CHECK (warned_at GLOB '[0-9]*-*-*T*:*:*Z'),
	kind TEXT NOT NULL CHECK (kind IN (
		'text',                -- written by version 1: detail alone says it
		'route_mtu',           -- the route to detail has an mtu of its own
		'advmss',              -- the same, an advmss of value
		'mtu_probing',         -- tcp_mtu_probing is value
		'mtu_probing_late',    -- the same, after a loss
		'ssthresh_kept',       -- tcp_no_ssthresh_metrics_save is value
		'path_mtu_cached',     -- path MTUs in the cache stayed: detail
		'short_tests',         -- duration_ms is short; value seconds are better
		'line_down',           -- each test of the pair had an outage
		'grid_drift',          -- rate_percent, by the measurements of the pair
		'fragmented',          -- the applied pair is, the other one is not
		'nothing_fits',        -- the same, and there is no such pair
		'sometimes',           -- value percent of these sizes arrived
		'imported',            -- from the file detail
		'moved',               -- at_end's endpoint, from and to: detail
		'moved_mixed',         -- the same; both paths are measured
		'changed',             -- a fate, from and to: detail
		'hub_routes',          -- at_end has value peers; routes get the MTU
		'hub_link',            -- at_end has value peers; the link gets it
		'left_out',            -- never stored: value rows are too many
		'relayed',             -- a relay on at_end's host hides packets
		'unseen',              -- at_end does not see its outer packets
		'tcp_lost',            -- the current pair's TCP of size_max bytes
		'mss_protects',        -- its UDP of size_min to size_max is lost
		'others_lost',         -- the same, no MSS in the way
		'clamp_protects',      -- the same, by a lowered MSS
		'clamped',             -- the MSS is lowered: TCP sent size_max at most
		'unreached',           -- value measurements had no connection
		'contradicted',        -- its rates contradict the probes
		'contradicted_once',   -- the same, not confirmed
		'unanswered',          -- no probe got an answer
		'not_probed',          -- the path was not probed
		'noisy',               -- rates cannot tell pairs apart
		'drift',               -- rate_percent, by the reference series
		'latency',             -- rtt_ms under load; the other pair has value ms
		'mss',                 -- clamp routed TCP's MSS to mtu less headers
		'below_minimum',       -- the other pair fits, without IPv6 inside
		'below_range',         -- the other pair fits, and is not allowed
		'roam',                -- over IPv6 only the other pair fits
		'roam_perhaps',        -- the pair might not fit
		'incomplete')),        -- the copy lacks a part of the evidence
	at_end TEXT CHECK (at_end IN ('server', 'peer')), -- whose host it is about
	direction TEXT CHECK (direction IN ('upload', 'download')),
	server_mtu INTEGER CHECK (server_mtu BETWEEN 576 AND 65535), -- the pair
	peer_mtu INTEGER CHECK (peer_mtu BETWEEN 576 AND 65535),
	other_server_mtu INTEGER -- a pair without the fault
		CHECK (other_server_mtu BETWEEN 576 AND 65535),
	other_peer_mtu INTEGER CHECK (other_peer_mtu BETWEEN 576 AND 65535),
	mtu INTEGER CHECK (mtu BETWEEN 1 AND 65535),
	size_min INTEGER CHECK (size_min BETWEEN 1 AND 65535), -- packets, in bytes
	size_max INTEGER CHECK (size_max BETWEEN 1 AND 66535),
	rate_percent INTEGER -- the rate at the end, in percent of that at the beginning
		CHECK (rate_percent BETWEEN 0 AND 1000000),
	duration_ms INTEGER CHECK (duration_ms BETWEEN 0 AND 1000000000),
	rtt_ms INTEGER CHECK (rtt_ms BETWEEN 0 AND 1000000000),
	value INTEGER -- a setting; mss_protects, others_lost: 1 if all between are lost
		CHECK (value BETWEEN 0 AND 1000000000),
	detail TEXT -- an address, a file, or another program's words
);
CREATE INDEX run_warning_of ON run_warning (run_id);

INSERT INTO run_warning (run_id, about, warned_at, kind, detail)
	SELECT run_id, 'run', warned_at, 'text', text FROM warning ORDER BY id;

-- Facts about each direction of a path. A row for each row of path, whose `overhead`
-- is version 1's: one for both directions.
CREATE TABLE path_detail (
	run_id INTEGER PRIMARY KEY REFERENCES path (run_id) ON DELETE CASCADE,
	upload_overhead INTEGER NOT NULL -- bytes that the peer's WireGuard adds
		CHECK (upload_overhead BETWEEN 0 AND 1000),
	download_overhead INTEGER NOT NULL -- bytes that the server's WireGuard adds
		CHECK (download_overhead BETWEEN 0 AND 1000),
	upload_relayed INTEGER NOT NULL -- 1: the peer's endpoint is on its own host
		CHECK (upload_relayed IN (0, 1)),
	download_relayed INTEGER NOT NULL -- 1: the server's endpoint is on its own host
		CHECK (download_relayed IN (0, 1)),
	upload_unseen INTEGER NOT NULL -- 1: the server does not see its outer packets
		CHECK (upload_unseen IN (0, 1)),
	download_unseen INTEGER NOT NULL -- 1: the peer does not see its outer packets
		CHECK (download_unseen IN (0, 1)),
	since_seq INTEGER NOT NULL -- measurements up to this one had another path; 0: none
		CHECK (since_seq BETWEEN 0 AND 4294967295)
);

INSERT INTO path_detail
	SELECT run_id, overhead, overhead, 0, 0, 0, 0, 0 FROM path;

-- More figures of measurements. A row for each row of measurement that version 2 wrote.
CREATE TABLE measurement_detail (
	run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL CHECK (seq BETWEEN 1 AND 4294967295),
	upload_packet_bytes INTEGER -- IP packet of a full TCP segment, inside the tunnel
		CHECK (upload_packet_bytes BETWEEN 0 AND 65535),
	upload_latency_idle_us INTEGER -- round trip of echoes before the test, median
		CHECK (upload_latency_idle_us BETWEEN 0 AND 3600000000),
	upload_latency_us INTEGER -- round trip of the data, median
		CHECK (upload_latency_us BETWEEN 0 AND 3600000000),
	upload_latency_p95_us INTEGER -- its 95th percentile
		CHECK (upload_latency_p95_us BETWEEN 0 AND 3600000000),
	upload_latency_idle_p95_us INTEGER -- the 95th percentile of those echoes
		CHECK (upload_latency_idle_p95_us BETWEEN 0 AND 3600000000),
	download_packet_bytes INTEGER
		CHECK (download_packet_bytes BETWEEN 0 AND 65535),
	download_latency_idle_us INTEGER
		CHECK (download_latency_idle_us BETWEEN 0 AND 3600000000),
	download_latency_us INTEGER
		CHECK (download_latency_us BETWEEN 0 AND 3600000000),
	download_latency_p95_us INTEGER
		CHECK (download_latency_p95_us BETWEEN 0 AND 3600000000),
	download_latency_idle_p95_us INTEGER
		CHECK (download_latency_idle_p95_us BETWEEN 0 AND 3600000000),
	PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;

-- The facts of a run with one end alone, whose far end has no mtusweep. A row for each such
-- run. The far end's MTU is not known there and limits nothing: 65535 stands for it in
-- run, measurement and recommendation, whose columns are NOT NULL since version 1. The
-- views show NULL.
CREATE TABLE one_end (
	run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
	sends TEXT NOT NULL CHECK (sends IN ( -- which end this is
		'upload', -- the peer
		'download')), -- the server
	target TEXT NOT NULL CHECK (length(target) <= 45), -- the address that answered
	endpoint TEXT CHECK (length(endpoint) <= 45), -- WireGuard's
	small TEXT NOT NULL CHECK (small IN ( -- the target's small answers
		'none', 'tcp', 'stamp', 'udp')),
	proof TEXT NOT NULL CHECK (proof IN ( -- of the direction that it sends in
		'nothing', -- nothing answered
		'arrives', -- sizes that arrive, unless a router fragments them
		'whole')), -- the endpoint's answers show that they arrive whole
	echoes INTEGER NOT NULL CHECK (echoes IN (0, 1)), -- the target answers them
	endpoint_answers INTEGER NOT NULL -- echoes with DF, outside the tunnel
		CHECK (endpoint_answers IN (0, 1)),
	own_is_limit INTEGER NOT NULL -- 1: this end's links carry nothing larger
		CHECK (own_is_limit IN (0, 1)),
	by_route INTEGER NOT NULL -- 1: sizes up to the link's MTU, in steps of 16
		CHECK (by_route IN (0, 1)),
	either_way INTEGER NOT NULL -- 1: larger packets are lost there or on the way back
		CHECK (either_way IN (0, 1)),
	far_is_limit INTEGER NOT NULL -- 1: nothing larger of the far end could be seen
		CHECK (far_is_limit IN (0, 1)),
	far_is_present INTEGER NOT NULL -- 1: far_mtu is about the far end's present MTU
		CHECK (far_is_present IN (0, 1)),
	back_ends INTEGER NOT NULL -- 1: its answers never exceed largest_back
		CHECK (back_ends IN (0, 1)),
	pieces_lost INTEGER NOT NULL -- 1: it reassembles no fragments of echoes
		CHECK (pieces_lost IN (0, 1)),
	least_mtu INTEGER -- the smallest MTU that was asked for
		CHECK (least_mtu BETWEEN 1 AND 65535),
	far_mtu INTEGER -- the largest MTU for the far end that is known to fit
		CHECK (far_mtu BETWEEN 1 AND 65535),
	largest_back INTEGER -- the largest packet inside that came back in one piece
		CHECK (largest_back BETWEEN 1 AND 65535),
	too_big INTEGER -- a router said that its next link has this MTU
		CHECK (too_big BETWEEN 1 AND 65535),
	assumed INTEGER -- what it sends is assumed to be fragmented above this outer size
		CHECK (assumed BETWEEN 1 AND 65535),
	differ_tunnel INTEGER -- two looks disagree: what arrives in the tunnel, outer size
		CHECK (differ_tunnel BETWEEN 1 AND 65535),
	differ_outside INTEGER -- and of echoes beside it
		CHECK (differ_outside BETWEEN 1 AND 65535),
	mss_ipv4 INTEGER CHECK (mss_ipv4 BETWEEN 1 AND 65535), -- fits both ways
	mss_ipv6 INTEGER CHECK (mss_ipv6 BETWEEN 1 AND 65535),
	rounds INTEGER NOT NULL CHECK (rounds BETWEEN 0 AND 1000000) -- probes'
);

-- The tunnel of a run: the WireGuard public keys of its ends, as `wg` prints them. Each end
-- takes both from its own WireGuard. A run without a row has no known key: WireGuard did
-- not tell one, or version 1 wrote the run, or it was imported.
CREATE TABLE run_tunnel (
	run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
	tunnel TEXT -- the first 8 characters of each key, sorted; NULL: a key is unknown
		CHECK (length(tunnel) = 17),
	server_key TEXT CHECK (length(server_key) = 44),
	peer_key TEXT CHECK (length(peer_key) = 44)
);
CREATE INDEX run_tunnel_of ON run_tunnel (tunnel);

-- The probes of a watch, a row each; the watch is a run with the strategy 'watch'.
CREATE TABLE path_probe (
	run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL CHECK (seq BETWEEN 1 AND 4294967295),
	probed_at TEXT NOT NULL CHECK (probed_at GLOB '[0-9]*-*-*T*:*:*Z'),
	took_ms INTEGER NOT NULL CHECK (took_ms BETWEEN 0 AND 1000000000),
	answer TEXT NOT NULL CHECK (answer IN (
		'ok',
		'none',   -- nobody answered, or this host could not probe
		'busy')), -- the server had a session with another peer
	early INTEGER NOT NULL -- 1: brought forward by a sign between two probes
		CHECK (early IN (0, 1)),
	fragments INTEGER -- that this host made since the probe before; NULL: not known
		CHECK (fragments BETWEEN 0 AND 1000000000000000),
	too_big INTEGER -- ICMP messages since then: a packet was too big; NULL: not known
		CHECK (too_big BETWEEN 0 AND 1000000000000000),
	server_mtu INTEGER -- in use; NULL: not known
		CHECK (server_mtu BETWEEN 1 AND 65535),
	peer_mtu INTEGER CHECK (peer_mtu BETWEEN 1 AND 65535),
	largest_server_mtu INTEGER -- that fits; NULL: none is known
		CHECK (largest_server_mtu BETWEEN 1 AND 65535),
	largest_peer_mtu INTEGER CHECK (largest_peer_mtu BETWEEN 1 AND 65535),
	fit TEXT NOT NULL CHECK (fit IN ( -- of the MTUs in use
		'fits', 'misfit', 'unknown')),
	upload_whole INTEGER -- outer packets up to this size arrive whole; NULL: not known
		CHECK (upload_whole BETWEEN 0 AND 65535),
	upload_bands TEXT -- SIZE:FATE of each band, as path_band has them; NULL: not known
		CHECK (length(upload_bands) <= 431),
	download_whole INTEGER CHECK (download_whole BETWEEN 0 AND 65535),
	download_bands TEXT CHECK (length(download_bands) <= 431),
	event TEXT NOT NULL CHECK (event IN ( -- told once
		'quiet',    -- nothing new
		'misfit',   -- the MTUs in use do not fit, or no longer
		'fits',     -- they fit again
		'moved',    -- an edge moved, and they fit as before
		'flaps',    -- the path fell again soon after it had risen
		'silent',   -- nobody answers any more
		'back')),   -- somebody answers again
	applied TEXT NOT NULL CHECK (applied IN ( -- the largest MTUs, after this probe
		'no', 'yes', 'failed')),
	PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;

-- The views of version 1, with NULL where an end's MTU is not known.
DROP VIEW IF EXISTS results;
DROP VIEW IF EXISTS visit;

CREATE VIEW visit AS
SELECT
	run_id, seq, pass,
	CASE WHEN NOT EXISTS (SELECT 1 FROM one_end AS o
			WHERE o.run_id = m.run_id AND o.sends = 'upload')
		THEN server_mtu END AS server_mtu,
	CASE WHEN NOT EXISTS (SELECT 1 FROM one_end AS o
			WHERE o.run_id = m.run_id AND o.sends = 'download')
		THEN peer_mtu END AS peer_mtu,
	CASE upload_status WHEN 'ok'
		THEN coalesce(upload_goodput_bps, upload_received_bps) END AS upload_bps,
	CASE download_status WHEN 'ok'
		THEN coalesce(download_goodput_bps, download_received_bps)
		END AS download_bps,
	upload_status, download_status,
	CASE WHEN upload_status = 'ok'
			OR (upload_status = 'error' AND download_status <> 'ok')
		THEN download_status ELSE upload_status END AS status
FROM measurement AS m;

-- The measurements that count. A smart run whose path changed measures pairs again: then
-- those up to since_seq do not. A grid's change is found at the grid's end.
CREATE VIEW counted AS
SELECT m.*
FROM measurement AS m
WHERE seq > coalesce((SELECT since_seq FROM path_detail AS d
			JOIN run ON run.id = d.run_id
		WHERE d.run_id = m.run_id AND run.strategy = 'smart'), 0)
	OR NOT EXISTS (SELECT 1 FROM measurement AS later
		WHERE later.run_id = m.run_id
			AND later.server_mtu = m.server_mtu
			AND later.peer_mtu = m.peer_mtu
			AND later.seq > (SELECT since_seq FROM path_detail AS d
				WHERE d.run_id = m.run_id));

-- As in version 1: each column asks for its own pair's rows, so that a run that a query
-- names narrows the search in measurement's primary key. One select, since SQLite does not
-- carry a condition of a join or a subquery into the parts of a UNION. Rates are rounded as
-- kbit/s, where a half is exact: SQLite's versions differ in round(19.4425, 3).
CREATE VIEW results AS
SELECT
	run_id,
	CASE WHEN NOT EXISTS (SELECT 1 FROM one_end AS o
			WHERE o.run_id = pair.run_id AND o.sends = 'upload')
		THEN server_mtu END AS server_mtu,
	CASE WHEN NOT EXISTS (SELECT 1 FROM one_end AS o
			WHERE o.run_id = pair.run_id AND o.sends = 'download')
		THEN peer_mtu END AS peer_mtu,
	upload_mbps, download_mbps, visits,
	upload_status, download_status,
	CASE WHEN upload_status = 'ok'
			OR (upload_status = 'error' AND download_status <> 'ok')
		THEN download_status ELSE upload_status END AS status,
	upload_ok, download_ok
FROM (
	SELECT
		run_id, server_mtu, peer_mtu,
		(SELECT round(avg(bps) / 1e3) / 1e3 FROM (
			SELECT coalesce(upload_goodput_bps,
					upload_received_bps) AS bps,
				row_number() OVER (ORDER BY coalesce(
					upload_goodput_bps,
					upload_received_bps)) AS i,
				count(*) OVER () AS n
			FROM counted AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND upload_status = 'ok'
				AND coalesce(upload_goodput_bps,
					upload_received_bps) IS NOT NULL)
			WHERE 2 * i BETWEEN n AND n + 2) AS upload_mbps,
		(SELECT round(avg(bps) / 1e3) / 1e3 FROM (
			SELECT coalesce(download_goodput_bps,
					download_received_bps) AS bps,
				row_number() OVER (ORDER BY coalesce(
					download_goodput_bps,
					download_received_bps)) AS i,
				count(*) OVER () AS n
			FROM counted AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND download_status = 'ok'
				AND coalesce(download_goodput_bps,
					download_received_bps) IS NOT NULL)
			WHERE 2 * i BETWEEN n AND n + 2) AS download_mbps,
		(SELECT count(*) FROM counted AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu) AS visits,
		(SELECT upload_status FROM counted AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
			ORDER BY upload_status <> 'ok', seq DESC LIMIT 1)
			AS upload_status,
		(SELECT download_status FROM counted AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
			ORDER BY download_status <> 'ok', seq DESC LIMIT 1)
			AS download_status,
		(SELECT count(*) FROM counted AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND v.upload_status = 'ok') AS upload_ok,
		(SELECT count(*) FROM counted AS v
			WHERE v.run_id = first.run_id
				AND v.server_mtu = first.server_mtu
				AND v.peer_mtu = first.peer_mtu
				AND v.download_status = 'ok') AS download_ok
	FROM measurement AS first
	WHERE seq = (SELECT min(seq) FROM measurement AS v
		WHERE v.run_id = first.run_id
			AND v.server_mtu = first.server_mtu
			AND v.peer_mtu = first.peer_mtu)
) AS pair;

PRAGMA user_version = 2;
