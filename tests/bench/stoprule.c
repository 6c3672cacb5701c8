/* SPDX-License-Identifier: MIT */
/*
 * stoprule: when a test may stop, and what it then reports, by engine/steady and by other
 * rules (rules.h), over recorded transfers.
 *
 * usage: stoprule [--list | --check] FILE ...
 *
 * Output: for each half of the traces, rule and kind of line (traceread.h): the number of
 * traces; of those, how many were known to 3 % before the latest time
 * (steady_latest_us()); the time of the stop (median, nine in ten, last); how many
 * goodputs are within 1 % and 3 % of the truth; how many intervals contain it; how many
 * were known and do not contain it; and the mean half width of the intervals.
 *
 * --list prints a line for each trace as well. --check, for the test: exits with 1 unless
 * engine/steady reaches the shares below, in both halves.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "rules.h"

#define EARLIEST_US 500000
#define NEAR_MS     20
#define ROUND_US    5000 /* a sample may be late by this */
#define RUNS_MAX    256

enum distance { DISTANCE_NEAR, DISTANCE_FAR, DISTANCE_FARTHEST, DISTANCE_COUNT };
enum half { HALF_TUNE, HALF_FRESH, HALF_COUNT };

static const char *const line_names[] = {"filled", "unfilled", "unsteady"};
static const char *const distance_names[] = {"to 20 ms", "100 ms", "300 ms"};
static const char *const half_names[] = {"tune", "fresh"};

struct outcome {
	int64_t stop_us;
	double off;   /* error as a share of the truth */
	double width; /* half the interval, the same */
	bool has;     /* a figure */
	bool known;
	bool held; /* the truth is in the interval */
};

struct group {
	int count;
	struct outcome runs[RUNS_MAX];
};

/* The last index: the rule. */
#define RULES_MAX 8
static struct group groups[HALF_COUNT][LINE_COUNT][DISTANCE_COUNT][RULES_MAX];

static bool list;

static void judge(const struct trace *trace, const struct rule *rule,
		  struct outcome *ret)
{
	int64_t latest_us = steady_latest_us(trace->rtt_ms * INT64_C(1000));
	struct steady_figure figure;
	double truth;

	*ret = (struct outcome){0};
	for (int i = 1; i < trace->count; i++) {
		int64_t at_us = trace->samples[i].at_us;
		bool known = false;

		if (at_us > latest_us + ROUND_US || ret->known)
			break;
		if (at_us < EARLIEST_US - ROUND_US)
			continue;
		ret->has = rule->measure(trace, i + 1, &known, &figure);
		ret->known = ret->has && known;
		ret->stop_us = at_us;
	}
	if (!ret->has)
		return;
	truth = trace_truth(trace, ret->stop_us);
	ret->off = (double)figure.goodput_bps / truth - 1;
	ret->width = (double)(figure.high_bps - figure.low_bps) / 2 / truth;
	ret->held = (double)figure.low_bps <= truth && truth <= (double)figure.high_bps;
}

static void print_outcome(const struct trace *trace, const struct rule *rule,
			  const struct outcome *o)
{
	printf("%-5s %-17s %-5s %3d ms %-8s truth %.3f  %-8s %.2f s %-5s %+6.1f %% "
	       "+- %5.1f %% %s\n",
	       trace->half, trace->class, trace->congestion, trace->rtt_ms,
	       line_names[trace_line(trace)],
	       trace_truth(trace, o->stop_us) / trace->capacity_bps, rule->name,
	       (double)o->stop_us / 1e6, o->known ? "known" : "", o->off * 100,
	       o->width * 100,
	       !o->has    ? "no figure"
	       : !o->held ? "outside"
			  : "");
}

static void judge_all(const struct trace *trace)
{
	enum half half = strcmp(trace->half, "fresh") == 0 ? HALF_FRESH : HALF_TUNE;
	enum distance distance = trace->rtt_ms <= NEAR_MS ? DISTANCE_NEAR
				 : trace->rtt_ms <= 100   ? DISTANCE_FAR
							  : DISTANCE_FARTHEST;

	for (int i = 0; i < rule_count; i++) {
		struct group *group = &groups[half][trace_line(trace)][distance][i];

		if (group->count == RUNS_MAX)
			continue;
		judge(trace, &rules[i], &group->runs[group->count]);
		if (list)
			print_outcome(trace, &rules[i], &group->runs[group->count]);
		group->count++;
	}
}

struct sum {
	int count, has, known, in1, in3, held, wrong;
	double width;
};

static void add_up(const struct group *group, struct sum *ret)
{
	for (int i = 0; i < group->count; i++) {
		const struct outcome *o = &group->runs[i];

		ret->count++;
		ret->has += o->has;
		ret->known += o->known;
		ret->in1 += o->has && fabs(o->off) <= 0.01;
		ret->in3 += o->has && fabs(o->off) <= 0.03;
		ret->held += o->held;
		ret->wrong += o->known && !o->held;
		ret->width += o->width;
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = ((const struct outcome *)a)->stop_us;
	int64_t y = ((const struct outcome *)b)->stop_us;

	return (x > y) - (x < y);
}

static void print_group(const char *rule, struct group *group)
{
	struct sum sum = {0};
	int n = group->count;

	qsort(group->runs, (size_t)n, sizeof(group->runs[0]), compare);
	add_up(group, &sum);
	printf("  %-8s %6d %6d %6.2f %6.2f %6.2f %6d %6d %6d %6d %7.1f\n", rule, n,
	       sum.known, (double)group->runs[n / 2].stop_us / 1e6,
	       (double)group->runs[n * 9 / 10].stop_us / 1e6,
	       (double)group->runs[n - 1].stop_us / 1e6, sum.in1, sum.in3, sum.held,
	       sum.wrong, sum.has > 0 ? sum.width / sum.has * 100 : 0);
}

static void print_half(enum half half)
{
	printf("%s: %14s %6s %6s %6s %6s %6s %6s %6s %6s %7s\n", half_names[half],
	       "traces", "known", "med s", "p90 s", "last s", "in 1%", "in 3%", "held",
	       "wrong", "+- %");
	for (int line = 0; line < LINE_COUNT; line++) {
		for (int distance = 0; distance < DISTANCE_COUNT; distance++) {
			if (groups[half][line][distance][0].count == 0)
				continue;
			printf("%s, %s\n", line_names[line], distance_names[distance]);
			for (int i = 0; i < rule_count; i++)
				print_group(rules[i].name,
					    &groups[half][line][distance][i]);
		}
	}
}

/* --- the sums --- */

enum what { WHAT_FILLED, WHAT_UNFILLED, WHAT_UNSTEADY, WHAT_COUNT };

/* All transfers of a kind; of filled lines those with a round trip up to 100 ms, since no
 * test of 2.4 s outlasts bbr's start at 300 ms under loss. */
static void add_kind(enum half half, enum what what, int rule, struct sum *ret)
{
	for (int distance = 0; distance < DISTANCE_COUNT; distance++) {
		if (what != WHAT_FILLED || distance < DISTANCE_FARTHEST)
			add_up(&groups[half][what][distance][rule], ret);
	}
}

static void print_sums(enum half half)
{
	printf("%s, sums: filled to 100 ms %6s %6s %6s   unfilled %6s %6s   unsteady "
	       "%6s "
	       "%6s\n",
	       half_names[half], "known", "in 1%", "held", "held", "wrong", "held",
	       "wrong");
	for (int i = 0; i < rule_count; i++) {
		struct sum sums[WHAT_COUNT] = {0};

		for (int what = 0; what < WHAT_COUNT; what++)
			add_kind(half, (enum what)what, i, &sums[what]);
		printf("  %-8s %20d %6d %6d %6d %10d %6d %6d %10d %6d %6d\n",
		       rules[i].name, sums[0].count, sums[0].known, sums[0].in1,
		       sums[0].held, sums[1].count, sums[1].held, sums[1].wrong,
		       sums[2].count, sums[2].held, sums[2].wrong);
	}
}

/* Complain unless `count` is at least so many thousandths. */
static bool check_share(const char *what, enum half half, int count, int all,
			int thousandths)
{
	bool well = count * 1000 >= all * thousandths;

	printf("%s, %s: %d of %d%s\n", half_names[half], what, count, all,
	       well ? "" : ": too few");
	return well;
}

/* The shares of steady.h, for engine/steady, the last rule. */
static bool check_half(enum half half)
{
	struct sum sums[WHAT_COUNT] = {0};
	bool well;

	for (int what = 0; what < WHAT_COUNT; what++)
		add_kind(half, (enum what)what, rule_count - 1, &sums[what]);
	well = check_share("filled lines known in time", half, sums[WHAT_FILLED].known,
			   sums[WHAT_FILLED].count, 950);
	well &= check_share("filled lines within 1 %", half, sums[WHAT_FILLED].in1,
			    sums[WHAT_FILLED].count, 930);
	well &= check_share("filled lines' intervals hold", half,
			    sums[WHAT_FILLED].held, sums[WHAT_FILLED].count, 950);
	well &= check_share("unfilled lines' intervals hold", half,
			    sums[WHAT_UNFILLED].held, sums[WHAT_UNFILLED].count, 600);
	well &= check_share("unsteady lines' intervals hold", half,
			    sums[WHAT_UNSTEADY].held, sums[WHAT_UNSTEADY].count, 950);
	return well;
}

static int read_file(const char *path)
{
	static struct trace trace;
	FILE *file = fopen(path, "re");

	if (!file) {
		fprintf(stderr, "stoprule: '%s': %s\n", path, strerror(errno));
		return 2;
	}
	while (trace_read(file, &trace))
		judge_all(&trace);
	fclose(file);
	return 0;
}

int main(int argc, char **argv)
{
	bool check = argc > 1 && strcmp(argv[1], "--check") == 0;
	int status = 0;

	list = argc > 1 && strcmp(argv[1], "--list") == 0;
	if (argc < 2 + (check || list)) {
		fprintf(stderr, "usage: stoprule [--list | --check] FILE ...\n");
		return 2;
	}
	for (int i = 1 + (check || list); i < argc && status == 0; i++)
		status = read_file(argv[i]);
	for (int half = 0; half < HALF_COUNT && status == 0; half++)
		print_half((enum half)half);
	for (int half = 0; half < HALF_COUNT && status == 0; half++)
		print_sums((enum half)half);
	for (int half = 0; half < HALF_COUNT && check; half++)
		status = check_half((enum half)half) ? status : 1;
	return status;
}
