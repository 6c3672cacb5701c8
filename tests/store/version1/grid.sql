PRAGMA application_id = 1297372499;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
	duration_ms INTEGER -- of one direction's test; NULL: imported
		CHECK (duration_ms BETWEEN 0 AND 1000000000000),
	congestion TEXT -- of the tests' senders; NULL: the defaults of the ends, which differ
		CHECK (length(congestion) <= 15),
	persist TEXT NOT NULL CHECK (persist IN ('none', 'each', 'best')),
	pairs_planned INTEGER -- visits planned; NULL: by what is measured
		CHECK (pairs_planned BETWEEN 0 AND 2147483647),
	options TEXT, -- the command line's options, a JSON object
	process TEXT -- who writes it (base/process.h): tells a crash from a run under way
		CHECK (length(process) <= 159),

	server_host TEXT CHECK (length(server_host) <= 64),
	server_interface TEXT CHECK (length(server_interface) <= 15),
	server_address TEXT CHECK (length(server_address) <= 45), -- inside the tunnel
	server_link_mtu INTEGER -- before the run
		CHECK (server_link_mtu BETWEEN 1 AND 65535),
	server_backend TEXT NOT NULL -- who does WireGuard there
		CHECK (server_backend IN ('none', 'kernel', 'userspace')),
	server_endpoint_family INTEGER -- of the outer packets
		CHECK (server_endpoint_family IN (4, 6)),
	server_versions TEXT -- of program and libraries
		CHECK (length(server_versions) <= 95),
	server_mtu_min INTEGER NOT NULL -- the lattice
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
INSERT INTO run VALUES(1,'ee3cc1ac-997b-4405-8158-ac62ac8f71f3','peer','2026-11-28T21:50:23.549Z','2026-11-28T21:50:47.182Z','done','','grid',1,'7680247979403051968',1000,'bbr','none',9,'{"server-ip":"10.77.0.1","server-port":5000,"interface":"wgit3009p","mtu-min":1320,"mtu-max":1400,"mtu-step":40,"duration":1.0,"passes":1,"order":"row","seed":"7680247979403051968","persist":"none","wait":60.0,"lease":10.0,"peer-skip-errors":true,"precision":0,"congestion":null,"strategy":"grid","margin":5,"budget":60.0}','lab 640dca42-6598-4354-a79d-286abb9fcecb 4026531836 4707 2080462','lab','wgit3009s','10.77.0.1',1420,'userspace',4,'mtusweep 0.1.0, libiperf 3.12, civetweb 1.15, sqlite 3.40.1',1320,1400,40,'lab','wgit3009p','10.77.0.2',1420,'userspace',4,'mtusweep 0.1.0, libiperf 3.12, curl 7.88.1, sqlite 3.40.1',1320,1400,40);
CREATE TABLE measurement (
	run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL -- counts the visits of a run
		CHECK (seq BETWEEN 1 AND 4294967295),
	pass INTEGER NOT NULL CHECK (pass BETWEEN 1 AND 2147483647),
	reference INTEGER NOT NULL DEFAULT 0 CHECK (reference IN (0, 1)), -- of the
		-- series by which drift is told
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
	upload_duration_ms INTEGER -- of data transfer
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

	-- Whether the other end has the row; of meaning in the peer's database only.
	acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged IN (0, 1)),

	PRIMARY KEY (run_id, server_mtu, peer_mtu, seq),
	UNIQUE (run_id, seq)
) WITHOUT ROWID;
INSERT INTO measurement VALUES(1,1,1,0,1320,1320,'ok','',17897810,10969502,10851861,10373745,11329978,75,21182,'2026-11-28T21:50:24.044Z',1005,'ok','',25233204,18160782,18196775,17601766,18791783,27,16015,'2026-11-28T21:50:25.126Z',1003,1);
INSERT INTO measurement VALUES(1,2,1,0,1320,1360,'ok','',15692551,10779185,10859663,10692989,11026337,42,21586,'2026-11-28T21:50:26.397Z',1011,'ok','',24743034,18098628,17995625,16931606,19059644,47,18273,'2026-11-28T21:50:27.530Z',1000,1);
INSERT INTO measurement VALUES(1,3,1,0,1320,1400,'ok','',18312496,10894290,10841910,10659420,11024400,0,28467,'2026-11-28T21:50:28.940Z',1003,'ok','',21781694,18307850,18185110,17611698,18758522,0,20793,'2026-11-28T21:50:30.043Z',1000,1);
INSERT INTO measurement VALUES(1,4,1,0,1360,1320,'ok','',14905086,9669619,10796943,6917745,14676142,0,32933,'2026-11-28T21:50:31.574Z',1001,'ok','',21835891,17295054,17131677,11911695,22351658,0,23373,'2026-11-28T21:50:32.864Z',1001,1);
INSERT INTO measurement VALUES(1,5,1,0,1360,1360,'ok','',17077354,10938242,10973969,10646954,11300984,53,25164,'2026-11-28T21:50:34.191Z',1002,'ok','',25052037,18425620,18237562,18087547,18387577,0,10637,'2026-11-28T21:50:35.289Z',999,1);
INSERT INTO measurement VALUES(1,6,1,0,1360,1400,'ok','',17626304,11000532,10993611,10774478,11212744,59,25269,'2026-11-28T21:50:36.681Z',1004,'ok','',21898845,17723716,17448104,15359243,19536966,0,34559,'2026-11-28T21:50:37.821Z',996,1);
INSERT INTO measurement VALUES(1,7,1,0,1400,1320,'ok','',15547631,10866440,10954729,10695705,11213753,35,26801,'2026-11-28T21:50:39.289Z',1009,'ok','',25262017,18222034,17987689,17565935,18409443,0,15203,'2026-11-28T21:50:40.406Z',1000,1);
INSERT INTO measurement VALUES(1,8,1,0,1400,1360,'ok','',13998454,8086458,7584458,0,15409262,45,56195,'2026-11-28T21:50:41.882Z',1006,'ok','',20357632,17555574,17919392,16152106,19686677,0,NULL,'2026-11-28T21:50:43.014Z',1001,1);
INSERT INTO measurement VALUES(1,9,1,0,1400,1400,'ok','',15078715,10978317,10950500,10660078,11240923,43,27732,'2026-11-28T21:50:44.677Z',1003,'ok','',25061640,18427276,18296856,17951920,18641791,0,17000,'2026-11-28T21:50:45.768Z',1000,1);
CREATE TABLE warning (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	warned_at TEXT NOT NULL CHECK (warned_at GLOB '[0-9]*-*-*T*:*:*Z'),
	text TEXT NOT NULL,
	UNIQUE (run_id, text)
);
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
CREATE TABLE recommendation (
	run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
	server_mtu INTEGER NOT NULL CHECK (server_mtu BETWEEN 576 AND 65535),
	peer_mtu INTEGER NOT NULL CHECK (peer_mtu BETWEEN 576 AND 65535),
	settled INTEGER NOT NULL CHECK (settled IN (0, 1)), -- no rival may still be better
	text TEXT NOT NULL -- what it rests on, as it was printed
);
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
COMMIT;
