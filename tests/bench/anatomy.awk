# SPDX-License-Identifier: MIT
#
# The phases of a run, from the debug log of its peer: tests/bench/anatomy. A phase lasts
# from its line to the next one's. docs/benchmarks.md says which lines are marks. The
# variable rtt_ms is the path's round trip, or 0: then it is the least in the log.

# The milliseconds of a line's time; runs are shorter than a day.
function time_of(text, t, ms) {
	split(substr(text, 12, 12), t, /[:.]/)
	ms = ((t[1] * 60 + t[2]) * 60 + t[3]) * 1000 + t[4]
	if (ms < last_ms - 43200000)
		ms += 86400000
	last_ms = ms
	return ms
}

# The phase `name` begins.
function mark(name, ms) {
	if (phases && begin[phases] > ms)
		ms = begin[phases]
	begin[++phases] = ms
	names[phases] = name
}

# A sum of all phases of this kind.
function add(kind, ms) {
	if (!(kind in sum))
		kinds[++kind_count] = kind
	sum[kind] += ms
	times[kind]++
}

function row(name, ms, at_ms) {
	printf "%-34s %8.3f %7.1f %9.3f\n", name, ms / 1000, ms / rtt_ms, at_ms / 1000
}

# A test's data flowed until `ago` before this line: what was before is its setup.
function mark_data(ms, length_ms, ago_ms) {
	mark(test " data", ms - ago_ms - length_ms)
	mark(test " teardown", ms - ago_ms)
}

$1 !~ /^[0-9-]+T[0-9:.]+Z$/ { next }
{ now = time_of($1) }
match($0, /round trip [0-9.]+ ms/) {
	trip = substr($0, RSTART + 11, RLENGTH - 14) + 0
	if (trip > 0 && (!least || trip < least))
		least = trip
}
$3 == "request:" && / begun$/ { first_ms = now }
$3 == "request:" && $2 ~ /^main/ && !/ begun$/ { requests[phases]++ }
$3 == "phase:" { mark($4, now) }
$3 == "sweep:" && /setting MTUs$/ { mark("pair " substr($5, 1, length($5) - 1), now) }
$3 == "sweep:" && /: (up|down)load$/ {
	test = "test " ++tests " " $NF
	mark(test " setup", now)
}
$3 == "test:" && $4 == "data" { mark_data(now, $6, $9) }
$3 == "test:" && $4 == "measure" { mark("test " tests " figures", now) }
{ end = now }
END {
	if (!phases) {
		print "no phases: is this the debug log of a peer?" >"/dev/stderr"
		exit 1
	}
	if (!rtt_ms)
		rtt_ms = least ? least : 1
	printf "%-34s %8s %7s %9s\n", "phase", "seconds", "trips", "at"
	begin[phases + 1] = end
	for (i = 1; i <= phases; i++) {
		row(names[i] (requests[i] ? " (" requests[i] " requests)" : ""),
			begin[i + 1] - begin[i], begin[i] - begin[1])
		kind = names[i]
		sub(/^test [0-9]+ (up|down)load /, "", kind)
		sub(/^test [0-9]+ /, "", kind)
		sub(/^pair .*/, "pair", kind)
		add(kind, begin[i + 1] - begin[i])
	}
	printf "\n%-34s %8s %7s %9s\n", "all of a kind", "seconds", "trips", "each"
	for (i = 1; i <= kind_count; i++) {
		kind = kinds[i]
		row(times[kind] > 1 ? times[kind] " x " kind : kind, sum[kind],
			sum[kind] / times[kind])
	}
	row("the whole", end - begin[1], end - begin[1])
	if (first_ms)
		row("to the first packet", first_ms - begin[1], first_ms - begin[1])
	printf "round trip: %.1f ms\n", rtt_ms
}
