#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Bad input: each gets a sentence on stderr that names the thing, exit status 2 for
# usage and 1 otherwise, and changes nothing on either host.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Arguments: STATUS REGEX COMMAND [ARG ...]. Run it and check both.
row()
{
	local want=$1 regex=$2 found=0 before line
	shift 2
	line=${*//"$tmp"/TMP}
	line=${line//"$MTUSWEEP_BIN/"/}
	before=$(hosts_state)
	timeout --foreground 15 "$@" </dev/null >"$tmp/out" 2>"$tmp/err" || found=$?
	check_equal "exit status of: $line" "$want" "$found"
	check_match "stderr of: $line" "$regex" "$(cat "$tmp/err")"
	check_equal "stdout of: $line" '' "$(cat "$tmp/out")"
	check_same_text "both hosts after: $line" "$before" "$(hosts_state)"
}

# Run each program with correct options; later options override them.
server()
{
	row "$1" "$2" "${as_on[@]/#HOST/server}" "$bin/mtusweep-server" \
		--interface "$LAB_SERVER_IF" --server-ip "$LAB_SERVER_IP" \
		--db "$server_db" "${@:3}"
}

peer()
{
	row "$1" "$2" "${as_on[@]/#HOST/peer}" "$bin/mtusweep-peer" \
		--interface "$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" \
		--db "$peer_db" --wait 1 "${@:3}"
}

tool()
{
	row "$1" "$2" "$bin/mtusweep" "${@:3}"
}

either()
{
	server "$@"
	peer "$@"
}

usage()
{
	either 2 'frobnicate' --frobnicate
	either 2 'surplus' surplus
	either 2 'mtu-min.*(above|larger|greater)' --mtu-min 1400 --mtu-max 1300
	either 2 "'0'.*--mtu-step" --mtu-step 0
	either 2 "'-20'.*--mtu-step" --mtu-step -20
	either 2 "'500'.*--mtu-min.*576" --mtu-min 500
	either 2 "'70000'.*--mtu-max.*65535" --mtu-max 70000
	either 2 "'12x0'.*--mtu-min" --mtu-min 12x0
	either 2 '--mtu-max' --mtu-max
	either 2 "'maybe'.*--persist.*best" --persist maybe
	either 2 "'70000'.*--server-port.*65535" --server-port 70000
	either 2 "'0'.*--iperf-port" --iperf-port 0
	either 2 "'nonsense'.*--server-ip" --server-ip nonsense
	peer 2 "'soon'.*--duration" --duration soon
	peer 2 "'0'.*--duration.*0\.1" --duration 0
	peer 2 "'-1'.*--wait" --wait -1
	peer 2 '--repeat-failed needs --resume' --repeat-failed
	peer 2 '--passes is for --strategy grid, this is smart, the default' --passes 2
	peer 2 '--order is for --strategy grid, this is probe$' --strategy probe \
		--order shuffled
	peer 2 '--margin is for --strategy smart, this is grid, the default with' \
		--mtu-min 1400 --margin 3
	peer 2 '--persist best applies only a pair that probes confirm: omit --no-probe' \
		--mtu-min 1400 --no-probe --persist best
	peer 2 '--budget is for --strategy smart; --apply measures one pair' --apply \
		--budget 5
	peer 2 '--seed is for --order shuffled' --mtu-min 1400 --seed 5
	peer 2 '--duration is for --strategy grid or smart, this is probe$' \
		--strategy probe --duration 5
	peer 2 '--strategy is for a sweep, --apply applies one pair' --apply --strategy grid
	peer 2 '--run and --pair need --apply' --pair 1400,1400
	peer 2 '--run and --pair need --apply' --run 1
	peer 2 "'1400'.*--pair.*1420/1400" --apply --pair 1400
	peer 2 "'1400,'.*--pair" --apply --pair 1400,
	peer 2 "'1400,70000'.*--pair.*65535" --apply --pair 1400,70000
	peer 2 '--apply applies a pair, --resume continues' --apply --resume
	peer 2 '--apply writes link and conf file, --persist each' --apply --persist each
	tool 2 'frobnicate' best --frobnicate
	tool 2 'frobnicate' frobnicate
	tool 2 'usage|command'
	tool 2 "'sideways'.*--by.*sum" best --by sideways --db "$peer_db"
	tool 2 "'xml'.*--format.*csv" export --format xml --db "$peer_db"
}

interfaces()
{
	either 1 'nosuch0' --interface nosuch0
	either 1 'eth0.*(not|no) .*wireguard' --interface eth0
	either 1 '--force' --interface eth0
	# An address that is not reached through the tunnel, and one that nobody has
	# there.
	peer 1 "10\.78\.1\.2.*$LAB_PEER_IF|$LAB_PEER_IF.*10\.78\.1\.2" --server-ip 10.78.1.2
	server 1 '10\.77\.0\.9' --server-ip 10.77.0.9
	either 1 '1280.*IPv6|IPv6.*1280' --mtu-min 1200
}

# Arguments: PROGRAM REGEX TARGET [OPTION ...]. Its stdout goes to TARGET and is lost:
# check its message.
lost_output()
{
	local found=0 before
	before=$(hosts_state)
	"${as_on[@]/#HOST/peer}" bash -c 'exec "$@" '"$3" - "$bin/$1" "${@:4}" \
		</dev/null 2>"$tmp/err" || found=$?
	check_equal "exit status of: $1 ${*:4} $3" 1 "$found"
	check_match "stderr of: $1 ${*:4} $3" "$2" "$(cat "$tmp/err")"
	check_same_text "both hosts after: $1 ${*:4} $3" "$before" "$(hosts_state)"
}

lost_outputs()
{
	local program option
	for program in server peer; do
		for option in help version; do
			lost_output "mtusweep-$program" \
				'cannot write the output: Bad file' \
				'>&-' "--$option"
			lost_output "mtusweep-$program" \
				'cannot write the output: No space' \
				'>/dev/full' "--$option"
		done
	done
}

nothing_left()
{
	server 0 "nothing to restore on '$LAB_SERVER_IF'\$" --restore
	peer 0 "nothing to restore on '$LAB_PEER_IF'\$" --restore
	either 0 "to restore on 'nosuch0', and no such interface exists: .*--interface" \
		--restore --interface nosuch0
}

conf_files()
{
	local end conf
	printf '# no section\nMTU = 1420\n' >"$tmp/none.conf"
	mkdir "$tmp/a.conf" "$tmp/links"
	for end in server peer; do
		conf=$LAB_PEER_CONF
		[[ $end == peer ]] || conf=$LAB_SERVER_CONF
		ln -sfn "$conf" "$tmp/links/out.conf"
		"$end" 1 'nosuch\.conf' --persist best --conf-file "$tmp/nosuch.conf"
		"$end" 1 'nosuch\.conf' --conf-file "$tmp/nosuch.conf"
		"$end" 1 'a\.conf' --persist best --conf-file "$tmp/a.conf"
		"$end" 1 'none\.conf.*Interface|Interface.*none\.conf' \
			--persist each --conf-file "$tmp/none.conf"
		"$end" 1 'out\.conf' --persist best --conf-file "$tmp/links/out.conf"
	done
}

databases()
{
	local program
	echo 'not a database, but long enough to be taken for one' >"$tmp/db/text.db"
	sqlite3 "$tmp/db/other.db" 'CREATE TABLE others (a)'
	cp "$good_db" "$tmp/db/newer.db"
	sqlite3 "$tmp/db/newer.db" 'PRAGMA user_version = 9999'
	chown "$DB_USER" "$tmp"/db/*.db
	install -d "$tmp/roots"
	install -m 0444 "$good_db" "$tmp/db/fixed.db"
	for program in server peer; do
		"$program" 1 'text\.db' --db "$tmp/db/text.db"
		"$program" 1 'other\.db' --db "$tmp/db/other.db"
		"$program" 1 'newer\.db.*newer' --db "$tmp/db/newer.db"
		"$program" 1 'fixed\.db' --db "$tmp/db/fixed.db"
		"$program" 1 'new\.db' --db "$tmp/roots/new.db" --user "$DB_USER"
		"$program" 1 'nosuch' --db "$tmp/nosuch/new.db"
		"$program" 1 'nosuchuser' --user nosuchuser
	done
	cp "$good_db" "$tmp/db/linked.db"
	ln -s /dev/null "$tmp/db/linked.db.secrets"
	chown "$DB_USER" "$tmp/db/linked.db"
	either 1 'linked\.db\.secrets.* is a symbolic link: remove it' \
		--db "$tmp/db/linked.db"
	tool 1 'nosuch\.db' show --db "$tmp/db/nosuch.db"
	tool 1 'text\.db' runs --db "$tmp/db/text.db"
	tool 1 'other\.db' best --db "$tmp/db/other.db"
	tool 1 'newer\.db.*newer' export --format csv --db "$tmp/db/newer.db"
	tool 1 '4711' show --run 4711 --db "$good_db"
}

# A run to be found in a database that does not exist: none is made.
mistyped()
{
	peer 1 "no database '.*/mistyped\.db'.*--db" --db "$tmp/db/mistyped.db" --resume
	peer 1 "no database '.*/mistyped\.db'.*--db" --db "$tmp/db/mistyped.db" \
		--conf-file "$LAB_PEER_CONF" --apply
	check_equal 'what a mistyped database leaves' '' \
		"$(find "$tmp/db" -name 'mistyped*')"
}

# A full file system; it disappears with the command's mount namespace.
disk_full()
{
	local as_on_before=("${as_on[@]}")
	mkdir "$tmp/full"
	as_on+=(bash "$tmp/full.sh" "$tmp/full" "$DB_USER")
	cat >"$tmp/full.sh" <<-'SCRIPT'
		mount -t tmpfs -o "size=64k,uid=$(id -u "$2")" full "$1"
		head -c 1M /dev/zero >"$1/rest" 2>/dev/null
		shift 2
		exec "$@"
	SCRIPT
	either 1 'full|no space' --db "$tmp/full/new.db"
	as_on=("${as_on_before[@]}")
}

privileges()
{
	local as_on_before=("${as_on[@]}")
	as_on+=(setpriv --reuid nobody --regid nogroup --clear-groups)
	either 1 'root|privilege|CAP_NET_ADMIN'
	# uid 0 alone does not suffice, as in a container.
	as_on=("${as_on_before[@]}" setpriv --bounding-set=-net_admin)
	either 1 'root|privilege|CAP_NET_ADMIN'
	as_on=("${as_on_before[@]}")
}

# A program that answers every request like a server of another version.
other_version()
{
	# shellcheck disable=SC2016 # perl's own variables
	run_on server perl -MIO::Socket::INET -e '
		my $listener = IO::Socket::INET->new(LocalAddr => $ARGV[0], Listen => 5,
			LocalPort => 5000, ReuseAddr => 1) or die "listen: $!";
		my $body = q({"protocol": 999});
		while (my $client = $listener->accept) {
			while (my $line = <$client>) { last if $line =~ /^\r?$/; }
			print $client "HTTP/1.1 200 OK\r\n",
				"Content-Type: application/json\r\n",
				"Content-Length: ", length($body), "\r\n",
				"Connection: close\r\n\r\n$body";
			close $client;
		}' "$LAB_SERVER_IP" &
	wait_for 5 'the other version to listen' listening 5000
	peer 1 'version|protocol'
	kill $!
	wait_exit $! 5 'the other version'
}

# Arguments: PORT of the server, which another program holds.
port_taken()
{
	run_on server iperf3 -s -B "$LAB_SERVER_IP" -p "$1" >"$tmp/iperf3.log" 2>&1 &
	wait_for 5 "port $1 to be taken" listening "$1"
	server 1 "$1.*(in use|taken)|(in use|taken).*$1"
	kill $!
	wait_exit $! 5 "who took port $1"
}

others()
{
	peer 1 "10\.77\.0\.1.*5000"
	other_version
	port_taken 5000
	port_taken 5201
	start_server
	wait_for 10 'the server to listen' listening 5000
	server 1 "$LAB_SERVER_IF" --server-port 5001
	lost_output mtusweep-peer 'cannot write the result of the probe .*\(No space' \
		'>/dev/full' --interface "$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" \
		--db "$peer_db" --wait 5 --strategy probe
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server, told to stop'
}

down_links()
{
	on server ip link set "$LAB_SERVER_IF" down
	server 1 "$LAB_SERVER_IF.*down"
	on peer ip link set "$LAB_PEER_IF" down
	peer 1 "$LAB_PEER_IF.*down"
}

# A database to damage: the smallest possible sweep.
make_good_db()
{
	start_server --once --mtu-min 1400 --mtu-max 1400
	start_peer --mtu-min 1400 --mtu-max 1400 --duration 0.5
	wait_both 30
	good_db=$tmp/good.db
	cp "$peer_db" "$good_db"
}

test_begin
# A user without rights must be able to start the programs.
bin=$tmp/bin
mkdir "$bin"
cp "$MTUSWEEP_BIN"/mtusweep{,-server,-peer} "$bin"
as_on=("$LAB" exec "$lab_name" HOST)
make_good_db
usage
lost_outputs
interfaces
conf_files
databases
mistyped
nothing_left
disk_full
privileges
others
down_links
