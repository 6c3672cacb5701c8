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
INSERT INTO run VALUES(1,'61cebf12-9996-429b-89c0-ef71fe9e0bf3','server','2026-11-28T21:49:52.347Z','2026-11-28T21:50:23.981Z','done','','smart',1,'2194331877589998966',2000,'bbr','none',NULL,NULL,'lab 640dca42-6598-4354-a79d-286abb9fcecb 4026531836 960 2077305','lab','wgit32033s','10.77.0.1',1420,'userspace',4,'mtusweep 0.1.0, libiperf 3.12, civetweb 1.15, sqlite 3.40.1',1280,1500,1,'lab','wgit32033p','10.77.0.2',1420,'userspace',4,'mtusweep 0.1.0, libiperf 3.12, curl 7.88.1, sqlite 3.40.1',1280,1500,1);
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
INSERT INTO measurement VALUES(1,6,1,0,1280,1280,'ok','',34727762,31449362,31112078,24432535,37791621,0,23182,'2026-11-28T21:50:14.801Z',2004,'ok','',49908826,46038842,45715928,38286264,53145592,54,22667,'2026-11-28T21:50:16.946Z',2002,0);
INSERT INTO measurement VALUES(1,5,1,0,1381,1381,'blackhole','nothing full-size that was sent was acknowledged',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-28T21:50:10.709Z',NULL,'ok','',39410852,35656424,34649054,2151651,67146457,0,45286,'2026-11-28T21:50:12.350Z',2000,0);
INSERT INTO measurement VALUES(1,1,1,1,1420,1380,'ok','',40003497,35671551,36042079,32840499,39243658,0,11946,'2026-11-28T21:49:53.199Z',2006,'ok','',54655525,50425635,50530848,41958783,59102914,64,22809,'2026-11-28T21:49:55.308Z',2000,0);
INSERT INTO measurement VALUES(1,4,2,1,1420,1380,'ok','',34103112,31691367,30995506,16171112,45819899,0,29782,'2026-11-28T21:50:05.789Z',2002,'ok','',49286289,45141413,49930734,38950308,60911161,0,22804,'2026-11-28T21:50:07.971Z',2000,0);
INSERT INTO measurement VALUES(1,7,3,1,1420,1380,'ok','',38025972,35021770,35528933,32458424,38599443,8,21141,'2026-11-28T21:50:19.283Z',2005,'ok','',53888718,49358085,49972452,43173872,56771032,62,25360,'2026-11-28T21:50:21.368Z',2001,0);
INSERT INTO measurement VALUES(1,2,1,0,1420,1420,'blackhole','nothing full-size that was sent was acknowledged',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-28T21:49:57.643Z',NULL,'ok','',54815586,51685141,53695022,50948890,56441153,40,16871,'2026-11-28T21:49:59.236Z',1998,0);
INSERT INTO measurement VALUES(1,3,1,0,1421,1421,'blackhole','nothing full-size that was sent was acknowledged',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-28T21:50:01.652Z',NULL,'ok','',50240103,46919879,47264411,37327865,57200956,1,23768,'2026-11-28T21:50:03.204Z',1997,0);
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
INSERT INTO path VALUES(1,60,14,11,234);
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
INSERT INTO path_band VALUES(1,'download',1480,'whole');
INSERT INTO path_band VALUES(1,'download',65535,'fragmented');
INSERT INTO path_band VALUES(1,'upload',1440,'whole');
INSERT INTO path_band VALUES(1,'upload',65535,'lost');
CREATE TABLE recommendation (
	run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
	server_mtu INTEGER NOT NULL CHECK (server_mtu BETWEEN 576 AND 65535),
	peer_mtu INTEGER NOT NULL CHECK (peer_mtu BETWEEN 576 AND 65535),
	settled INTEGER NOT NULL CHECK (settled IN (0, 1)), -- no rival may still be better
	text TEXT NOT NULL -- what it rests on, as it was printed
);
INSERT INTO recommendation VALUES(1,1420,1380,0,replace('recommended: server MTU 1420, peer MTU 1380; upload 34.1 Mbit/s (25.6 to 45.5), download 50.1 Mbit/s (42.0 to 59.9)\nwhy: the largest pair at which every packet, TCP or not, arrives whole both ways\npath, upload: packets of up to 1440 bytes arrive whole, larger ones are lost (14 probes)\npath, download: packets of up to 1480 bytes arrive whole, larger ones arrive in fragments (11 probes)\nWireGuard makes each packet 60 bytes larger (IPv4 outside)\nagainst the current pair, 1420 and 1420: upload 34.1 Mbit/s, where nothing got through; download -6.2 % (-32.2 to +29.6)\n7 visits; no pair was shown to be faster; tests differ too much to rule out more than 5 % for 1280 and 1280 (not settled)\nwarning: current pair, 1420 and 1420, upload: full-size TCP packets are lost, which leave with 1480 bytes\nwarning: rates are too noisy to tell pairs apart: this rests on the probes\nwarning: connections of networks routed through the tunnel do not know its MTU: clamp their MSS to 1340 (IPv4) and 1320 (IPv6) where they enter it\nnote: should an endpoint move to IPv6 (20 bytes more), this pair would not fit whole; 1400 and 1360 would either way\n','\n',char(10)));
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
