#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/terminal.sh grid|probe|smart
#
# The peer on a terminal: each line of its result begins at the left edge, below or in
# place of the progress line, and none of it is glued to that line.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# The words that lines of a result begin with.
RESULTS='recommended: |with [0-9]+/|to apply it|map: |explanation: |fastest pair: '
readonly RESULTS+='|path, |why: |current pair: |probes: '

# Arguments: OPTION ... Run the peer on a terminal of its own; $tmp/screen is what it wrote.
run_on_terminal()
{
	local command
	printf -v command '%q ' "$LAB" exec "$lab_name" peer "$MTUSWEEP_BIN/mtusweep-peer" \
		--interface "$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" --db "$peer_db" \
		--wait 20 "$@"
	timeout 120 script -qfec "$command" "$tmp/screen" </dev/null >/dev/null 2>&1 ||
		status=$?
}

# Print the lines as they stand on the screen at the end.
shown_lines()
{
	sed 's/\r*$//; s/.*\r//; s/\x1b\[K//g' "$tmp/screen"
}

test_begin --rate-up 8 --rate-down 12
status=0
server_range=()
case $1 in
grid)
	server_range=(--mtu-min 1380 --mtu-max 1420 --mtu-step 40)
	options=("${server_range[@]}" --duration 0.5)
	;;
*) options=(--strategy "$1") ;;
esac
start_server --once "${server_range[@]}"
run_on_terminal "${options[@]}"
check_equal "the peer's exit status" 0 "$status"
if [[ $1 != probe ]]; then
	check_match 'a progress line' '^\[[0-9]+.*\] [0-9]+/[0-9]+ ' \
		"$(grep -aoE '\[[0-9]+[^]]*\] [0-9]+/[0-9]+ ' "$tmp/screen")"
fi
check_match 'a result' . "$(shown_lines | grep -aE "^($RESULTS)" || true)"
if [[ $1 == grid ]]; then
	check_match 'the map' '^WireGuard MTUs: ' "$(shown_lines)"
	check_match 'the largest server MTU of the map' '^ *1420 ' "$(shown_lines)"
fi
if [[ $1 != probe ]]; then
	check_match 'the path' '^Upload, peer to server$' "$(shown_lines)"
	check_match 'its edge' '^outer size .*\[1500\]' "$(shown_lines)"
	check_match 'the traffic, before' 'at most about [0-9.]+ MB for each Mbit/s' \
		"$(shown_lines)"
	check_match 'the traffic, early' 'first measurement transferred [0-9.]+ MB; ' \
		"$(shown_lines)"
	check_match 'the traffic, after' 'of this run transferred about [0-9.]+ MB ' \
		"$(shown_lines)"
fi
check_equal 'results behind a progress line' '' \
	"$(shown_lines | grep -aE "^\\[.*($RESULTS)" || true)"
