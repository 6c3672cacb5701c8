# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The memory and the descriptors of the programs' processes during a long run.

# Arguments: PROGRESS KEEPER ... Print a line for each process of these programs, but not
# those that live for one test:
#
#	PROGRESS KEEPER'S-NAME NAME PSS-KIB ANONYMOUS-KIB DESCRIPTORS
#
# The anonymous part of the proportional set size is the process's own; the rest are pages
# of files, whose share depends on what else runs on the machine.
sample_memory()
{
	local progress=$1 keeper pid count
	for keeper in "${@:2}"; do
		for pid in "$keeper" $(pgrep -P "$keeper" 2>/dev/null); do
			count=$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)
			awk -v progress="$progress" -v program="$(comm_of "$keeper")" \
				-v name="$(comm_of "$pid")" -v count="$count" '
				/^Pss:/ { pss = $2 }
				/^Pss_Anon:/ { own = $2 }
				END {
					if (!own || name ~ /-test$/)
						exit
					print progress, program, name, pss, own, count
				}
			' "/proc/$pid/smaps_rollup" 2>/dev/null || true
		done
	done
}

# Arguments: PID
comm_of()
{
	cat "/proc/$1/comm" 2>/dev/null || echo gone
}

# Arguments: SAMPLES END. Print a line for each process, of medians in the first and in the
# last tenth of END:
#
#	PROGRAM NAME PSS-GROWTH-% ANONYMOUS-GROWTH-% ANONYMOUS-KIB DESCRIPTORS GROWTH
memory_growth()
{
	sort -k 2,3 "$1" | awk -v end="$2" '
		function median(values, count,    i, j, value) {
			for (i = 2; i <= count; i++) {
				value = values[i]
				for (j = i - 1; j >= 1 && values[j] > value; j--)
					values[j + 1] = values[j]
				values[j + 1] = value
			}
			return values[int((count + 1) / 2)]
		}
		function show() {
			if (!first || !last)
				return
			own = median(own_first, first)
			count = median(count_first, first)
			pss = median(pss_first, first)
			printf "%s %+.1f %+.1f %d %d %+d\n", process,
				100 * (median(pss_last, last) - pss) / pss,
				100 * (median(own_last, last) - own) / own,
				own, count, median(count_last, last) - count
		}
		$2 " " $3 != process {
			show()
			process = $2 " " $3
			first = last = 0
		}
		# The very first rows warm up.
		$1 > 0 && $1 <= end / 10 {
			pss_first[++first] = $4
			own_first[first] = $5
			count_first[first] = $6
		}
		$1 > end - end / 10 {
			pss_last[++last] = $4
			own_last[last] = $5
			count_last[last] = $6
		}
		END { show() }
	'
}
