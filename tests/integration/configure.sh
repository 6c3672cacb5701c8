#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A configure that cannot work says why: libiperf too old or of unknown version, a library
# missing, a prefix that is none. The libraries are stand-ins: text with the version.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Arguments: FOLDER IPERF CIVETWEB. Make a prefix with stand-ins that have these versions.
stand_ins()
{
	mkdir -p "$tmp/$1/include" "$tmp/$1/lib"
	touch "$tmp/$1/include/iperf_api.h"
	printf 'iperf %s\n' "$2" >"$tmp/$1/lib/libiperf.a"
	printf '#define CIVETWEB_VERSION "%s"\n' "$3" >"$tmp/$1/include/civetweb.h"
	touch "$tmp/$1/lib/libcivetweb.a"
}

# Arguments: [OPTION of cmake ...]. Set code, and text without line breaks.
configure()
{
	code=0
	text=$(cmake -S "$ROOT" -B "$tmp/build" -DMTUSWEEP_TESTS=OFF "$@" 2>&1) || code=$?
	text=$(tr -s ' \n' ' ' <<<"$text")
}

# Arguments: WHAT REGEX [OPTION of cmake ...]
refused()
{
	configure "${@:3}"
	check_equal "$1: is refused" 1 "$code"
	check_match "$1: what it says" "$2" "$text"
}

readonly OTHER=-DMTUSWEEP_SYSTEM_LIBS=OFF
stand_ins debian11 3.9 1.15
refused 'libiperf of Debian 11' 'libiperf 3.12 or newer is needed, found libiperf 3.9: '"\
$tmp/debian11/lib/libiperf.a"'.*Debian 11 and Ubuntu 22.04 have 3.9' \
	$OTHER -DMTUSWEEP_LIBS_PREFIX="$tmp/debian11"
stand_ins nameless x 1.15
refused 'libiperf without a version' \
	'libiperf 3.12 or newer is needed, found libiperf of unknown version' \
	$OTHER -DMTUSWEEP_LIBS_PREFIX="$tmp/nameless"
stand_ins old_web 3.21 1.14
refused 'civetweb' 'libcivetweb 1.15 or newer is needed, found libcivetweb 1.14' \
	$OTHER -DMTUSWEEP_LIBS_PREFIX="$tmp/old_web"
stand_ins no_web 3.21 1.16
rm "$tmp/no_web/lib/libcivetweb.a"
refused 'a prefix without civetweb' \
	"libcivetweb \(civetweb.h\) was not found below $tmp/no_web" \
	$OTHER -DMTUSWEEP_LIBS_PREFIX="$tmp/no_web"
refused 'no prefix' 'MTUSWEEP_SYSTEM_LIBS=OFF needs MTUSWEEP_LIBS_PREFIX' \
	$OTHER -DMTUSWEEP_LIBS_PREFIX=
refused 'a prefix without use' 'MTUSWEEP_LIBS_PREFIX is for MTUSWEEP_SYSTEM_LIBS=OFF' \
	-DMTUSWEEP_SYSTEM_LIBS=ON -DMTUSWEEP_LIBS_PREFIX="$tmp/new"

# No Debian has these versions.
stand_ins new 3.21 1.99
configure $OTHER -DMTUSWEEP_LIBS_PREFIX="$tmp/new"
check_equal 'new ones are taken' 0 "$code"
check_equal 'with their versions' 'libcivetweb 1.99 libiperf 3.21' \
	"$(cut -f 1,2 "$tmp/build/libraries.txt" | grep -E 'iperf|civetweb' | sort | xargs)"
configure -DMTUSWEEP_SYSTEM_LIBS=ON -DMTUSWEEP_LIBS_PREFIX= -DMTUSWEEP_READER=OFF
check_equal 'and the system ones again' 0 "$code"
check_equal 'not the others' '' \
	"$(grep -E '3\.21|civetweb.1\.99' "$tmp/build/libraries.txt" || true)"
check_equal 'without the reader no cairo' '' \
	"$(grep cairo "$tmp/build/libraries.txt" || true)"

echo "$checks checks, $failures failed"
((failures == 0))
