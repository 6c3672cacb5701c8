#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# scripts/install-deps if Prometheus or NetworkManager cannot be fetched: only --test needs
# them, and says so.
# And the packages that docs/running.md names for a gateway are those of the libraries that
# the programs are linked with; those of debian/control are what building needs.
# The script is a copy, so that its files are created beside it. dpkg-query and apt-get
# are stand-ins: all packages are installed, and apt-get fails as without a network.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/scripts" "$tmp/bin"
cp "$ROOT/scripts/install-deps" "$tmp/scripts"
printf '#!/bin/sh\necho installed\n' >"$tmp/bin/dpkg-query"
printf '#!/bin/sh\necho called >>%q\necho "E: no network" >&2\nexit 100\n' \
	"$tmp/calls" >"$tmp/bin/apt-get"
chmod 0755 "$tmp/bin"/*

# Arguments: [OPTION ...]
install_deps()
{
	code=0
	text=$(PATH=$tmp/bin:$PATH "$BASH" "$tmp/scripts/install-deps" "$@" 2>&1) || code=$?
}

install_deps
check_equal 'what building needs: its status' 0 "$code"
check_equal 'what it says' '' "$text"
check_equal 'whether it asked apt-get for anything' no \
	"$([[ -e $tmp/calls ]] && echo yes || echo no)"

install_deps --lab
check_equal 'what the demo needs: its status' 0 "$code"
check_equal 'what it says' '' "$text"

install_deps --test
check_equal 'what the tests need: its status' 1 "$code"
check_equal 'what it says' "install-deps: fetching promtool
install-deps: could not fetch promtool from promtool or prometheus (E: no network):\
 tests of exports use it, nothing else needs it; put one at build/promtool,\
 or make apt-get download prometheus work" "$text"
check_equal 'what it leaves' no "$([[ -e $tmp/build/promtool ]] && echo yes || echo no)"

mkdir -p "$tmp/build"
install -m 0755 /dev/null "$tmp/build/promtool"
install -m 0755 /dev/null "$tmp/build/prometheus"
install_deps --test
check_match 'with two of three there' \
	'fetch node_exporter from prometheus-node-exporter' "$text"
install -m 0755 /dev/null "$tmp/build/node_exporter"
install_deps --test
check_equal 'without NetworkManager: its status' 1 "$code"
check_match 'what it says' 'could not fetch network-manager .*E: no network.*homes' \
	"${text//$'\n'/ }"
mkdir "$tmp/build/networkmanager"
install_deps --test
check_equal 'with all there: its status' 0 "$code"
check_equal 'what it says then' '' "$text"

# Arguments: PACKAGE FILE: apt-get download has this package alone, with this file.
offer_package()
{
	rm -rf "$tmp/build" "$tmp/deb" "$tmp"/*.deb
	mkdir -p "$tmp/build/networkmanager"
	install -m 0755 /dev/null "$tmp/build/prometheus"
	install -m 0755 /dev/null "$tmp/build/node_exporter"
	install -D -m 0755 /dev/null "$tmp/deb$2"
	mkdir "$tmp/deb/DEBIAN"
	printf '%s\n' "Package: $1" 'Version: 1' 'Architecture: all' \
		'Maintainer: nobody <nobody@example.org>' 'Description: stand-in' \
		>"$tmp/deb/DEBIAN/control"
	dpkg-deb --build "$tmp/deb" "$tmp/$1_1_all.deb" >/dev/null
	# shellcheck disable=SC2016 # expanded there
	printf '#!/bin/sh\nfor package; do :; done\ncp "%q/${package}_1_all.deb" .\n' \
		"$tmp" >"$tmp/bin/apt-get"
}

for package in promtool prometheus; do
	offer_package "$package" /usr/bin/promtool
	install_deps --test
	check_equal "a promtool in the package $package: its status" 0 "$code"
	check_equal 'what it says' 'install-deps: fetching promtool' "$text"
	check_equal 'what it leaves' yes "$([[ -x $tmp/build/promtool ]] && echo yes)"
done
offer_package prometheus /usr/bin/prometheus
install_deps --test
check_match 'a package without promtool' 'could not fetch promtool' "$text"

# Arguments: PROGRAM. Print the packages of its libraries, but for those of the C library
# and of the sanitizers.
linked()
{
	local library
	objdump -p "$MTUSWEEP_BIN/$1" |
		awk '/NEEDED/ && !/lib(gcc_s|asan|ubsan|tsan)\./ { print $2 }' |
		while read -r library; do
			dpkg-query -S "/usr/lib/*/$library" "/lib/*/$library" 2>/dev/null |
				sed 's/:.*//; s/t64$//' | grep -v '^libc6' || :
		done | sort -u | xargs
}

for program in mtusweep-server mtusweep-peer; do
	packages=$(linked "$program")
	check_match "$program: its libraries were found" 'libiperf0 ' "$packages"
	# shellcheck disable=SC2016 # Markdown's backquotes
	named=$(sed -n 's/^| `'"$program"'` | \(lib[^|]*\) |$/\1/p' "$ROOT/docs/running.md")
	check_equal "$program: the packages of docs/running.md" "$packages" "$named"
done

# The package's own build needs the same libraries.
needed=$(sed -n '/^readonly BUILD=(/,/)/p' "$ROOT/scripts/install-deps" |
	tr -c 'a-z0-9-' '\n' | grep -- '-dev$' | sort | xargs)
check_match 'libraries of the build' libiperf-dev "$needed"
check_equal 'libraries in debian/control' "$needed" \
	"$(sed -n 's/^ \(lib[a-z0-9-]*-dev\)\b.*/\1/p' "$ROOT/debian/control" |
		sort | xargs)"

echo "$checks checks, $failures failed"
((failures == 0))
