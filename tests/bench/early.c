/* SPDX-License-Identifier: MIT */
/*
 * early: measures how early a test may end, the error of its goodput then, and the
 * coverage of its confidence interval: engine/steady over recorded transfers of ten
 * seconds.
 *
 * usage: early [FILE [PRECISION [DURATION]]] (early.txt beside this file, 3 %, 2 s)
 *
 * A line "run CLASS ..." begins a transfer; the next line holds its windows, "US:BYTES"
 * each. The output for each class: the time at which the rule stops (median, nine in
 * ten); the share of tests whose goodput is off the mean rate from there to the
 * transfer's end by more than 1 % and 3 %; and the share whose 95 % interval contains
 * that rate.
 *
 * Below follow the same figures for a plainer rule on the same transfers. It stops when
 * the best 300 ms have not improved by more than 1 % for 0.8 s. Its figure is the
 * median of the windows in that time that are within 5 % of the best. It gives no
 * interval.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/types.h"
#include "engine/steady.h"

#define CLASSES_MAX  32
#define RUNS_MAX     256
#define EARLIEST_US  500000
#define REST_WINDOWS 30
#define BEST_WINDOWS 3
#define PLAIN_US     800000

struct trace {
	int count;
	int64_t at_us[STEADY_SAMPLES];
	uint64_t bytes[STEADY_SAMPLES];
};

struct outcome {
	double stop_s;
	double off; /* error as a share of the rest's rate */
	double width;
	bool known;
	bool held;
};

struct class
{
	char name[32];
	int count;
	struct outcome runs[RUNS_MAX];
	struct outcome plain[RUNS_MAX]; /* outcomes of the plainer rule */
};

static struct class classes[CLASSES_MAX];
static int class_count;

static struct class *find_class(const char *name)
{
	for (int i = 0; i < class_count; i++) {
		if (strcmp(classes[i].name, name) == 0)
			return &classes[i];
	}
	if (class_count == CLASSES_MAX)
		return NULL;
	snprintf(classes[class_count].name, sizeof(classes[0].name), "%s", name);
	return &classes[class_count++];
}

/* "101023:171000 ..." */
static void read_windows(char *line, struct trace *ret)
{
	int64_t at_us = 0;
	uint64_t bytes = 0;
	char *rest = NULL;

	ret->count = 1;
	ret->at_us[0] = 0;
	ret->bytes[0] = 0;
	for (char *word = strtok_r(line, " \n", &rest);
	     word && ret->count < STEADY_SAMPLES; word = strtok_r(NULL, " \n", &rest)) {
		char *colon = strchr(word, ':');

		if (!colon)
			continue;
		at_us += strtoll(word, NULL, 10);
		bytes += strtoull(colon + 1, NULL, 10);
		ret->at_us[ret->count] = at_us;
		ret->bytes[ret->count] = bytes;
		ret->count++;
	}
}

/* Feed the rule window by window until it stops, or to the end of the test's time. */
static int drive(const struct trace *trace, int precision, int64_t duration_us,
		 struct steady *steady)
{
	int last = 0;

	steady_init(steady);
	for (int i = 0; i < trace->count && trace->at_us[i] <= duration_us; i++) {
		last = i;
		steady_add(steady, trace->at_us[i], trace->bytes[i]);
		if (trace->at_us[i] >= EARLIEST_US &&
		    steady_is_known(steady, precision))
			break;
	}
	return last;
}

/* Return the rate from one sample to another, in bit/s. */
static double rate_between(const struct trace *trace, int from, int to)
{
	return (double)(trace->bytes[to] - trace->bytes[from]) * 8e6 /
	       (double)(trace->at_us[to] - trace->at_us[from]);
}

static bool judge(const struct trace *trace, int precision, int64_t duration_us,
		  struct outcome *ret)
{
	static struct steady steady;
	struct steady_figure figure;
	int stop = drive(trace, precision, duration_us, &steady);
	int end = trace->count - 1;
	double rest;

	steady_measure(&steady, &figure);
	if (figure.goodput_bps == NO_FIGURE || end - stop < REST_WINDOWS)
		return false;
	rest = rate_between(trace, stop, end);
	ret->stop_s = (double)trace->at_us[stop] / 1e6;
	ret->off = (double)figure.goodput_bps / rest - 1;
	ret->width = (double)(figure.high_bps - figure.goodput_bps) /
		     (double)figure.goodput_bps;
	ret->known = steady_is_known(&steady, precision);
	ret->held = rest >= (double)figure.low_bps && rest <= (double)figure.high_bps;
	return true;
}

/* Return the median of the windows that end in the last PLAIN_US and are within 5 % of
 * the best. */
static double plain_figure(const struct trace *trace, int stop, double best)
{
	double near[STEADY_SAMPLES];
	size_t n = 0;

	for (int i = stop; i > 0 && trace->at_us[stop] - trace->at_us[i] < PLAIN_US;
	     i--) {
		double rate = rate_between(trace, i - 1, i);

		if (fabs(rate / best - 1) <= 0.05)
			near[n++] = rate;
	}
	array_sort_doubles(near, n);
	return n ? near[n / 2] : best;
}

static bool judge_plain(const struct trace *trace, int64_t duration_us,
			struct outcome *ret)
{
	int end = trace->count - 1;
	double best = 0;
	int64_t better_us = 0;
	int stop = BEST_WINDOWS;

	*ret = (struct outcome){0};
	for (int i = stop; i <= end && trace->at_us[i] <= duration_us; i++) {
		double rate = rate_between(trace, i - BEST_WINDOWS, i);

		stop = i;
		if (rate > best * 1.01)
			better_us = trace->at_us[i];
		if (rate > best)
			best = rate;
		ret->known = trace->at_us[i] >= EARLIEST_US &&
			     trace->at_us[i] - better_us >= PLAIN_US;
		if (ret->known)
			break;
	}
	if (end - stop < REST_WINDOWS)
		return false;
	ret->stop_s = (double)trace->at_us[stop] / 1e6;
	ret->off = plain_figure(trace, stop, best) / rate_between(trace, stop, end) - 1;
	return true;
}

static int compare(const void *a, const void *b)
{
	double x = ((const struct outcome *)a)->stop_s;
	double y = ((const struct outcome *)b)->stop_s;

	return (x > y) - (x < y);
}

/* Return the stopping time that `tenths` of the sorted runs do not exceed. */
static double quantile(const struct outcome *runs, int count, int tenths)
{
	return runs[(count * tenths + 9) / 10 - 1].stop_s;
}

static void print_class(const char *name, struct outcome *runs, int count,
			bool interval)
{
	int over1 = 0, over3 = 0, held = 0, known = 0;
	double worst = 0, width = 0;

	qsort(runs, (size_t)count, sizeof(runs[0]), compare);
	for (int i = 0; i < count; i++) {
		const struct outcome *o = &runs[i];

		over1 += fabs(o->off) > 0.01;
		over3 += fabs(o->off) > 0.03;
		held += o->held;
		known += o->known;
		width += o->width / count;
		worst = fabs(o->off) > fabs(worst) ? o->off : worst;
	}
	printf("%-14s %4d %7.2f %7.2f %7d %7d %7d %8.1f", name, count,
	       quantile(runs, count, 5), quantile(runs, count, 9), known, over1, over3,
	       worst * 100);
	if (interval)
		printf(" %8d %8.1f", held, width * 100);
	putchar('\n');
}

static int read_traces(FILE *file, int precision, int64_t duration_us)
{
	static struct trace trace;
	char *line = NULL;
	size_t size = 0;
	struct class *c = NULL;

	while (getline(&line, &size, file) > 0) {
		char name[32];

		if (sscanf(line, "run %31[^: \n]", name) == 1) {
			c = find_class(name);
		} else if (c && c->count < RUNS_MAX && strchr(line, ':')) {
			struct outcome outcome, plain;

			read_windows(line, &trace);
			/* Take the transfer if both rules stop. */
			if (!judge(&trace, precision, duration_us, &outcome) ||
			    !judge_plain(&trace, duration_us, &plain))
				continue;
			c->runs[c->count] = outcome;
			c->plain[c->count++] = plain;
		}
	}
	free(line);
	return class_count > 0 ? 0 : 1;
}

static void print_head(const char *rule)
{
	printf("%s; off: against the rate from the stop to the end\n"
	       "%-14s %4s %7s %7s %7s %7s %7s %8s %8s %8s\n",
	       rule, "class", "runs", "stop s", "p90 s", "early", "off>1%", "off>3%",
	       "worst %", "held", "+- %");
}

static void print(int precision, double seconds)
{
	char rule[64];

	snprintf(rule, sizeof(rule), "to %d %%, within %.1f s", precision, seconds);
	print_head(rule);
	for (int i = 0; i < class_count; i++) {
		if (classes[i].count > 0)
			print_class(classes[i].name, classes[i].runs, classes[i].count,
				    true);
	}
	print_head("\nthe plainer rule");
	for (int i = 0; i < class_count; i++) {
		if (classes[i].count > 0)
			print_class(classes[i].name, classes[i].plain, classes[i].count,
				    false);
	}
}

int main(int argc, char **argv)
{
	int precision = argc > 2 ? atoi(argv[2]) : 3;
	double seconds = argc > 3 ? atof(argv[3]) : 2;
	const char *path = argc > 1 ? argv[1] : TRACES;
	FILE *file = fopen(path, "re");
	int status;

	if (!file || precision < 1 || seconds <= 0) {
		fprintf(stderr,
			"early: usage: early [FILE [PRECISION [DURATION]]]; '%s': %s\n",
			path, file ? "open" : strerror(errno));
		return 2;
	}
	status = read_traces(file, precision, (int64_t)(seconds * 1e6));
	fclose(file);
	if (status == 0)
		print(precision, seconds);
	return status;
}
