#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/fault/soak.sh [--count N] [--seed S] [--state FOLDER]
#
# A sweep of N pairs (10000) in tests of 0.1 s, while the line duplicates, reorders and
# corrupts 1 % of the tunnel's packets, and is cut about once a minute, for 0.1 to 40 s.
# Every row must be in both databases once, no row that was there may be missing later, no
# process may stand still while the line is whole, and both hosts must be as before. The
# memory and the descriptors of each process must be the same in the first tenth and in the
# last one, within 2 % (memory.sh).
#
# The databases and the samples of memory are in FOLDER: a campaign with that of one that
# was stopped continues it. MTUSWEEP_BIN is the folder of the programs. The last line of
# output is:
#
#	soak: rows N of N, lost N, hangs N, cuts N, started anew N, memory +N.N %,
#	descriptors +N in N s

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/../integration/lib.sh"
# shellcheck source=tests/fault/memory.sh
. "${BASH_SOURCE[0]%/*}/memory.sh"

readonly RELAY_PORT=51821
readonly MTU_FROM=1280
readonly DURATION=0.1
# The line is whole for so long before the next cut, on average.
readonly WHOLE_S=60
# No row for so long, with a whole line, is a hang.
readonly HANG_S=120
readonly SAMPLE_S=5

pairs=10000
seed=$(($(date +%s) % 32768))
state=
cuts=0
hangs=0
lost=0
anew=0
seen=0

usage()
{
	echo 'usage: tests/fault/soak.sh [--count N] [--seed S] [--state FOLDER]' >&2
	exit 2
}

while (($#)); do
	(($# > 1)) || usage
	case $1 in
	--count) pairs=$2 ;;
	--seed) seed=$2 ;;
	--state) state=$2 ;;
	*) usage ;;
	esac
	shift 2
done

# The grid is a square.
side=1
while ((side * side < pairs)); do
	((++side))
done
pairs=$((side * side))
readonly GRID=(--mtu-min "$MTU_FROM" --mtu-max $((MTU_FROM + side - 1)) --mtu-step 1)

relay_is_ready()
{
	grep -q ready "$tmp/relay.log"
}

# Redirect the peer's tunnel through a relay on the router. It ends with the lab.
make_line_rough()
{
	local key
	key=$(sed -n 's/^PublicKey = //p' "$LAB_PEER_CONF")
	run_on router "${BASH_SOURCE[0]%/*}/../integration/line_relay.pl" 10.78.2.1 \
		"$RELAY_PORT" 10.78.1.1 10.78.1.2 51820 0 1 "$seed" </dev/null \
		>"$tmp/relay.log" 2>&1 &
	wait_for 10 'the relay' relay_is_ready
	on peer wg set "$LAB_PEER_IF" peer "$key" endpoint "10.78.2.1:$RELAY_PORT"
	# The server follows the peer's new source address.
	on peer ping -qc 3 "$LAB_SERVER_IP" >"$tmp/ping.log"
}

cut_line()
{
	on router nft -f - <<-'RULES'
		table inet cut {
			chain in {
				type filter hook input priority filter;
				udp dport { 51820, 51821 } drop
				udp sport { 51820, 51821 } drop
			}
		}
	RULES
}

mend_line()
{
	on router nft delete table inet cut
}

rows_stored()
{
	[[ -e $peer_db ]] || {
		echo 0
		return
	}
	sql "$peer_db" 'SELECT count(*) FROM measurement' 2>/dev/null || echo 0
}

start_both()
{
	local resume=()
	(($(rows_stored) == 0)) || resume=(--resume)
	start_server "${GRID[@]}"
	start_peer "${GRID[@]}" --duration "$DURATION" --no-probe "${resume[@]}"
}

# The peer's run may have failed; the server serves the next one.
restart_peer_if_ended()
{
	not_running "$peer_pid" || return 0
	wait "$peer_pid" && return 1
	((++anew))
	cp "$tmp/peer.log" "$tmp/peer-$anew.log"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 30 'the server'
	start_both
}

# Rows can only become more.
look_at_rows()
{
	local rows
	rows=$(rows_stored)
	if ((rows < seen)); then
		((lost += seen - rows))
		failed 'rows' "$rows of $seen that were there"
	fi
	if ((rows > seen)); then
		last_row_s=$SECONDS
	elif ((SECONDS - last_row_s > HANG_S + cut_s)); then
		((++hangs))
		failed 'progress' "no row for $((SECONDS - last_row_s)) s, after $rows rows"
		show_logs
		last_row_s=$SECONDS
	fi
	seen=$rows
}

# Arguments: SECONDS. Look after the run for so long; false when it has ended.
attend()
{
	local until_s=$((SECONDS + $1))
	while ((SECONDS < until_s)); do
		restart_peer_if_ended || return 1
		look_at_rows
		sample_memory "$seen" "$server_pid" "$peer_pid" >>"$samples"
		sleep "$SAMPLE_S"
	done
}

soak()
{
	last_row_s=$SECONDS cut_s=0
	start_both
	while attend $((WHOLE_S / 2 + RANDOM % WHOLE_S)); do
		# Most cuts are short, as on a real line.
		cut_s=$((RANDOM % 3 ? RANDOM % 5 : RANDOM % 40))
		cut_line
		((++cuts))
		sleep "$cut_s.$((1 + RANDOM % 9))"
		mend_line
	done
}

check_rows()
{
	local db
	for db in "$peer_db" "$server_db"; do
		check_equal "rows in ${db##*/}, and different pairs" "$pairs $pairs" \
			"$(sql "$db" "SELECT count(*) || ' ' ||
				count(DISTINCT server_mtu * 10000 + peer_mtu)
				FROM measurement" | xargs)"
	done
}

# The columns are those of memory_growth.
check_memory()
{
	growth=$(memory_growth "$samples" "$pairs")
	echo "$growth" | column -t
	check_equal 'processes that grow by more than 2 %, or by a descriptor' '' \
		"$(awk '$4 > 2 || $7 > 0 { print $1, $2 }' <<<"$growth")"
}

RANDOM=$seed
test_begin --rate-up 20 --rate-down 30 --inner 4
if [[ $state ]]; then
	install -d "$state"
	state=$(realpath "$state")
	install -d -o "$DB_USER" "$state/db"
	server_db=$state/db/server.db peer_db=$state/db/peer.db
fi
samples=${state:-$tmp}/samples
echo "soak.sh: seed $seed, $pairs pairs, $(rows_stored) are there"
before=$(hosts_state)
seen=$(rows_stored)
make_line_rough
soak
wait_exit "$peer_pid" 60 'the peer'
kill -TERM "$server_pid"
wait_exit "$server_pid" 30 'the server'
check_rows
check_same_text 'both hosts' "$before" "$(hosts_state)"
growth=
check_memory
memory=$(awk '
	$4 > most { most = $4 }
	$7 > more { more = $7 }
	END { printf "memory %+.1f %%, descriptors %+d", most, more }' <<<"$growth")
echo "soak: rows $(rows_stored) of $pairs, lost $lost, hangs $hangs, cuts $cuts," \
	"started anew $anew, $memory in $SECONDS s"
