#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/lab/vms without virtual machines: a stand-in for vm prints ctest's output in
# one. Checked are the share that each is given, the summary, and that none outlives it.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
lab=$tmp/tests/lab
mkdir -p "$lab" "$tmp/tests/cases"
cp "$ROOT/tests/lab/vms" "$lab"
cp "$ROOT/tests/cases/table" "$tmp/tests/cases"
printf '#!/bin/sh\necho 2\n' >"$tmp/nproc"
cat >"$lab/vm" <<'VM'
#!/usr/bin/env bash
# In a machine the tests of a share: those of $TESTS, "name" or "name!" for one that fails.
read -ra all <<<"$TESTS"
[[ $1 != count ]] || { echo "${#all[@]}" && exit; }
echo "$*" >>"$CALLS"
IFS=, read -r at _ stride <<<"${*: -1}"
if [[ ${all[at - 1]} == hangs ]]; then
	echo $$ >>"$CALLS.pids"
	exec sleep 60
fi
[[ ${all[at - 1]} != dies ]] || { echo 'vm: ended at its deadline' && exit 124; }
ran=0 failed=()
for ((; at <= ${#all[@]}; at += stride)); do
	ran=$((ran + 1))
	[[ ${all[at - 1]} != *! ]] || failed+=("$at - ${all[at - 1]%!} (Failed)")
done
printf '%d%% tests passed, %d tests failed out of %d\r\n' \
	$((100 - 100 * ${#failed[@]} / ran)) ${#failed[@]} "$ran"
[[ ! ${ROWS-} ]] || echo "$ROWS"
((${#failed[@]})) || exit 0
printf '\r\nThe following tests FAILED:\r\n'
printf '\t %s\r\n' "${failed[@]}"
printf 'Errors while running CTest\r\n'
exit 8
VM
chmod 0755 "$tmp/nproc" "$lab/vm"
export CALLS=$tmp/calls

# Arguments: TESTS STATUS SUMMARY
check_run()
{
	local code=0
	rm -f "$CALLS"
	TESTS=$1 PATH=$tmp:$PATH "$lab/vms" --build b -R x >"$tmp/out" 2>&1 || code=$?
	check_equal "'$1': the exit status" "$2" "$code"
	check_equal "'$1': the summary" "$3" \
		"$(sed -n '/ in [0-9]* virtual machines, /,$p' \
		"$tmp/out" | grep -v '^vms:' | tail -n +1)"
}

check_run 'a b c' 0 '3 of 3 tests ran in 2 virtual machines, 0 failed'
check_equal 'the shares' 'test --deadline 10800 --build b -R x -I 1,,2
test --deadline 10800 --build b -R x -I 2,,2' "$(sort "$CALLS")"
check_equal 'both are shown' 2 "$(grep -c '^=== virtual machine' "$tmp/out")"
check_equal 'as a terminal has it' '' "$(grep $'\r' "$tmp/out" || true)"
check_run 'a' 0 '1 of 1 tests ran in 1 virtual machines, 0 failed'
check_run 'a! b c d! e!' 1 '5 of 5 tests ran in 2 virtual machines, 3 failed
    a (Failed)
    e (Failed)
    d (Failed)'
check_run 'a dies c d' 1 '2 of 4 tests ran in 2 virtual machines, 0 failed'
check_equal 'which of them' 'virtual machine 2 ended without a result, status 124' \
	"$(grep 'without a result' "$tmp/out")"
export ROWS='| clean | 1440/1440 | 1440/1440 | 20 | right |'
check_run 'a b' 0 '2 of 2 tests ran in 2 virtual machines, 0 failed'
check_equal 'the table of the cases' '| clean | 1440/1440 | 1440/1440 | 20 | right |
1 cases: 1 right' "$(sed -n '/^| case/,$p' "$tmp/out" | grep -E '^. clean|cases:' |
	tail -n 2)"
check_equal 'the saved table' 1 "$(grep -c '^| clean' "$tmp/build/vm/cases.md")"
unset ROWS
check_run '' 1 ''
check_equal 'what it says then' "vms: no test is chosen by '--build b -R x'" \
	"$(cat "$tmp/out")"

TESTS='hangs hangs' PATH=$tmp:$PATH "$lab/vms" >"$tmp/out" 2>&1 &
vms_pid=$!
for ((i = 0; i < 500; i++)); do
	[[ -e $CALLS.pids && $(wc -l <"$CALLS.pids") == 2 ]] && break
	sleep 0.02
done
kill -TERM "$vms_pid"
code=0
wait "$vms_pid" || code=$?
check_equal 'told to end: the exit status' 143 "$code"
while read -r pid; do
	check_equal 'told to end: a machine' gone \
		"$(kill -0 "$pid" 2>/dev/null && echo there || echo gone)"
done <"$CALLS.pids"
check_equal 'told to end: machines that there were' 2 "$(wc -l <"$CALLS.pids")"

echo "$checks checks, $failures failed"
((failures == 0))
