#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs of several tunnels in one database: --tunnel selects them by their public keys.
#
#	test_tunnels.sh PROGRAM SOURCES

set -uo pipefail
program=$(realpath -e "$1") || exit 1
sources=$(realpath -e "$2") || exit 1
# shellcheck source=tests/cmd/expect.sh
. "${BASH_SOURCE[0]%/*}/expect.sh"
folder=$(mktemp -d /tmp/mtusweep-test-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# Runs 1, 3 and 5 are one tunnel's: its names and addresses have changed in run 3, the
# roles in run 5. Runs 2 and 4 are another one's, with the names and addresses of run 1.
# Run 6 has one key, run 7 none.
hub=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
one=3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
two=hHwNLDdSNPNl5mCVUYejc1oPdhPRYJ06ak2MU66qWiI=
first=3p7bfXt9-hSDwCYkw
second=hHwNLDdS-hSDwCYkw
{
	cat "$sources/store/schema.sql" "$sources/store/schema2.sql"
	for run in 1 2 3 4 5 6 7; do
		cat <<-SQL
			INSERT INTO run (id, uuid, role, started_at, outcome, strategy,
				passes, seed, persist, server_host, server_interface,
				server_address, server_backend, server_mtu_min,
				server_mtu_max, server_mtu_step, peer_host,
				peer_backend, peer_mtu_min, peer_mtu_max,
				peer_mtu_step)
			VALUES ($run, '0a1b2c3$run-0000-4000-8000-000000000000',
				'peer', '2026-11-22T12:20:39.123Z', 'done', 'grid', 1, '7',
				'none', 'hub', 'wg0', '10.0.0.1', 'kernel', 1280, 1420, 70,
				'spoke', 'kernel', 1280, 1420, 70);
			INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,
				upload_status, upload_text, upload_sent_bps,
				upload_received_bps, download_status, download_text,
				download_sent_bps, download_received_bps)
			VALUES ($run, 1, 1, 1280, 1280, 'ok', '', 31000000, ${run}0000000,
				'ok', '', 51000000, 50000000);
		SQL
	done
	cat <<-SQL
		UPDATE run SET server_host = 'moved', server_interface = 'wg9',
			server_address = '10.9.9.9' WHERE id = 3;
		INSERT INTO run_tunnel (run_id, tunnel, server_key, peer_key) VALUES
			(1, '$first', '$hub', '$one'), (2, '$second', '$hub', '$two'),
			(3, '$first', '$hub', '$one'), (4, '$second', '$hub', '$two'),
			(5, '$first', '$one', '$hub'), (6, NULL, '$hub', NULL);
	SQL
} | sqlite3 -bail mtusweep.db || exit 1

# The list has the tunnel of each run.
expect 0 "~ +1 [^~]* $first  hub wg0 - spoke~ +2 [^~]* $second  hub wg0 - spoke~" '' runs
expect 0 '~ +6 [^~]*  -  +- +hub wg0 - spoke~ +7 [^~]*  -  +- +hub wg0 - spoke~$' '' runs
expect 0 "^ run [^~]*~ +1 [^~]*~ +3 [^~]* moved wg9 - spoke~ +5 [^~]*~\$" '' \
	runs --tunnel "$first"
expect 0 "^ run [^~]*~ +2 [^~]*~ +4 [^~]*~\$" '' runs --tunnel "$two"
for name in "${one:0:4}" "$one" "${first%-*}" "${first%-*}-"; do
	expect 0 "^ run [^~]*~ +1 [^~]*~ +3 [^~]*~ +5 [^~]*~\$" '' runs --tunnel "$name"
done
expect 1 '' "more than one tunnel has the name '$hub': ($first and $second|$second and \
$first); give one" runs --tunnel "$hub"
expect 1 '' "no tunnel 'nobody' in database '.*/mtusweep.db'" runs --tunnel nobody
expect 1 '' "no tunnel '3p7' in database" runs --tunnel 3p7
expect 2 '' "needs a value: TUNNEL" runs --tunnel

# The newest run of the tunnel, and no other's.
expect 0 '^fastest|upload 40.000' '' best --tunnel "$second"
expect 0 'upload 50.000' '' best --tunnel "$first"
expect 0 'upload 70.000' '' best
expect 0 "run       4 .*~tunnel    $second, public keys: server $hub, peer \
$two~" '' show --tunnel "$second"
expect 0 '^server_mtu[^~]*~1280,1280,40.000' '' export --tunnel "$second"
expect 0 "upload 30.000" '' best 3 --tunnel "$first"
expect 1 '' "no run '2' of this tunnel in database" best 2 --tunnel "$first"
expect 1 '' "no run '2' of this tunnel in database" view 2 --tunnel "$first"
expect 1 '' "no tunnel 'nobody'" view --tunnel nobody
expect 0 '^mtusweep-run-4\.html~$' '' share --tunnel "$second"
if grep -qF -e "${hub:0:8}" -e "${two:0:8}" mtusweep-run-4.html; then
	echo 'FAIL: a shared file has a public key'
	failures=$((failures + 1))
fi

# A run without both keys is of no tunnel.
expect 0 "run       6 .*~tunnel    -, public keys: server $hub, peer -~" '' show 6
expect 0 'run       7 .*~server    hub wg0 10.0.0.1, ' '' show 7
expect 0 '"tunnel": ?null' '' show 7 --json
expect 0 "\"public_key\": ?\"$hub\"" '' show 6 --json
expect 0 "\"tunnel\": ?\"$first\"" '' best 1 --json

# The two newest of a tunnel are compared; runs of two tunnels are said to be that.
expect 0 "~ +2 [^~]*~ +4 [^~]*~~pair " '' compare --tunnel "$second"
expect 0 '"same_tunnel": ?true' '' compare --json 1 3
expect 0 "tunnel    two different ones: $first and $second~" '' compare 1 2
expect 0 '"same_tunnel": ?false' '' compare --json 1 2
expect 0 '"same_tunnel": ?null' '' compare --json 1 7
expect 0 'tunnel    the same in both, but server and peer have exchanged their roles' '' \
	compare 1 5
expect 1 '' "no run '2' of this tunnel" compare 1 2 --tunnel "$first"
expect 2 '' 'expected 2 arguments' compare

# A key that cannot be.
sqlite3 mtusweep.db "PRAGMA ignore_check_constraints = 1;
	UPDATE run_tunnel SET server_key = 'x' WHERE run_id = 4" || exit 1
expect 1 '' "has a tunnel that cannot be: its server_key is 'x'" show 4
expect 1 '' "has a tunnel that cannot be" runs --tunnel "$first"

# Version 1 has no keys.
sqlite3 -bail old.db <"$sources/store/schema.sql" || exit 1
expect 1 '' "no tunnel '$first' in database" runs --db old.db --tunnel "$first"

echo "$failures failed"
[ "$failures" = 0 ]
