#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs of an SQLite database in PostgreSQL: the script of `mtusweep export --format
# postgres` loads them, again without a change, and the views of contrib/postgres say what
# they should. The server is the test's own, in a temporary folder, on a Unix socket.
#
# Needs $MTUSWEEP_BIN and Debian's package postgresql-15 or later. As root it runs
# PostgreSQL as its user postgres, since PostgreSQL refuses to run as root.

set -euo pipefail

readonly ROOT=${BASH_SOURCE[0]%/*}/../..
readonly LATEST=20

tmp=$(mktemp -d /tmp/mtusweep-postgres-XXXXXX)
server=

finish()
{
	local result=$?
	set +e
	if [[ $server ]]; then
		kill -INT "$server"
		wait "$server"
	fi
	[[ $result == 0 ]] || tail -n 20 "$tmp/server.log"
	rm -rf "$tmp"
	exit "$result"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

fail()
{
	echo "FAIL: $*"
	exit 1
}

check_equal()
{
	[[ $2 == "$3" ]] || fail "$1: expected '$2', got '$3'"
}

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null |
	sort -V | tail -n 1)
[[ $bin ]] || fail 'no PostgreSQL in /usr/lib/postgresql: run scripts/install-deps --test'

owner=()
((EUID != 0)) || owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)

start_server()
{
	((EUID != 0)) || chown postgres "$tmp"
	"${owner[@]}" "$bin/initdb" -D "$tmp/data" -U test -A trust -E UTF8 --locale=C \
		--no-sync >"$tmp/initdb.log" 2>&1 || fail "initdb: $(<"$tmp/initdb.log")"
	"${owner[@]}" "$bin/postgres" -D "$tmp/data" -k "$tmp" -c listen_addresses= \
		-c fsync=off >"$tmp/server.log" 2>&1 &
	server=$!
	for ((i = 0; i < 600; i++)); do
		! "$bin/pg_isready" -q -h "$tmp" -U test || return 0
		kill -0 "$server" 2>/dev/null || fail 'PostgreSQL has ended'
		sleep 0.1
	done
	fail 'PostgreSQL is not ready after 60 s'
}

sql()
{
	"$bin/psql" -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -h "$tmp" -U test -d postgres "$@"
}

# Arguments: NUMBER WEEK PEER EDGE PEER-MTU STATUS. Print a run of that tunnel and week.
run_sql()
{
	local id=$1 days=$(($2 * 7)) peer=$3 edge=$4 mtu=$5 status=$6
	cat <<-SQL
		INSERT INTO run (id, uuid, role, started_at, ended_at, outcome, strategy,
			passes, seed, persist, options, server_host, server_interface,
			server_link_mtu, server_backend, server_mtu_min, server_mtu_max,
			server_mtu_step, peer_host, peer_interface, peer_link_mtu,
			peer_backend, peer_mtu_min, peer_mtu_max, peer_mtu_step)
		SELECT $id, printf('%08d-1111-4222-8333-444444444444', $id), 'peer',
			strftime('%Y-%m-%dT12:00:00.000Z', '2026-01-05', '$days days'),
			strftime('%Y-%m-%dT12:01:00.000Z', '2026-01-05', '$days days'),
			'done', 'smart', 1, '18446744073709551615', 'none',
			'{"a": "b\\\\c"}',
			'hub', 'wg0', 1420, 'kernel', 1280, 1500, 4, '$peer', 'wg0', $mtu,
			'kernel', 1280, 1500, 4;
		INSERT INTO path VALUES ($id, 60, 9, 9, 100);
		INSERT INTO path_detail VALUES ($id, 60, 60, 0, 0, 1, 0, 0);
		INSERT INTO path_band VALUES ($id, 'upload', $edge, 'whole'),
			($id, 'upload', 65535, 'lost'), ($id, 'download', 1500, 'whole'),
			($id, 'download', 65535, 'fragmented');
		INSERT INTO recommendation VALUES ($id, 1420, $((edge - 60)), 1, '');
		INSERT INTO reason (run_id, kind, status, margin, visits, upload_bps)
			VALUES ($id, 'fits', '$status', 5, 3, 40000000);
		INSERT INTO run_warning (run_id, about, warned_at, kind, detail)
			VALUES ($id, 'run', '2026-01-05T12:00:00.000Z', 'text',
				'tab	backslash \\ line' || char(10) || '\\.' ||
				char(10) || '\\! x');
		INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,
			upload_status, upload_text, upload_goodput_bps, download_status,
			download_text, download_received_bps)
		VALUES ($id, 1, 1, 1420, $((edge - 60)), 'ok', '', $((edge * 20000)), 'ok',
			'', 50000000);
		INSERT INTO measurement_detail VALUES ($id, 1, 1400, 900, 30000, 50000,
			1100, NULL, 800, 20000, 40000, 1000);
	SQL
}

# 25 tunnels in a week, one of which has two weeks more, and a run of one end alone.
make_database()
{
	cat "$ROOT/store/schema.sql" "$ROOT/store/schema2.sql"
	for ((i = 1; i <= 25; i++)); do
		run_sql "$i" 1 "spoke$i" $((1500 - i)) 1440 confirmed
	done
	run_sql 26 2 spoke3 1400 1440 predicted
	run_sql 27 3 spoke3 1450 1390 confirmed
	cat <<-'SQL'
		INSERT INTO one_end (run_id, sends, target, small, proof, echoes,
			endpoint_answers, own_is_limit, by_route, either_way, far_is_limit,
			far_is_present, back_ends, pieces_lost, rounds)
		VALUES (25, 'upload', '10.0.0.1', 'tcp', 'whole', 1, 0, 0, 0, 0, 1, 0, 0, 0,
			4);
		INSERT INTO reason_band VALUES (25, 'upload', 65535, 'whole');
		INSERT INTO run_tunnel VALUES
			(24, 'AAAAAAAA-BBBBBBBB', printf('BBBBBBBB%035d=', 0),
				printf('AAAAAAAA%035d=', 0)),
			(23, NULL, NULL, printf('CCCCCCCC%035d=', 0));
		INSERT INTO path_probe VALUES
			(24, 1, '2026-01-12T12:00:00.000Z', 900, 'ok', 0, 7, 2, 1420,
				1440, 1420, 1360, 'misfit', 1420, '1420:whole,65535:lost',
				1500, '1500:whole,65535:fragmented', 'misfit', 'no'),
			(24, 2, '2026-01-12T12:10:00.000Z', 800, 'none', 1, NULL, NULL,
				1420, 1440, NULL, NULL, 'unknown', NULL, NULL, NULL, NULL,
				'silent', 'no');
	SQL
}

load()
{
	"$MTUSWEEP_BIN/mtusweep" export --format postgres "$@" >"$tmp/load.sql"
	sql -f "$tmp/load.sql" | tail -n 1
}

# Print a line for each column: TABLE COLUMN TYPE, as PostgreSQL has them.
columns()
{
	sql -c "SELECT table_name, column_name, split_part(data_type, ' ', 1)
		FROM information_schema.columns
		WHERE table_schema = 'mtusweep' AND column_name <> 'run_uuid'
			AND table_name = ANY (mtusweep.tables()) ORDER BY 1, 2"
}

# Arguments: MINE THEIRS. Append a query of a column's count and sum, or of the length of
# all its texts, for PostgreSQL and for SQLite.
add_query()
{
	local head="SELECT '$table.$name', count($name)"
	echo "$head, coalesce(sum($1), 0) FROM mtusweep.$table;" >>"$tmp/mine.sql"
	echo "$head, coalesce(sum($2), 0) FROM $table;" >>"$tmp/theirs.sql"
}

# Each column is in both, with the same content.
check_columns()
{
	local table name type
	: >"$tmp/mine.sql"
	: >"$tmp/theirs.sql"
	columns >"$tmp/columns"
	while read -r table name type; do
		case $type in
		boolean) add_query "$name::int" "$name" ;;
		bigint) add_query "$name" "$name" ;;
		text) add_query "length($name)" "length($name)" ;;
		uuid) add_query "length($name::text)" "length($name)" ;;
		timestamp) add_query "extract(epoch FROM $name)::bigint" \
			"CAST(strftime('%s', $name) AS INTEGER)" ;;
		jsonb) add_query "length($name ->> 'a')" "length($name ->> '\$.a')" ;;
		*) fail "$table.$name has a type that this test lacks: $type" ;;
		esac
	done <"$tmp/columns"
	sql -f "$tmp/mine.sql" >"$tmp/mine"
	sqlite3 -bail -separator ' ' "$tmp/x.db" <"$tmp/theirs.sql" >"$tmp/theirs"
	cmp "$tmp/mine" "$tmp/theirs" || fail "$(diff "$tmp/mine" "$tmp/theirs" | head)"
	check_equal 'columns of SQLite' "$(wc -l <"$tmp/columns")" "$(sqlite3 "$tmp/x.db" \
		"SELECT count(*) FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
		WHERE t.type = 'table' AND t.name <> 'warning'
			AND c.name NOT IN ('id', 'run_id')")"
}

make_database | sqlite3 -bail "$tmp/x.db"
start_server
sql -f "$ROOT/contrib/postgres/schema.sql"

check_equal 'one run' '1 0 0' "$(load 3 --db "$tmp/x.db")"
check_equal 'all runs' '26 0 1' "$(load --all --db "$tmp/x.db")"
check_equal 'all runs again' '0 0 27' "$(load --all --db "$tmp/x.db")"
check_columns
check_equal 'a text' "$(sqlite3 "$tmp/x.db" 'SELECT detail FROM run_warning LIMIT 1')" \
	"$(sql -c 'SELECT detail FROM mtusweep.run_warning LIMIT 1')"

# More of a run replaces it, less of it does not.
sqlite3 "$tmp/x.db" "UPDATE run SET ended_at = '2027-01-01T00:00:00.000Z' WHERE id = 3;
	UPDATE run SET ended_at = NULL, outcome = 'running' WHERE id = 4"
check_equal 'more of a run' '0 1 26' "$(load --all --db "$tmp/x.db")"
check_equal 'its end' 2027 "$(sql -c "SELECT extract(year FROM ended_at AT TIME ZONE 'UTC')
	FROM mtusweep.run WHERE peer_host = 'spoke3' ORDER BY started_at LIMIT 1")"
check_equal 'the end of the other' 2026 "$(sql -c "SELECT extract(year FROM ended_at AT
	TIME ZONE 'UTC') FROM mtusweep.run WHERE peer_host = 'spoke4'")"
check_equal 'measurements' 27 "$(sql -c 'SELECT count(*) FROM mtusweep.measurement')"

# A watch that has not ended has more probes.
sqlite3 "$tmp/x.db" "UPDATE run SET ended_at = NULL, outcome = 'running' WHERE id = 24"
sql -c "UPDATE mtusweep.run SET ended_at = NULL WHERE peer_host = 'spoke24'"
check_equal 'as many probes' '0 0 27' "$(load --all --db "$tmp/x.db")"
sqlite3 "$tmp/x.db" "INSERT INTO path_probe (run_id, seq, probed_at, took_ms, answer, early,
		fit, event, applied)
	VALUES (24, 3, '2026-01-12T12:20:00.000Z', 9, 'busy', 0, 'unknown', 'quiet', 'no')"
check_equal 'more probes' '0 1 26' "$(load --all --db "$tmp/x.db")"
check_equal 'probes' 3 "$(sql -c 'SELECT count(*) FROM mtusweep.path_probe')"

# The views.
check_equal 'latest' "25 25" "$(sql -c 'SELECT count(*), count(DISTINCT tunnel)
	FROM mtusweep.latest')"
check_equal 'the latest of spoke3' 'hub wg0 - spoke3 wg0 1450 0 0 1390 29.000 50.000' \
	"$(sql -c "SELECT tunnel, upload_edge, upload_excess, download_excess, peer_mtu,
	upload_mbps, download_mbps FROM mtusweep.latest WHERE peer_host = 'spoke3'")"
check_equal 'tunnels with keys' 'AAAAAAAA-BBBBBBBB,hub wg0 - spoke23 wg0' \
	"$(sql -c "SELECT string_agg(tunnel, ',' ORDER BY tunnel) FROM mtusweep.latest
	WHERE peer_host IN ('spoke23', 'spoke24')")"
check_equal 'drift' "2026-01-12 1497   
2026-01-19 1400 -97 -6.5
2026-01-26 1450 50 3.6" "$(sql -c "SELECT week, upload_edge, upload_edge_change,
	upload_percent FROM mtusweep.drift WHERE tunnel LIKE '%spoke3 %' ORDER BY week" |
	sed 's/^\(2026-01-12 1497\) *$/\1   /')"
check_equal 'worst' "$LATEST 25 spoke25" "$(sql -c 'SELECT count(*), max(excess),
	(array_agg(peer_host ORDER BY excess DESC))[1] FROM mtusweep.worst')"

# Hostile or foreign: one transaction, and nothing is executed.
sqlite3 "$tmp/x.db" "UPDATE run SET options = 'no json' WHERE id = 5;
	UPDATE run SET ended_at = '2027-01-01T00:00:00.000Z' WHERE id = 5"
check_equal 'options that are no JSON' '0 1 26' "$(load --all --db "$tmp/x.db")"
"$MTUSWEEP_BIN/mtusweep" export --format postgres 6 --db "$tmp/x.db" |
	sed 's/begin_load(2)/begin_load(9)/' >"$tmp/newer.sql"
if sql -f "$tmp/newer.sql" >"$tmp/out" 2>&1; then
	fail 'an export of another version was loaded'
fi
grep -q 'version 9 of the schema, this database 2' "$tmp/out" || fail "$(<"$tmp/out")"

# shellcheck source=tests/cmd/hostile_names.sh
. "$ROOT/tests/cmd/hostile_names.sh"
i=0
for name in "${HOSTILE_NAMES[@]}"; do
	i=$((i + 1))
	hex=$(printf %s "$name" | od -An -v -tx1 | tr -d ' \n')
	echo "UPDATE run SET peer_host = CAST(x'$hex' AS TEXT),
		ended_at = '2028-01-01T00:00:00.000Z' WHERE id = $i;"
done | sqlite3 -bail "$tmp/x.db"
load --all --db "$tmp/x.db" >/dev/null
check_equal 'hostile names' "$(for name in "${HOSTILE_NAMES[@]}"; do
	printf %s "$name" | od -An -v -tx1 | tr -d ' \n'
	echo
done | sort)" "$(sql -c "SELECT
	encode(convert_to(peer_host, 'UTF8'), 'hex') FROM mtusweep.run
	WHERE ended_at = '2028-01-01T00:00:00Z'" | sort)"
echo 'postgres: ok'
