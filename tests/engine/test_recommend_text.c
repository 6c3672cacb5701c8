/* SPDX-License-Identifier: MIT */
/* The text of a recommendation, line by line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/recommend_evidence.h"

static struct recommend_cell cell_of(int server, int peer, double up, double down)
{
	return (struct recommend_cell){
		.mtu = {server, peer},
		.bps = {{3, up * 1e6, up * 0.98e6, up * 1.02e6},
			{3, down * 1e6, down * 0.98e6, down * 1.02e6}},
		.relative = {{3, 1, 0.99, 1.01}, {3, 1, 0.99, 1.01}},
	};
}

/* Upload: packets of 1461 to 1500 bytes are lost, so the current pair loses full-size
 * TCP: 1420 bytes leave as 60 + 1420 = 1480. */
static struct recommendation settled_one(void)
{
	struct recommendation v = {
		.why = REASON_FITS,
		.settled = true,
		.margin = 0.05,
		.recommended = cell_of(1440, 1400, 36.6, 54.6),
		.current = cell_of(1420, 1420, 0, 54.5),
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.visits = 7,
		.warnings = RECOMMEND_WARN_DEAD_ZONE | RECOMMEND_WARN_MSS,
	};

	v.current.relative[DIR_UPLOAD].value = 0;
	v.current.relative[DIR_DOWNLOAD] = (struct estimate){1, 0.8, 0.5, 1};
	path_bands_parse("1460:whole,1500:lost,65535:fragmented",
			 &v.path.dir[DIR_UPLOAD], NULL);
	path_bands_parse("65535:whole", &v.path.dir[DIR_DOWNLOAD], NULL);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		v.current.predicted[dir] =
			pathmodel_predict(&v.path, &v.current.mtu, (enum direction)dir);
	return v;
}

static char *text_with(const struct recommendation *v, const struct path_survey *survey)
{
	struct evidence e;
	char *text;

	recommend_evidence(v, survey, &e);
	assert_int_equal(evidence_text(&e, &text, NULL), 0);
	return text;
}

static char *text_of(const struct recommendation *v, int probes_up, int probes_down)
{
	struct path_survey survey = {.probes = {probes_up, probes_down}};

	return text_with(v, &survey);
}

static void check(const struct recommendation *v, const char *expected)
{
	char *text = text_of(v, 15, 9);

	assert_string_equal(text, expected);
	free(text);
}

/* 1 / 0.8 is 25 % more, 1 / 0.5 100 %; the MSS is 1400 minus headers of 40 and 60
 * bytes. */
static void settled_by_probes(void **state)
{
	struct recommendation v = settled_one();

	(void)state;
	check(&v,
	      "recommended: server MTU 1440, peer MTU 1400; upload 36.6 Mbit/s (35.9 "
	      "to 37.3), download 54.6 Mbit/s (53.5 to 55.7)\nwhy: the largest allowed "
	      "pair at which every packet, TCP or not, arrives whole both ways\n"
	      "path, upload: "
	      "packets of up to 1460 bytes arrive whole, those of 1461 to 1500 are "
	      "lost, larger ones arrive in fragments (15 probes)\npath, download: all "
	      "packets arrive whole (9 probes)\nWireGuard makes each packet 60 bytes "
	      "larger (IPv4 outside)\nagainst the current pair, 1420/1420: upload "
	      "36.6 Mbit/s instead of nothing; download +25.0 % (+0.0 to "
	      "+100.0)\n7 measurements; settled: no tested pair can still be more than "
	      "5 % faster\nwarning: current pair, 1420/1420, upload: full-size TCP "
	      "packets are lost, which leave with 1480 bytes\nwarning: hosts whose "
	      "traffic is routed through the tunnel do not know its MTU: clamp the MSS "
	      "of their connections to 1360 (IPv4) and 1340 (IPv6) where they enter "
	      "the tunnel\n");
}

static void told_from_throughput(void **state)
{
	struct recommendation v = settled_one();

	(void)state;
	v.why = REASON_ARRIVES;
	v.settled = false;
	v.margin = 0.02;
	v.rival = (struct mtu_pair){1500, 1500};
	v.guessed[DIR_UPLOAD] = true;
	v.path.dir[DIR_DOWNLOAD].count = 0;
	v.path.overhead[DIR_UPLOAD] = PATH_OVERHEAD_IPV6;
	v.path.overhead[DIR_DOWNLOAD] = PATH_OVERHEAD_IPV6;
	v.current.bps[DIR_UPLOAD].count = 0;
	v.current.relative[DIR_UPLOAD].count = 0;
	v.current.relative[DIR_DOWNLOAD].count = 0;
	v.drift[DIR_DOWNLOAD] = (struct drift){.size = -0.5, .beyond_noise = true};
	v.warnings = RECOMMEND_WARN_FILTERED | RECOMMEND_WARN_DRIFT |
		     RECOMMEND_WARN_PROBES;
	check(&v,
	      "recommended: server MTU 1440, peer MTU 1400; upload 36.6 Mbit/s (35.9 "
	      "to 37.3), download 54.6 Mbit/s (53.5 to 55.7)\nwhy: the largest allowed "
	      "pair at which data was seen to arrive undiminished; whether other "
	      "packets than TCP's do is not proved\npath, upload: packets of up to "
	      "1460 bytes arrive, not seen in fragments, those of 1461 to 1500 are "
	      "lost, larger "
	      "ones arrive in fragments (inferred from throughput)\n"
	      "path, download: nothing is known "
	      "of packets by their size (9 probes)\nWireGuard makes each packet 80 "
	      "bytes larger (IPv6 outside)\nagainst the current pair, 1420/1420: "
	      "the measurements do not allow a comparison\n7 measurements; not "
	      "settled: no pair was faster, but tests scatter too much to exclude "
	      "that 1500/1500 is over 2 % faster\nwarning: probes got no answer, so it "
	      "is not proved that UDP fits: let UDP in on the server's port\nwarning: "
	      "rates are too noisy to tell pairs apart: this rests on the "
	      "probes\nwarning: the line's capacity changed during the run: download "
	      "by -50 %; rates are compared with those of the same time\n");
}

static void expect_words(const struct recommendation *v,
			 const struct path_survey *survey, const char *line)
{
	char *text = text_with(v, survey);

	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
	free(text);
}

/* A pair outside the run's ranges has no measurement; one whose tests were refused, or that
 * was measured on another path, has one that says nothing. */
static void current_pair_is_not_measured(void **state)
{
	const struct path_survey moved = {.since_seq = 7};
	const struct path_survey same = {.since_seq = 0};
	struct recommendation v = settled_one();

	(void)state;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		v.current.bps[dir].count = 0;
		v.current.relative[dir].count = 0;
	}
	expect_words(&v, &same,
		     "\nagainst the current pair, 1420/1420: it was not measured\n");
	expect_words(&v, &moved, ": the measurements do not allow a comparison\n");
	v.warnings |= RECOMMEND_WARN_UNREACHED;
	expect_words(&v, &same, ": the measurements do not allow a comparison\n");
}

/* Below 1280 there is no IPv6 in the tunnel whose MSS could be clamped. */
static void small_pairs_carry_no_ipv6(void **state)
{
	const struct path_survey survey = {.since_seq = 0};
	struct recommendation v = settled_one();

	(void)state;
	v.recommended.mtu = (struct mtu_pair){1280, 1300};
	expect_words(&v, &survey,
		     " to 1240 (IPv4) and 1220 (IPv6) where they enter the tunnel\n");
	v.recommended.mtu = (struct mtu_pair){1300, 1279};
	expect_words(&v, &survey, " to 1239 (IPv4) where they enter the tunnel\n");
}

/* The text names each end's overhead and its relay. */
static void ends_differ(void **state)
{
	const struct path_survey survey = {.since_seq = 7};
	struct recommendation v = settled_one();

	(void)state;
	v.path.overhead[DIR_DOWNLOAD] = PATH_OVERHEAD_IPV6;
	expect_words(
		&v, &survey,
		"\nWireGuard makes each packet larger: the server's by 80 bytes (IPv6 "
		"outside), the peer's by 60 (IPv4 outside)\n");
	expect_words(&v, &survey,
		     "\nthe path changed during the run: its measurements up to "
		     "number 7 are of another path and do not count\n");
	v.warnings |= RECOMMEND_WARN_UNSEEN;
	v.path.relayed[DIR_UPLOAD] = true;
	expect_words(&v, &survey,
		     "\nwarning: the peer: the WireGuard endpoint is an address of its "
		     "own host: a relay there sends the packets on the line, and they "
		     "cannot be seen;");
	expect_words(&v, &survey,
		     "packets of up to 1460 bytes arrive, not seen in fragments, those "
		     "of 1461");
	/* An end that does not see what arrives makes one direction doubtful. */
	v.path.relayed[DIR_UPLOAD] = false;
	v.path.unseen[DIR_DOWNLOAD] = true;
	expect_words(
		&v, &survey,
		"\nwarning: the peer: the outer packets that arrive here cannot be "
		"seen (they may be in another network namespace,");
	expect_words(&v, &survey,
		     "path, upload: packets of up to 1460 bytes arrive whole, those");
	expect_words(&v, &survey,
		     "path, download: all packets arrive, not seen in fragments");
	v.path.unseen[DIR_UPLOAD] = true;
	expect_words(&v, &survey, "\nwarning: the server: the outer packets that");
	v.path.relayed[DIR_UPLOAD] = true;
	v.path.relayed[DIR_DOWNLOAD] = true;
	expect_words(&v, &survey, "\nwarning: the server: the WireGuard endpoint is");
	expect_words(&v, &survey, "\nwarning: the peer: the WireGuard endpoint is");
}

static void nothing_works(void **state)
{
	struct recommendation v = {.why = REASON_NOTHING, .path.overhead = {60, 60}};

	(void)state;
	check(&v,
	      "recommended: none\nwhy: no measured pair worked both ways\npath, "
	      "upload: nothing is known of packets by their size (15 probes)\npath, "
	      "download: nothing is known of packets by their size (9 "
	      "probes)\nWireGuard makes each packet 60 bytes larger (IPv4 outside)\n");
}

static void expect_line(const struct recommendation *v, const char *line)
{
	char *text = text_of(v, 15, 9);

	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
	free(text);
}

static void only_what_was_confirmed_is_believed(void **state)
{
	struct recommendation v = settled_one();

	(void)state;
	v.warnings = RECOMMEND_WARN_CONTRADICTED;
	v.contradicted = (struct mtu_pair){1401, 1401};
	expect_line(&v,
		    "\nwarning: the measurement of 1401/1401 contradicts the probes; "
		    "no second one confirmed it, so the probes were believed\n");
	v.contradiction_confirmed = true;
	expect_line(&v, "\nwarning: the measurement of 1401/1401 contradicts the "
			"probes; a second one confirmed it\n");
}

static void what_was_not_probed_got_no_answer_either(void **state)
{
	struct recommendation v = settled_one();
	char *text;

	(void)state;
	v.warnings = RECOMMEND_WARN_FILTERED;
	text = text_of(&v, 0, 0);
	assert_non_null(strstr(text, "\nwarning: the path was not probed, so it is not "
				     "proved that UDP fits\n"));
	assert_null(strstr(text, "got no answer"));
	free(text);
}

/* UDP is filtered: no size counts as probed, but probing was tried. */
static void what_got_no_answer_was_probed(void **state)
{
	struct path_survey survey = {.probe_ms = 1003};
	struct recommendation v = settled_one();
	char *text;

	(void)state;
	v.warnings = RECOMMEND_WARN_FILTERED;
	text = text_with(&v, &survey);
	assert_non_null(strstr(text,
			       "\nwarning: probes got no answer, so it is not proved "
			       "that UDP fits: let UDP in on the server's port\n"));
	free(text);
}

static void losses_are_no_rates(void **state)
{
	struct recommendation v = settled_one();

	(void)state;
	/* No data with either pair. */
	v.settled = false;
	v.recommended.bps[DIR_UPLOAD] = (struct estimate){.count = 2};
	v.recommended.bps[DIR_DOWNLOAD].count = 0;
	v.current.relative[DIR_DOWNLOAD].count = 0;
	expect_line(
		&v,
		"peer MTU 1400; upload nothing got through, download not measured\n");
	expect_line(&v, "\nagainst the current pair, 1420/1420: upload nothing got "
			"through\n");
	expect_line(&v, "; not settled: no measurement shows the recommended pair "
			"working both ways\n");
	v.recommended.mtu = v.current.mtu;
	expect_line(&v, "\nit is the current pair\n");
}

static void slow_lines_keep_their_figures(void **state)
{
	struct recommendation v = settled_one();

	(void)state;
	v.recommended = cell_of(1440, 1400, 0.2449, 1.25);
	expect_line(&v, "; upload 245 kbit/s (240 to 250), download 1.2 Mbit/s (1.2 to "
			"1.3)\n");
	expect_line(&v, " upload 245 kbit/s instead of nothing;");
}

struct bands {
	const char *up;
	const char *line;
};

static void bands_are_plain(void **state)
{
	static const struct bands table[] = {
		{"1460:whole,1492:unknown,65535:lost",
		 "packets of up to 1460 bytes arrive whole, those of 1461 to 1492 "
		 "could not be judged, larger ones are lost (15 probes)\n"},
		{"1500:whole,65535:unknown", "larger ones could not be judged (15"},
		{"1499:whole,1500:lost,65535:fragmented",
		 "those of 1500 are lost, larger"},
		{"1498:whole,1500:lost,65535:fragmented",
		 "those of 1499 to 1500 are lost, larger"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct recommendation v = settled_one();

		assert_int_equal(
			path_bands_parse(table[i].up, &v.path.dir[DIR_UPLOAD], NULL),
			0);
		expect_line(&v, table[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settled_by_probes),
		cmocka_unit_test(told_from_throughput),
		cmocka_unit_test(current_pair_is_not_measured),
		cmocka_unit_test(small_pairs_carry_no_ipv6),
		cmocka_unit_test(ends_differ),
		cmocka_unit_test(nothing_works),
		cmocka_unit_test(only_what_was_confirmed_is_believed),
		cmocka_unit_test(what_was_not_probed_got_no_answer_either),
		cmocka_unit_test(what_got_no_answer_was_probed),
		cmocka_unit_test(losses_are_no_rates),
		cmocka_unit_test(slow_lines_keep_their_figures),
		cmocka_unit_test(bands_are_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
