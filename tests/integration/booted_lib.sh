# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # who sources this sets `unit`
#
# For tests in a container that systemd boots (tests/lab/booted): MTUSWEEP_BUILD, the build
# that ctest names, is installed there. Who sources this gives its own name and arguments:
#
#	. booted_lib.sh SCRIPT [ARG ...]
#
# and goes on in the container only.

if [[ ${2-} != booted ]]; then
	: "${MTUSWEEP_BUILD:?is not set: give the folder of a build}"
	exec bash "${BASH_SOURCE[0]%/*}/../lab/booted" --install "$MTUSWEEP_BUILD" \
		env MTUSWEEP_BIN=/usr/local/sbin bash "$(realpath "$1")" booted
fi

# It changes the machine that it runs on.
[[ -e /booted.sh ]] || {
	echo "${1##*/}: \"booted\" is for the inside of tests/lab/booted"
	exit 2
}

# --- a service, $unit ----------------------------------------------------------------

# Print a property of the service.
property()
{
	systemctl show --value --property "$1" "$unit"
}

main_pid()
{
	pgrep -P "$(property MainPID)" -x mtusweep-main
}

# Arguments: [PID]. With another first process than that. One that has just ended is none,
# in a service that is still active.
is_ready()
{
	[[ $(property MainPID) != "${1-0}" && $(property ActiveState) == active ]] &&
		main_pid >/dev/null
}

# Arguments: SECONDS WHAT SIGNAL, which its main process gets.
wait_comes_back()
{
	local before
	before=$(property MainPID)
	kill "-$3" "$(main_pid)"
	wait_for "$1" "$2: a new service" is_ready "$before"
}

end_service()
{
	systemctl stop "$unit"
	check_equal 'stopped' 'inactive success' \
		"$(property ActiveState) $(property Result)"
	check_equal 'processes left' '' "$(pgrep -x mtusweep-main || true)"
	check_equal 'its system calls and sockets were enough' '' \
		"$(journalctl --unit "$unit" --output cat | grep -i 'not permitted' ||
			true)"
}

# The unit as it is installed; then the end of its journal.
check_unit()
{
	local exposure
	exposure=$(systemd-analyze security --offline=yes \
		"/usr/local/lib/systemd/system/${unit/@*/@.service}" |
		sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p')
	echo "systemd-analyze security: $exposure"
	check_equal 'exposure below 3' yes \
		"$(awk -v e="$exposure" 'BEGIN { print e != "" && e < 3 ? "yes" : e }')"
	check_equal 'the unit is sound' '' "$(systemd-analyze verify "$unit" 2>&1)"
	journalctl --unit "$unit" --output cat | tail -n 40
}
