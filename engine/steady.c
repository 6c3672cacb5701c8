/* Where a transfer is steady, and how fast it is there. */
#include "engine/steady.h"

#include <stdlib.h>

#include "base/types.h"

#define WINDOW_US 300000
#define STEADY_US 500000

void steady_init(struct steady *s)
{
	s->count = 0;
}

static void thin_out(struct steady *s)
{
	for (int i = 1; i < STEADY_SAMPLES / 2; i++) {
		s->at_us[i] = s->at_us[2 * i];
		s->bytes[i] = s->bytes[2 * i];
	}
	s->count = STEADY_SAMPLES / 2;
}

void steady_add(struct steady *s, int64_t at_us, uint64_t bytes)
{
	if (s->count > 0 &&
	    (at_us <= s->at_us[s->count - 1] || bytes < s->bytes[s->count - 1]))
		return;
	if (s->count == STEADY_SAMPLES)
		thin_out(s);
	s->at_us[s->count] = at_us;
	s->bytes[s->count] = bytes;
	s->count++;
}

/* Bytes per second between two samples. */
static double rate(const struct steady *s, int from, int to)
{
	return (double)(s->bytes[to] - s->bytes[from]) * 1e6 /
	       (double)(s->at_us[to] - s->at_us[from]);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double upper_quartile(const double *values, int count)
{
	double sorted[STEADY_SAMPLES];

	for (int i = 0; i < count; i++)
		sorted[i] = values[i];
	qsort(sorted, (size_t)count, sizeof(sorted[0]), compare);
	return sorted[count - 1 - (count - 1) / 4];
}

/* The means of the windows that begin with each sample; the last ones have none. */
static int window_rates(const struct steady *s, double ret[STEADY_SAMPLES])
{
	int count = 0;
	int to = 0;

	for (int from = 0; from < s->count; from++) {
		while (to < s->count && s->at_us[to] - s->at_us[from] < WINDOW_US)
			to++;
		if (to == s->count)
			break;
		ret[count++] = rate(s, from, to);
	}
	return count;
}

int64_t steady_goodput_bps(const struct steady *s)
{
	double rates[STEADY_SAMPLES] = {0};
	int count = window_rates(s, rates);
	int last = s->count - 1;
	int begin = 0;
	double level;

	if (count == 0)
		return NO_FIGURE;
	level = upper_quartile(rates, count) * 0.95;
	while (rates[begin] < level)
		begin++;
	if (s->at_us[last] - s->at_us[begin] < STEADY_US)
		return NO_FIGURE;
	return (int64_t)(rate(s, begin, last) * 8 + 0.5);
}
