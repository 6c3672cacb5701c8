/* SPDX-License-Identifier: MIT */
/* A path as a ruler: range, bands, marks, labels. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/ruler.h"

/* "" is a direction of which nothing is known. */
static struct ruler_facts facts_of(const char *upload, const char *download)
{
	struct ruler_facts facts = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.mark =
			{
				[HEATMAP_CURRENT] = {1420, 1410},
				[HEATMAP_RECOMMENDED] = {1420, 1400},
			},
	};

	assert_int_equal(path_bands_parse(upload, &facts.path.dir[DIR_UPLOAD], NULL),
			 0);
	assert_int_equal(
		path_bands_parse(download, &facts.path.dir[DIR_DOWNLOAD], NULL), 0);
	return facts;
}

/* "1400-1460:whole ..." */
static void assert_bands(const struct ruler *ruler, enum direction dir,
			 const char *expected)
{
	char text[1000] = "";
	size_t used = 0;

	for (int b = 0; b < ruler->dir[dir].bands; b++) {
		const struct ruler_band *band = &ruler->dir[dir].band[b];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d-%d:%s",
					 b ? " " : "", band->from, band->to,
					 fate_name(band->fate));
	}
	assert_string_equal(text, expected);
}

static void assert_range(const struct ruler *ruler, int from, int to, int step)
{
	assert_int_equal(ruler->from, from);
	assert_int_equal(ruler->to, to);
	assert_int_equal(ruler->step, step);
}

static void one_edge(void **state)
{
	struct ruler_facts facts =
		facts_of("1460:whole,65535:lost", "1480:whole,65535:fragmented");
	struct ruler ruler;

	(void)state;
	ruler_make(&facts, &ruler);
	assert_range(&ruler, 1400, 1540, 20);
	assert_bands(&ruler, DIR_UPLOAD, "1400-1460:whole 1461-1540:lost");
	assert_bands(&ruler, DIR_DOWNLOAD, "1400-1480:whole 1481-1540:fragmented");
	/* Upload is sent with the peer's MTU. */
	assert_int_equal(ruler.dir[DIR_UPLOAD].mark[HEATMAP_CURRENT], 1470);
	assert_int_equal(ruler.dir[DIR_UPLOAD].mark[HEATMAP_RECOMMENDED], 1460);
	assert_int_equal(ruler.dir[DIR_DOWNLOAD].mark[HEATMAP_CURRENT], 1480);
	assert_int_equal(ruler.dir[DIR_DOWNLOAD].mark[HEATMAP_FASTEST], 0);
	assert_string_equal(ruler_doubt(&ruler.dir[DIR_UPLOAD]), "");
	assert_true(ruler_place(&ruler, 1400) == 0 && ruler_place(&ruler, 1540) == 1);
	assert_true(ruler_place(&ruler, 1470) == 0.5);
}

static void dead_zones(void **state)
{
	struct ruler_facts facts =
		facts_of("1460:whole,1500:lost,1520:unknown,65535:fragmented",
			 "1492:whole,1499:lost,1600:whole,65535:lost");
	struct ruler ruler;

	(void)state;
	ruler_make(&facts, &ruler);
	assert_range(&ruler, 1400, 1650, 50);
	assert_bands(&ruler, DIR_UPLOAD,
		     "1400-1460:whole 1461-1500:lost 1501-1520:unknown "
		     "1521-1650:fragmented");
	assert_bands(&ruler, DIR_DOWNLOAD,
		     "1400-1492:whole 1493-1499:lost 1500-1600:whole 1601-1650:lost");
}

static void nothing_known(void **state)
{
	struct ruler_facts facts = facts_of("", "");
	struct ruler ruler;

	(void)state;
	ruler_make(&facts, &ruler);
	assert_int_equal(ruler.to, 0);
}

static void one_direction_known(void **state)
{
	struct ruler_facts facts = facts_of("", "1480:whole,65535:lost");
	struct ruler ruler;
	struct ruler_label labels[RULER_LABELS_MAX];

	(void)state;
	ruler_make(&facts, &ruler);
	assert_int_equal(ruler.dir[DIR_UPLOAD].bands, 0);
	assert_non_null(strstr(ruler_doubt(&ruler.dir[DIR_UPLOAD]), "not known"));
	assert_int_equal(ruler.dir[DIR_UPLOAD].mark[HEATMAP_RECOMMENDED], 1460);
	assert_int_equal(ruler.dir[DIR_DOWNLOAD].bands, 2);
	assert_true(ruler_labels(&ruler, DIR_UPLOAD, 100, 5, labels) > 3);
}

/* All sizes have one fate: there is no edge to show. */
static void no_edge(void **state)
{
	struct ruler_facts facts = facts_of("65535:whole", "65535:lost");
	struct ruler ruler;

	(void)state;
	memset(facts.mark, 0, sizeof(facts.mark));
	ruler_make(&facts, &ruler);
	assert_range(&ruler, 1380, 1520, 20);
	assert_bands(&ruler, DIR_UPLOAD, "1380-1520:whole");
	assert_bands(&ruler, DIR_DOWNLOAD, "1380-1520:lost");
}

static void jumbo(void **state)
{
	struct ruler_facts facts =
		facts_of("9000:whole,65535:lost", "9000:whole,65535:fragmented");
	struct ruler ruler;

	(void)state;
	facts.mark[HEATMAP_RECOMMENDED] = (struct mtu_pair){8940, 8940};
	facts.mark[HEATMAP_FASTEST] = (struct mtu_pair){60000, 1300};
	ruler_make(&facts, &ruler);
	assert_range(&ruler, 0, 10000, 2000);
	assert_bands(&ruler, DIR_UPLOAD, "0-9000:whole 9001-10000:lost");
	/* The fastest pair is shown where it is within the range. */
	assert_int_equal(ruler.dir[DIR_UPLOAD].mark[HEATMAP_FASTEST], 1360);
	assert_int_equal(ruler.dir[DIR_DOWNLOAD].mark[HEATMAP_FASTEST], 0);
}

/* Each end has the overhead of its own endpoint. */
static void two_overheads(void **state)
{
	struct ruler_facts facts =
		facts_of("1480:whole,65535:lost", "1500:whole,65535:lost");
	struct ruler ruler;

	(void)state;
	facts.path.overhead[DIR_UPLOAD] = PATH_OVERHEAD_IPV6;
	ruler_make(&facts, &ruler);
	assert_int_equal(ruler.dir[DIR_UPLOAD].overhead, 80);
	assert_int_equal(ruler.dir[DIR_UPLOAD].mark[HEATMAP_RECOMMENDED], 1480);
	assert_int_equal(ruler.dir[DIR_DOWNLOAD].overhead, 60);
	assert_int_equal(ruler.dir[DIR_DOWNLOAD].mark[HEATMAP_RECOMMENDED], 1480);
}

static void not_proved(void **state)
{
	struct ruler_facts facts =
		facts_of("1460:whole,65535:lost", "1480:whole,65535:lost");
	struct ruler ruler;

	(void)state;
	facts.guessed[DIR_UPLOAD] = true;
	facts.path.unseen[DIR_DOWNLOAD] = true;
	facts.predicted = true;
	ruler_make(&facts, &ruler);
	assert_true(ruler.predicted);
	assert_string_equal(ruler_doubt(&ruler.dir[DIR_UPLOAD]),
			    " (inferred from throughput)");
	assert_non_null(strstr(ruler_doubt(&ruler.dir[DIR_DOWNLOAD]), "not be seen"));
}

static void assert_labels(const struct ruler *ruler, double width, double room,
			  int edges)
{
	struct ruler_label labels[RULER_LABELS_MAX];
	int count = ruler_labels(ruler, DIR_UPLOAD, width, room, labels);
	int seen = 0;

	assert_in_range(count, 1, RULER_LABELS_MAX);
	for (int i = 0; i < count; i++) {
		seen += labels[i].edge;
		assert_true(labels[i].at >= -0.001 && labels[i].at <= width + 0.001);
		assert_true(i == 0 || labels[i].at - labels[i - 1].at > room - 0.001);
		assert_true(labels[i].edge || labels[i].size % ruler->step == 0);
	}
	assert_int_equal(seen, edges);
}

/* However narrow the ruler, its labels do not meet, and edges come first. */
static void labels_do_not_meet(void **state)
{
	struct ruler_facts facts = facts_of(
		"1400:whole,1402:lost,1404:whole,1440:lost,65535:fragmented", "");
	struct ruler_facts right = facts_of(
		"1400:whole,1538:lost,1539:whole,1540:lost,65535:fragmented", "");
	struct ruler ruler;

	(void)state;
	ruler_make(&facts, &ruler);
	for (double width = 120; width < 1500; width += 31)
		assert_labels(&ruler, width, 36, 4);
	assert_labels(&ruler, 75, 36, 3);
	ruler_make(&right, &ruler);
	for (double width = 120; width < 1500; width += 31)
		assert_labels(&ruler, width, 36, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_edge),
		cmocka_unit_test(dead_zones),
		cmocka_unit_test(nothing_known),
		cmocka_unit_test(one_direction_known),
		cmocka_unit_test(no_edge),
		cmocka_unit_test(jumbo),
		cmocka_unit_test(two_overheads),
		cmocka_unit_test(not_proved),
		cmocka_unit_test(labels_do_not_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
