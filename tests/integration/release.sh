#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# scripts/release gives the same bytes twice, in other surroundings too; its tarball has the
# tracked files and its SBOM the libraries that CMake looks for. All places have CMake's
# version.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

: "${MTUSWEEP_BIN:?is not set: give the folder that holds the three programs}"
ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

version=$(sed -n 's/^project(mtusweep VERSION \([0-9.]*\).*/\1/p' "$ROOT/CMakeLists.txt")
check_match 'a version' '^[0-9]+\.[0-9]+\.[0-9]+$' "$version"
check_equal 'version of debian/changelog' "$version" \
	"$(sed -n '1s/.*(\(.*\)).*/\1/p' "$ROOT/debian/changelog")"
for page in mtusweep.1 mtusweep-server.8 mtusweep-peer.8; do
	check_match "version of ${page%.*}" "^${page%.*} ${version//./\\.}( |$)" \
		"$("$MTUSWEEP_BIN/${page%.*}" --version)"
	check_equal "version of its man page" ".Os mtusweep $version" \
		"$(grep '^\.Os' "$MTUSWEEP_BIN/../docs/$page")"
done

# Arguments: FOLDER [NAME=VALUE ...]
release()
{
	(umask 077 && env "${@:2}" "$ROOT/scripts/release" "$tmp/$1") 2>"$tmp/log" >&2 ||
		failed "scripts/release $1" "$(<"$tmp/log")"
}

release one
release two TZ=Asia/Tokyo LC_ALL=C.UTF-8 TAR_OPTIONS=--mtime=@0 GZIP_OPT=
names="SHA256SUMS mtusweep-$version.spdx.json mtusweep-$version.tar.gz"
check_equal 'its files' "$names" "$(cd "$tmp/one" && echo *)"
for name in $names; do
	check_equal "$name is the same twice" yes \
		"$(cmp "$tmp/one/$name" "$tmp/two/$name" && echo yes)"
done
check_equal 'its sums' yes "$(cd "$tmp/one" && sha256sum --quiet -c SHA256SUMS && echo yes)"
check_equal 'files of the tarball' "$(git -C "$ROOT" ls-tree -r --name-only HEAD | sort)" \
	"$(tar -tzf "$tmp/one/mtusweep-$version.tar.gz" | sed "s|^mtusweep-$version/||" |
		grep -v '/$' | sed '/^$/d' | sort)"
check_equal 'owners in the tarball' root/root \
	"$(tar -tvzf "$tmp/one/mtusweep-$version.tar.gz" | awk '{ print $2 }' | sort -u)"

# Print the SBOM as lines "NAME VERSION LICENCE PURL", after checking what SPDX 2.3 asks
# of a document.
perl -MJSON::PP -e '
	my $sbom = decode_json(do { local $/; <STDIN> });
	$sbom->{$_} || die "no $_\n" for qw(SPDXID name documentNamespace creationInfo);
	$sbom->{spdxVersion} eq "SPDX-2.3" or die "not SPDX 2.3\n";
	$sbom->{dataLicense} eq "CC0-1.0" or die "its own licence\n";
	$sbom->{creationInfo}{created} =~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
		or die "created\n";
	my %ids = ($sbom->{SPDXID} => 1);
	for my $package (@{$sbom->{packages}}) {
		$package->{$_} // die "no $_\n"
			for qw(downloadLocation licenseDeclared);
		$package->{SPDXID} =~ /^SPDXRef-[A-Za-z0-9.-]+$/ or die "id\n";
		$ids{$package->{SPDXID}}++ and die "twice\n";
		print join(" ", @$package{qw(name versionInfo licenseDeclared)},
			$package->{externalRefs}[0]{referenceLocator}), "\n";
	}
	for my $relation (@{$sbom->{relationships}}) {
		$ids{$relation->{$_}} or die "no package $relation->{$_}\n"
			for qw(spdxElementId relatedSpdxElement);
	}
	@{$sbom->{relationships}} == @{$sbom->{packages}} or die "relationships\n";
' <"$tmp/one/mtusweep-$version.spdx.json" >"$tmp/packages" 2>"$tmp/log" ||
	failed 'the SBOM' "$(<"$tmp/log")"
check_equal 'itself in the SBOM' "mtusweep $version MIT pkg:generic/mtusweep@$version" \
	"$(head -n 1 "$tmp/packages")"
check_same_text 'libraries of the SBOM: as this build found them' \
	"$(awk -F '\t' '{ print $1, $2, $3, $4 "@" $2 }' \
	"$MTUSWEEP_BIN/../libraries.txt")" \
	"$(tail -n +2 "$tmp/packages")"

echo "$checks checks, $failures failed"
((failures == 0))
