# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # bench.sh's lab and name; answer uses what is set
#
# Conditions of a path, each once: its lines, what they do to outer packets, and the
# right pair, which follows from that. A condition is a function condition_NAME, which
# sets
#
#	rate_up, rate_down  the bottlenecks, tc's words
#	queue_ms            what they hold before they drop
#	netem               words of netem beside the delay, for both directions
#	jitter_us           added to the delay, plus and minus
#	fit_up, fit_down    the largest outer packets that arrive whole
#	then_fit            the same of both directions after its change, or 0
#	endpoint, mtu_outer of lab up
#
# and calls the lab's commands by `line`. `condition_begin NAME RTT_MS` makes it. A
# condition that changes during a run has condition_change_NAME for that.

STEADY=(clean hole hole_up hole_down uneven pppoe no_fragments dead_zone link_1492 ipv6
	shallow)
NOISY=(jitter reorder loss_1 loss_5 bursts policer bloat uplink_250k outages halves moves)

line()
{
	"$lab" "$1" "$name" "${@:2}"
}

router()
{
	ip netns exec "$LAB_ROUTER" "$@"
}

# --- steady --------------------------------------------------------------------------

condition_clean() { :; }

condition_hole()
{
	line hole upload 1492
	line hole download 1492
	fit_up=1492 fit_down=1492
}

condition_hole_up()
{
	line hole upload 1460
	fit_up=1460
}

condition_hole_down()
{
	line hole download 1460
	fit_down=1460
}

# Each direction has another edge; fragments are lost on the way up.
condition_uneven()
{
	line hole upload 1440
	line nofrag upload
	line narrow download 1480
	fit_up=1440 fit_down=1480
}

condition_pppoe()
{
	line narrow upload 1492
	line narrow download 1492
	fit_up=1492 fit_down=1492
}

condition_no_fragments()
{
	line nofrag upload
	line nofrag download
}

# The published one: larger packets, which the sender fragments, pass again.
condition_dead_zone()
{
	line band upload 1461 1500
	line narrow download 1467
	fit_up=1460 fit_down=1467
}

# The hosts' own links carry 1492.
condition_link_1492()
{
	mtu_outer=1492 fit_up=1492 fit_down=1492
}

condition_ipv6()
{
	endpoint=6
}

condition_shallow()
{
	queue_ms=5
}

# --- noisy, above an edge that noise can hide ----------------------------------------

edge_up()
{
	line hole upload 1440
	fit_up=1440
}

# Packets overtake one another: the delay of each is up to 30 ms more than another's.
condition_jitter()
{
	jitter_us=15000
	edge_up
}

condition_reorder()
{
	netem=(reorder '5%')
	edge_up
}

condition_loss_1()
{
	netem=(loss '1%')
	edge_up
}

condition_loss_5()
{
	netem=(loss '5%')
	edge_up
}

# Gilbert-Elliott: 6 % lost, in bursts of four on the average.
condition_bursts()
{
	netem=(loss gemodel '1.6%' '25%')
	edge_up
}

# A packet above the rate is dropped at once.
condition_policer()
{
	rate_up=0 rate_down=0
	police server 4mbit
	police peer 6mbit
	edge_up
}

# Arguments: PORT RATE
police()
{
	router tc qdisc add dev "$1" clsact
	router tc filter add dev "$1" egress matchall action police rate "$2" burst 20k \
		conform-exceed drop
}

condition_bloat()
{
	rate_up=2mbit rate_down=6mbit queue_ms=2000
	edge_up
}

condition_uplink_250k()
{
	rate_up=250kbit rate_down=6mbit queue_ms=300
	edge_up
}

# Handovers: every 12 s nothing passes for 2.5 s.
condition_outages()
{
	edge_up
}

condition_change_outages()
{
	while sleep 9.5; do
		router nft add table inet cut
		router nft add chain inet cut cut \
			'{ type filter hook forward priority -5; policy drop; }'
		sleep 2.5
		router nft delete table inet cut
	done
}

condition_halves()
{
	edge_up
}

condition_change_halves()
{
	rate_up=2mbit rate_down=3mbit
	sleep 1
	shape_ports
}

# Both directions lose from 1401 on, after the first answer.
condition_moves()
{
	then_fit=1400
}

condition_change_moves()
{
	sleep 1
	line hole upload 1400
	line hole download 1400
}

# --- making one ----------------------------------------------------------------------

# Arguments: PORT RATE. Delay and losses first, then the bottleneck.
shape_port()
{
	local spread=()
	((jitter_us == 0)) || spread=("${jitter_us}us")
	router tc qdisc replace dev "$1" root handle 1: netem limit 20000 \
		delay "$((rtt_ms * 500 + jitter_us))us" "${spread[@]}" "${netem[@]}"
	[[ $2 != 0 ]] || return 0
	router tc qdisc replace dev "$1" parent 1:1 handle 20: tbf rate "$2" burst 16kb \
		latency "${queue_ms}ms"
}

shape_ports()
{
	shape_port server "$rate_up"
	shape_port peer "$rate_down"
}

condition_defaults()
{
	rate_up=4mbit rate_down=6mbit queue_ms=50 netem=() jitter_us=0
	fit_up=1500 fit_down=1500 then_fit=0 endpoint=4 mtu_outer=1500
}

# Arguments: NAME RTT_MS. Make it on a new lab, with tests/bench/bench.sh.
condition_begin()
{
	condition=$1 rtt_ms=$2
	condition_defaults
	# These are of the lab itself.
	case $condition in
	ipv6 | link_1492) "condition_$condition" ;;
	esac
	bench_lab --rate-up 0 --rate-down 0 --endpoint "$endpoint" \
		--mtu-outer "$mtu_outer"
	condition_set
}

# Make the condition anew on its lab.
condition_set()
{
	local port
	condition_defaults
	line clear
	router nft delete table inet cut 2>/dev/null || true
	for port in server peer; do
		router tc qdisc del dev "$port" clsact 2>/dev/null || true
	done
	"condition_$condition"
	shape_ports
}

# Arguments: yes|no: if its change has happened. Print the right pair, server first.
condition_right()
{
	local up=$fit_up down=$fit_down overhead=60
	[[ $endpoint == 4 ]] || overhead=80
	if [[ $1 == yes ]] && ((then_fit)); then
		up=$then_fit down=$then_fit
	fi
	echo "$((down - overhead))/$((up - overhead))"
}

condition_changes()
{
	declare -F "condition_change_$condition" >/dev/null
}
