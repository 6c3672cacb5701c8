/* SPDX-License-Identifier: MIT */
/* Recorded transfers, and what a test of each should report. */
#include "traceread.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define SETTLED_US    INT64_C(3000000)
#define SETTLED_TRIPS 12
#define PART_US       INT64_C(500000)
#define FILLED        0.99
#define APP_LIMITED   8

static void read_word(const char *text, const char *key, char *ret, size_t size)
{
	const char *found = strstr(text, key);
	size_t length;

	ret[0] = '\0';
	if (!found)
		return;
	found += strlen(key);
	length = strcspn(found, " \n");
	if (length < size) {
		memcpy(ret, found, length);
		ret[length] = '\0';
	}
}

static void begin_trace(const char *line, struct trace *ret)
{
	char number[24];

	memset(ret, 0, offsetof(struct trace, samples));
	snprintf(ret->text, sizeof(ret->text), "%.*s", (int)strcspn(line, "\n"), line);
	read_word(line, "run ", ret->class, sizeof(ret->class));
	read_word(line, "half=", ret->half, sizeof(ret->half));
	read_word(line, "cc=", ret->congestion, sizeof(ret->congestion));
	read_word(line, "rtt_ms=", number, sizeof(number));
	ret->rtt_ms = atoi(number);
	read_word(line, "capacity_bps=", number, sizeof(number));
	ret->capacity_bps = atof(number);
	read_word(line, "changed_ms=", number, sizeof(number));
	ret->changed_us = atoi(number) * INT64_C(1000);
	ret->count = 1;
	ret->samples[0] = (struct steady_sample){0};
}

/* Columns that a line omits are as in the last: see tcptrace.c. */
static void add_sample(const char *line, struct trace *ret)
{
	long long us, segments, rtt_us, min_rtt_us, window, kbps, retransmits, state;
	struct steady_sample *last = &ret->samples[ret->count - 1];
	struct steady_sample *next = last + 1;
	int words = sscanf(line, "%lld %lld %lld %lld %lld %lld %lld %lld", &us,
			   &segments, &rtt_us, &min_rtt_us, &window, &kbps,
			   &retransmits, &state);

	if (words < 2 || ret->count == TRACE_SAMPLES)
		return;
	*next = *last;
	next->at_us += us;
	next->bytes += (uint64_t)segments * ret->mss;
	next->mss = ret->mss;
	ret->count++;
	if (words < 8)
		return;
	next->rtt_us = (uint32_t)rtt_us;
	next->min_rtt_us = (uint32_t)min_rtt_us;
	next->rate_bps = state & APP_LIMITED ? 0 : kbps * 1000;
	if (strcmp(ret->congestion, "bbr") != 0)
		next->retransmits += (uint32_t)retransmits;
}

bool trace_read(FILE *file, struct trace *ret)
{
	char *line = NULL;
	size_t size = 0;
	bool begun = false;

	while (getline(&line, &size, file) > 0) {
		if (strncmp(line, "run ", 4) == 0) {
			begin_trace(line, ret);
			begun = true;
		} else if (begun && strncmp(line, "mss ", 4) == 0) {
			ret->mss = (uint32_t)atoi(line + 4);
		} else if (begun && line[0] == '\n') {
			break;
		} else if (begun) {
			add_sample(line, ret);
		}
	}
	free(line);
	return begun;
}

static int find_sample(const struct trace *trace, int from, int64_t at_us)
{
	while (from < trace->count - 1 && trace->samples[from].at_us < at_us)
		from++;
	return from;
}

static int settled_sample(const struct trace *trace)
{
	int64_t us = trace->rtt_ms * INT64_C(1000) * SETTLED_TRIPS;

	return find_sample(trace, 0, us > SETTLED_US ? us : SETTLED_US);
}

static double rate_of(const struct trace *trace, int from, int to)
{
	const struct steady_sample *a = &trace->samples[from];
	const struct steady_sample *b = &trace->samples[to];

	return (double)(b->bytes - a->bytes) * 8e6 / (double)(b->at_us - a->at_us);
}

static double median_rate(const struct trace *trace)
{
	int64_t part_us = trace->rtt_ms * INT64_C(2000);
	double rates[TRACE_SAMPLES];
	int from = settled_sample(trace);
	size_t count = 0;

	if (part_us < PART_US)
		part_us = PART_US;
	while (from < trace->count - 1) {
		int to = find_sample(trace, from, trace->samples[from].at_us + part_us);

		rates[count++] = rate_of(trace, from, to);
		from = to;
	}
	array_sort_doubles(rates, count);
	return count > 0 ? rates[count / 2] : 0;
}

enum trace_line trace_line(const struct trace *trace)
{
	if (strncmp(trace->class, "unsteady", 8) == 0 ||
	    strcmp(trace->class, "policer") == 0)
		return LINE_UNSTEADY;
	return median_rate(trace) >= trace->capacity_bps * FILLED ? LINE_FILLED
								  : LINE_UNFILLED;
}

double trace_truth(const struct trace *trace, int64_t stop_us)
{
	if (trace_line(trace) == LINE_FILLED ||
	    (trace->changed_us > 0 && stop_us <= trace->changed_us))
		return trace->capacity_bps;
	return rate_of(trace, settled_sample(trace), trace->count - 1);
}
