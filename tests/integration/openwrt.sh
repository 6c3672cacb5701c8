#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# OpenWrt's package: the version is CMake's, it installs files that CMake installs, and its
# service starts the server with options that the server has. OpenWrt's make rules,
# rc.common and procd are stand-ins.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

: "${MTUSWEEP_BIN:?is not set: give the folder that holds the three programs}"
ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
readonly PACKAGE=$ROOT/packaging/openwrt/mtusweep
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# --- the Makefiles ---

mkdir "$tmp/include"
cat >"$tmp/rules.mk" <<'END'
INSTALL_DIR:=install -d -m 0755
INSTALL_BIN:=install -m 0755
INSTALL_CONF:=install -m 0600
INSTALL_DATA:=install -m 0644
BUILD_DIR:=/build
TARGET_CC:=cc
TARGET_AR:=ar
END
cat >"$tmp/include/package.mk" <<'END'
define BuildPackage
install:
	$(call Package/$(1)/install,$(OUT))
compile:
	$(call Build/Compile)
stage:
	$(call Build/InstallDev,$(OUT))
facts:
	@echo '$(PKG_VERSION)'; echo '$(CMAKE_OPTIONS)'
endef
END
touch "$tmp/include/cmake.mk"

# Arguments: PACKAGE [ARG of make ...]
run_make()
{
	make -s --no-print-directory -C "$ROOT/packaging/openwrt/$1" TOPDIR="$tmp" \
		INCLUDE_DIR="$tmp/include" OUT="$tmp/out" "${@:2}"
}

version=$(sed -n 's/^project(mtusweep VERSION \([0-9.]*\).*/\1/p' "$ROOT/CMakeLists.txt")
facts=$(run_make mtusweep facts)
check_equal 'version of the package' "$version" "$(head -n 1 <<<"$facts")"
for option in $(tail -n 1 <<<"$facts"); do
	option=${option#-D}
	check_match "CMake's option ${option%=*}" "^option\(${option%=*} " \
		"$(cat "$ROOT/CMakeLists.txt" "$ROOT/cmake/Dependencies.cmake")"
done
DESTDIR=$tmp/installed cmake --install "$MTUSWEEP_BIN/.." --prefix /usr >"$tmp/log"
run_make mtusweep install PKG_INSTALL_DIR="$tmp/installed" 2>"$tmp/log" ||
	failed 'the install list' "$(<"$tmp/log")"
check_equal 'the files of the package' "/etc/config/mtusweep 600
/etc/init.d/mtusweep 755
/usr/sbin/mtusweep-peer 755
/usr/sbin/mtusweep-server 755" "$(cd "$tmp/out" &&
	find . -type f -printf '/%P %m\n' | sort)"

# The library, from a stand-in for its source.
mkdir -p "$tmp/civetweb/src" "$tmp/civetweb/include"
echo 'int mg_stand_in; /* include */' >"$tmp/civetweb/src/civetweb.c"
touch "$tmp/civetweb/include/civetweb.h"
rm -rf "$tmp/out"
run_make libcivetweb compile stage PKG_BUILD_DIR="$tmp/civetweb" 2>"$tmp/log" ||
	failed 'the library' "$(<"$tmp/log")"
check_equal 'the files of the library' '/usr/include/civetweb.h /usr/lib/libcivetweb.a' \
	"$(cd "$tmp/out" && find . -type f -printf '/%P\n' | sort | xargs)"

# --- the service ---

# Arguments: FILE. Run its service with the configuration FILE, and print what procd is
# told. The shell is dash, whose language is that of OpenWrt's shell.
# shellcheck disable=SC2016 # expanded there
start_with()
{
	dash -euc '
		config_load() { :; }
		config_foreach() {
			sed -n "s/^config $2 .\(.*\).$/\1/p" "$file" >"$tmp/sections"
			while read -r section; do "$1" "$section"; done <"$tmp/sections"
		}
		config_get() {
			value=$(awk -v name="$3" -v section="'\''$2'\''" -F "[ \t]+" "
				\$1 == \"config\" { here = \$3 == section }
				here && \$2 == \"option\" && \$3 == name { print \$4 }" \
				"$file" | tr -d "'\''")
			eval "$1=\${value:-\${4-}}"
		}
		config_get_bool() { config_get "$@"; }
		mkdir() { echo "mkdir $*"; }
		chown() { echo "chown $*"; }
		ln() { :; }
		procd_open_instance() { echo "instance $*"; }
		procd_set_param() { printf "\n%s" "$*"; }
		procd_append_param() { shift; printf " %s" "$*"; }
		procd_close_instance() { echo; }
		procd_add_reload_trigger() { echo "reload $*"; }
		tmp=$1 file=$2
		. "$3"
		start_service
		service_triggers
	' - "$tmp" "$1" "$PACKAGE/files/mtusweep.init"
}

check_equal 'as installed nothing is served' 'reload mtusweep' \
	"$(start_with "$PACKAGE/files/mtusweep.config")"

# Every option that the file mentions, and a second section.
{
	sed "s/^#//; s/enabled '0'/enabled '1'/" "$PACKAGE/files/mtusweep.config" |
		grep -v '^	#\|^ '
	printf "config server 'wg1'\n\toption enabled '1'\n\toption folder '/mnt/db'\n"
} >"$tmp/config"
started=$(start_with "$tmp/config")
check_equal 'what is served' "/usr/sbin/mtusweep-server --interface wg0 --user mtusweep\
 --db /var/lib/mtusweep/wg0.db --server-ip 10.0.0.1 --server-port 5000 --iperf-port 5201\
 --mtu-min 1280 --mtu-max 1440 --persist none
/usr/sbin/mtusweep-server --interface wg1 --user mtusweep --db /mnt/db/wg1.db" \
	"$(sed -n 's/^command //p' <<<"$started")"
check_equal 'the second folder' 'chown mtusweep:mtusweep /mnt/db' \
	"$(grep '^chown.*mnt' <<<"$started")"
help=$("$MTUSWEEP_BIN/mtusweep-server" --help)
read -ra options < <(sed -n "s/^OPTIONS='\(.*\)'/\1/p" "$PACKAGE/files/mtusweep.init")
for option in "${options[@]}"; do
	check_match "the server's option $option" "^  (-., )?--${option//_/-} " "$help"
done

echo "$checks checks, $failures failed"
((failures == 0))
