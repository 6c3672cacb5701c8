-- SPDX-License-Identifier: MIT
-- Runs of many databases in PostgreSQL (15 and later). Made once a database:
--
--	psql -f contrib/postgres/schema.sql DATABASE
--
-- `mtusweep export --format postgres` writes what fills it. Tables and columns are those of
-- docs/schema.md, but a run's UUID names it everywhere, flags are booleans, and the table
-- `warning` of version 1 is left out: run_warning has its rows.

BEGIN;

CREATE SCHEMA mtusweep;

CREATE TABLE mtusweep.run (
	uuid uuid PRIMARY KEY,
	role text NOT NULL,
	started_at timestamptz NOT NULL,
	ended_at timestamptz,
	outcome text NOT NULL,
	outcome_text text NOT NULL,
	strategy text NOT NULL,
	passes bigint NOT NULL,
	seed text NOT NULL,
	duration_ms bigint,
	congestion text,
	persist text NOT NULL,
	pairs_planned bigint,
	options jsonb,
	process text,
	server_host text,
	server_interface text,
	server_address text,
	server_link_mtu bigint,
	server_backend text NOT NULL,
	server_endpoint_family bigint,
	server_versions text,
	server_mtu_min bigint NOT NULL,
	server_mtu_max bigint NOT NULL,
	server_mtu_step bigint NOT NULL,
	peer_host text,
	peer_interface text,
	peer_address text,
	peer_link_mtu bigint,
	peer_backend text NOT NULL,
	peer_endpoint_family bigint,
	peer_versions text,
	peer_mtu_min bigint NOT NULL,
	peer_mtu_max bigint NOT NULL,
	peer_mtu_step bigint NOT NULL
);

CREATE TABLE mtusweep.measurement (
	run_uuid uuid NOT NULL
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	seq bigint NOT NULL,
	pass bigint NOT NULL,
	reference boolean NOT NULL,
	server_mtu bigint NOT NULL,
	peer_mtu bigint NOT NULL,
	upload_status text NOT NULL,
	upload_text text NOT NULL,
	upload_sent_bps bigint,
	upload_received_bps bigint,
	upload_goodput_bps bigint,
	upload_goodput_low_bps bigint,
	upload_goodput_high_bps bigint,
	upload_retransmits bigint,
	upload_rtt_us bigint,
	upload_started_at timestamptz,
	upload_duration_ms bigint,
	download_status text NOT NULL,
	download_text text NOT NULL,
	download_sent_bps bigint,
	download_received_bps bigint,
	download_goodput_bps bigint,
	download_goodput_low_bps bigint,
	download_goodput_high_bps bigint,
	download_retransmits bigint,
	download_rtt_us bigint,
	download_started_at timestamptz,
	download_duration_ms bigint,
	acknowledged boolean NOT NULL,
	PRIMARY KEY (run_uuid, seq)
);

CREATE TABLE mtusweep.path (
	run_uuid uuid PRIMARY KEY
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	overhead bigint NOT NULL,
	upload_probes bigint NOT NULL,
	download_probes bigint NOT NULL,
	probe_ms bigint NOT NULL
);

CREATE TABLE mtusweep.path_band (
	run_uuid uuid NOT NULL
		REFERENCES mtusweep.path (run_uuid) ON DELETE CASCADE,
	direction text NOT NULL,
	size_max bigint NOT NULL,
	fate text NOT NULL,
	PRIMARY KEY (run_uuid, direction, size_max)
);

CREATE TABLE mtusweep.recommendation (
	run_uuid uuid PRIMARY KEY
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	server_mtu bigint NOT NULL,
	peer_mtu bigint NOT NULL,
	settled boolean NOT NULL,
	text text NOT NULL
);

CREATE TABLE mtusweep.reason (
	run_uuid uuid PRIMARY KEY
		REFERENCES mtusweep.recommendation (run_uuid) ON DELETE CASCADE,
	kind text NOT NULL,
	status text,
	margin bigint NOT NULL,
	visits bigint NOT NULL,
	rival_server_mtu bigint,
	rival_peer_mtu bigint,
	upload_bps bigint,
	upload_low_bps bigint,
	upload_high_bps bigint,
	upload_current_bps bigint,
	upload_ratio_permille bigint,
	upload_ratio_low_permille bigint,
	upload_ratio_high_permille bigint,
	upload_guessed boolean NOT NULL,
	download_bps bigint,
	download_low_bps bigint,
	download_high_bps bigint,
	download_current_bps bigint,
	download_ratio_permille bigint,
	download_ratio_low_permille bigint,
	download_ratio_high_permille bigint,
	download_guessed boolean NOT NULL
);

CREATE TABLE mtusweep.reason_band (
	run_uuid uuid NOT NULL
		REFERENCES mtusweep.reason (run_uuid) ON DELETE CASCADE,
	direction text NOT NULL,
	size_max bigint NOT NULL,
	fate text NOT NULL,
	PRIMARY KEY (run_uuid, direction, size_max)
);

CREATE TABLE mtusweep.run_warning (
	run_uuid uuid NOT NULL
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	about text NOT NULL,
	warned_at timestamptz NOT NULL,
	kind text NOT NULL,
	at_end text,
	direction text,
	server_mtu bigint,
	peer_mtu bigint,
	other_server_mtu bigint,
	other_peer_mtu bigint,
	mtu bigint,
	size_min bigint,
	size_max bigint,
	rate_percent bigint,
	duration_ms bigint,
	rtt_ms bigint,
	value bigint,
	detail text
);

CREATE INDEX run_warning_of ON mtusweep.run_warning (run_uuid);

CREATE TABLE mtusweep.path_detail (
	run_uuid uuid PRIMARY KEY
		REFERENCES mtusweep.path (run_uuid) ON DELETE CASCADE,
	upload_overhead bigint NOT NULL,
	download_overhead bigint NOT NULL,
	upload_relayed boolean NOT NULL,
	download_relayed boolean NOT NULL,
	upload_unseen boolean NOT NULL,
	download_unseen boolean NOT NULL,
	since_seq bigint NOT NULL
);

CREATE TABLE mtusweep.measurement_detail (
	run_uuid uuid NOT NULL
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	seq bigint NOT NULL,
	upload_packet_bytes bigint,
	upload_latency_idle_us bigint,
	upload_latency_us bigint,
	upload_latency_p95_us bigint,
	upload_latency_idle_p95_us bigint,
	download_packet_bytes bigint,
	download_latency_idle_us bigint,
	download_latency_us bigint,
	download_latency_p95_us bigint,
	download_latency_idle_p95_us bigint,
	PRIMARY KEY (run_uuid, seq)
);

CREATE TABLE mtusweep.one_end (
	run_uuid uuid PRIMARY KEY
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	sends text NOT NULL,
	target text NOT NULL,
	endpoint text,
	small text NOT NULL,
	proof text NOT NULL,
	echoes boolean NOT NULL,
	endpoint_answers boolean NOT NULL,
	own_is_limit boolean NOT NULL,
	by_route boolean NOT NULL,
	either_way boolean NOT NULL,
	far_is_limit boolean NOT NULL,
	far_is_present boolean NOT NULL,
	back_ends boolean NOT NULL,
	pieces_lost boolean NOT NULL,
	least_mtu bigint,
	far_mtu bigint,
	largest_back bigint,
	too_big bigint,
	assumed bigint,
	differ_tunnel bigint,
	differ_outside bigint,
	mss_ipv4 bigint,
	mss_ipv6 bigint,
	rounds bigint NOT NULL
);

CREATE TABLE mtusweep.run_tunnel (
	run_uuid uuid PRIMARY KEY
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	tunnel text,
	server_key text,
	peer_key text
);

CREATE INDEX run_tunnel_of ON mtusweep.run_tunnel (tunnel);

CREATE TABLE mtusweep.path_probe (
	run_uuid uuid NOT NULL
		REFERENCES mtusweep.run (uuid) ON DELETE CASCADE,
	seq bigint NOT NULL,
	probed_at timestamptz NOT NULL,
	took_ms bigint NOT NULL,
	answer text NOT NULL,
	early boolean NOT NULL,
	fragments bigint,
	too_big bigint,
	server_mtu bigint,
	peer_mtu bigint,
	largest_server_mtu bigint,
	largest_peer_mtu bigint,
	fit text NOT NULL,
	upload_whole bigint,
	upload_bands text,
	download_whole bigint,
	download_bands text,
	event text NOT NULL,
	applied text NOT NULL,
	PRIMARY KEY (run_uuid, seq)
);

-- --- loading ---

-- The tables that a load fills: one comes after those that its rows refer to.
CREATE FUNCTION mtusweep.tables() RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
	SELECT ARRAY['run', 'measurement', 'path', 'path_band', 'recommendation',
		'reason', 'reason_band', 'run_warning', 'path_detail',
		'measurement_detail', 'one_end', 'run_tunnel', 'path_probe']
$$;

-- Begin a load of an export with this version of the schema: make a temporary table
-- new_<table> for each table. They go at the transaction's end.
CREATE FUNCTION mtusweep.begin_load(version integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	IF version <> 2 THEN
		RAISE 'the export has version % of the schema, this database 2', version
			USING HINT = 'Use the schema.sql of the same mtusweep.';
	END IF;
	FOREACH name IN ARRAY mtusweep.tables() LOOP
		EXECUTE format('CREATE TEMPORARY TABLE %I (LIKE mtusweep.%I)'
			' ON COMMIT DROP', 'new_' || name, name);
	END LOOP;
END
$$;

-- Take what was loaded. A run that is there already is replaced only by more of the same,
-- as `mtusweep import` does: the record outranks a copy, then the one that ended later,
-- then the one with more measurements or probes. The same load again changes nothing.
CREATE FUNCTION mtusweep.end_load(OUT stored bigint, OUT replaced bigint, OUT known bigint)
LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	WITH removed AS (
		DELETE FROM mtusweep.run AS old USING new_run AS new
		WHERE old.uuid = new.uuid AND (
			new.role = 'peer',
			coalesce(new.ended_at, '-infinity'),
			(SELECT count(*) FROM new_measurement
				WHERE run_uuid = new.uuid)
			+ (SELECT count(*) FROM new_path_probe
				WHERE run_uuid = new.uuid)
		) > (
			old.role = 'peer',
			coalesce(old.ended_at, '-infinity'),
			(SELECT count(*) FROM mtusweep.measurement
				WHERE run_uuid = old.uuid)
			+ (SELECT count(*) FROM mtusweep.path_probe
				WHERE run_uuid = old.uuid))
		RETURNING old.uuid)
	SELECT count(*) INTO replaced FROM removed;

	CREATE TEMPORARY TABLE new_uuid (uuid uuid) ON COMMIT DROP;
	WITH written AS (
		INSERT INTO mtusweep.run SELECT * FROM new_run ON CONFLICT DO NOTHING
		RETURNING uuid)
	INSERT INTO new_uuid SELECT uuid FROM written;
	SELECT count(*) - replaced INTO stored FROM new_uuid;
	SELECT count(*) - stored - replaced INTO known FROM new_run;

	FOREACH name IN ARRAY mtusweep.tables() LOOP
		CONTINUE WHEN name = 'run';
		EXECUTE format('INSERT INTO mtusweep.%I SELECT new.* FROM %I AS new'
			' JOIN new_uuid ON new_uuid.uuid = new.run_uuid',
			name, 'new_' || name);
	END LOOP;
END
$$;

-- --- views ---

-- The name of the tunnel of a run: that of run_tunnel, where the run knows both keys; else
-- hosts and interfaces.
CREATE FUNCTION mtusweep.tunnel(run mtusweep.run) RETURNS text STABLE LANGUAGE sql AS $$
	SELECT coalesce(
		(SELECT tunnel FROM mtusweep.run_tunnel WHERE run_uuid = run.uuid),
		concat_ws(' ', run.server_host, run.server_interface, '-',
			run.peer_host, run.peer_interface))
$$;

-- A run with its path and its recommendation, for the views below. An edge is the largest
-- outer packet that arrives whole. Packets of the MTUs before the run exceed an edge by
-- *_excess bytes.
CREATE VIEW mtusweep.finding AS
SELECT
	mtusweep.tunnel(run) AS tunnel, run.uuid, run.started_at, run.strategy,
	run.outcome, run.server_host, run.server_interface, run.peer_host,
	run.peer_interface, run.server_link_mtu, run.peer_link_mtu,
	recommendation.server_mtu, recommendation.peer_mtu, reason.status,
	edge.upload_edge, edge.download_edge,
	greatest(run.peer_link_mtu + detail.upload_overhead - edge.upload_edge, 0)
		AS upload_excess,
	greatest(run.server_link_mtu + detail.download_overhead - edge.download_edge, 0)
		AS download_excess,
	rate.upload_mbps, rate.download_mbps
FROM mtusweep.run
LEFT JOIN mtusweep.recommendation ON recommendation.run_uuid = run.uuid
LEFT JOIN mtusweep.reason ON reason.run_uuid = run.uuid
LEFT JOIN mtusweep.path_detail AS detail ON detail.run_uuid = run.uuid
LEFT JOIN LATERAL (
	SELECT
		max(size_max) FILTER (WHERE direction = 'upload') AS upload_edge,
		max(size_max) FILTER (WHERE direction = 'download') AS download_edge
	FROM mtusweep.path_band WHERE run_uuid = run.uuid AND fate = 'whole') AS edge
	ON true
LEFT JOIN LATERAL (
	SELECT
		round((percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(
			upload_goodput_bps, upload_received_bps))
			FILTER (WHERE upload_status = 'ok') / 1e6)::numeric, 3)
			AS upload_mbps,
		round((percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(
			download_goodput_bps, download_received_bps))
			FILTER (WHERE download_status = 'ok') / 1e6)::numeric, 3)
			AS download_mbps
	FROM mtusweep.measurement AS m
	WHERE m.run_uuid = run.uuid AND m.server_mtu = recommendation.server_mtu
		AND m.peer_mtu = recommendation.peer_mtu
		-- The path changed during the run: earlier ones do not count.
		AND (run.strategy <> 'smart' OR m.seq > coalesce(detail.since_seq, 0))
	) AS rate ON true
WHERE run.strategy IN ('grid', 'smart', 'probe');

-- The newest finding of each tunnel.
CREATE VIEW mtusweep.latest AS
SELECT DISTINCT ON (tunnel) * FROM mtusweep.finding
ORDER BY tunnel, started_at DESC, uuid;

-- How the path and the rates of a tunnel change from week to week. An edge is the smallest
-- of the week; a change is that to the week with runs before it.
CREATE VIEW mtusweep.drift AS
SELECT
	tunnel, week, runs, upload_edge, download_edge, upload_mbps, download_mbps,
	upload_edge - lag(upload_edge) OVER earlier AS upload_edge_change,
	download_edge - lag(download_edge) OVER earlier AS download_edge_change,
	round(100 * (upload_mbps / nullif(lag(upload_mbps) OVER earlier, 0) - 1), 1)
		AS upload_percent,
	round(100 * (download_mbps / nullif(lag(download_mbps) OVER earlier, 0) - 1), 1)
		AS download_percent
FROM (
	SELECT
		tunnel, (date_trunc('week', started_at AT TIME ZONE 'UTC'))::date AS week,
		count(*) AS runs, min(upload_edge) AS upload_edge,
		min(download_edge) AS download_edge,
		(percentile_cont(0.5) WITHIN GROUP (ORDER BY upload_mbps))
			::numeric(12, 3) AS upload_mbps,
		(percentile_cont(0.5) WITHIN GROUP (ORDER BY download_mbps))
			::numeric(12, 3) AS download_mbps
	FROM mtusweep.finding GROUP BY 1, 2) AS of_week
WINDOW earlier AS (PARTITION BY tunnel ORDER BY week);

-- The 20 tunnels whose MTUs fit the path least, as the newest finding has it: most bytes
-- above an edge first, then those without a recommendation that tests confirm.
CREATE VIEW mtusweep.worst AS
SELECT greatest(upload_excess, download_excess) AS excess, latest.* FROM mtusweep.latest
ORDER BY greatest(upload_excess, download_excess) DESC NULLS LAST,
	status IS DISTINCT FROM 'confirmed' DESC, tunnel
LIMIT 20;

COMMIT;
