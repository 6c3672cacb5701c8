/* SPDX-License-Identifier: MIT */
#ifndef BASE_WARNING_H
#define BASE_WARNING_H

#include <stdint.h>
#include <stdio.h>

#include "base/types.h"

/*
 * A warning for the reader of a run, as facts: a kind and the columns that it uses. The
 * sentence is made when it is read. The database, messages and JSON know the names.
 *
 * X(KIND, name, sentence): {column} stands for a value, {column:format} for a value in
 * another form (base/warning.c). A kind uses the columns that its sentence names. A part in
 * brackets is omitted if its columns are not known; all others are always known.
 */
#define WARNING_KINDS(X)                                                              \
	/* of a run */                                                                \
	X(TEXT, "text", "{detail}")                                                   \
	X(ROUTE_MTU, "route_mtu",                                                     \
	  "{at_end}: the route to {detail} has an MTU of its own, {mtu}, which "      \
	  "overrides the interface's")                                                \
	X(ROUTE_ADVMSS, "advmss",                                                     \
	  "{at_end}: the route to {detail} has an 'advmss' of {value}: TCP to this "  \
	  "host has segments of that size at most, so its tests say nothing about "   \
	  "larger packets")                                                           \
	X(MTU_PROBING, "mtu_probing",                                                 \
	  "{at_end}: TCP on this host probes the path MTU by itself and hides "       \
	  "black holes: set 'net.ipv4.tcp_mtu_probing' to 0 for the sweep (it is "    \
	  "{value})")                                                                 \
	X(MTU_PROBING_LATE, "mtu_probing_late",                                       \
	  "{at_end}: TCP on this host lowers its segment size in a black hole and "   \
	  "may hide it: set 'net.ipv4.tcp_mtu_probing' to 0 for the sweep (it is "    \
	  "{value})")                                                                 \
	X(SSTHRESH_KEPT, "ssthresh_kept",                                             \
	  "{at_end}: this host reuses the slow start threshold of one test in the "   \
	  "next: set 'net.ipv4.tcp_no_ssthresh_metrics_save' to 1 for the sweep (it " \
	  "is {value})")                                                              \
	X(PATH_MTU_CACHED, "path_mtu_cached", "{at_end}: {detail}")                   \
	X(SHORT_TESTS, "short_tests",                                                 \
	  "tests of {duration_ms:seconds} s are short for a path whose round trip "   \
	  "takes {rtt_ms:seconds} s: their rates are TCP's start more than the "      \
	  "path's; --duration {value} tells more")                                    \
	X(LINE_DOWN, "line_down",                                                     \
	  "server MTU {server_mtu}, peer MTU {peer_mtu}: the line was down for a "    \
	  "part of each {direction} test, so its rate may be too low")                \
	X(GRID_DRIFT, "grid_drift",                                                   \
	  "the line's capacity changed during the run: {direction} by "               \
	  "{rate_percent:change} %, by the measurements of server MTU {server_mtu}, " \
	  "peer MTU {peer_mtu}; pairs measured early and late differ by that too")    \
	X(FRAGMENTED, "fragmented",                                                   \
	  "the path fragments full-size packets of server MTU {server_mtu}, peer "    \
	  "MTU {peer_mtu}; the largest pair that fits is server MTU "                 \
	  "{other_server_mtu}, peer MTU {other_peer_mtu}")                            \
	X(NOTHING_FITS, "nothing_fits",                                               \
	  "the path fragments full-size packets of server MTU {server_mtu}, peer "    \
	  "MTU {peer_mtu}; no pair fits whole")                                       \
	X(SOMETIMES, "sometimes",                                                     \
	  "{direction}: outer packets of {size_min} to {size_max} bytes pass only "   \
	  "sometimes ({value} % of their probes arrived), as over two lines of "      \
	  "which one takes less: they count as lost")                                 \
	X(IMPORTED, "imported",                                                       \
	  "imported from '{detail}': a log does not say which hosts it is of, how "   \
	  "long a test was or why one failed; its date is the file's")                \
	X(MOVED, "moved",                                                             \
	  "{at_end}: during the run the WireGuard endpoint moved from {detail}: the " \
	  "path was probed again, and earlier measurements do not count")             \
	X(MOVED_MIXED, "moved_mixed",                                                 \
	  "{at_end}: during the run the WireGuard endpoint moved from {detail}: "     \
	  "the measurements before and after that are of two paths")                  \
	X(CHANGED, "changed",                                                         \
	  "the path changed during the run: {direction}, the fate of outer packets "  \
	  "went from {detail}: the path was probed again, and earlier measurements "  \
	  "do not count")                                                             \
	X(HUB_ROUTES, "hub_routes",                                                   \
	  "{at_end}: the interface has {value} peers: the pair is for the routes "    \
	  "between the two ends alone, the link and the other peers keep their MTUs") \
	X(HUB_LINK, "hub_link",                                                       \
	  "{at_end}: the interface has {value} peers, and the link's MTU is that of " \
	  "all of them: this pair is right for one, and may be wrong for the other "  \
	  "peers")                                                                    \
	/* made when reading, never stored */                                         \
	X(LEFT_OUT, "left_out",                                                       \
	  "the run has more than {value} rows: they are left out here; 'mtusweep "    \
	  "show' reads all of them")                                                  \
	/* of a recommendation */                                                     \
	X(RELAYED, "relayed",                                                         \
	  "{at_end}: the WireGuard endpoint is an address of its own host: a relay "  \
	  "there sends the packets on the line, and they cannot be seen; sizes are "  \
	  "those that the relay receives, judged by what arrives inside the tunnel "  \
	  "and by the receiver's count of reassembled packets")                       \
	X(UNSEEN, "unseen",                                                           \
	  "{at_end}: the outer packets that arrive here cannot be seen (they may "    \
	  "be in another network namespace, as those of an interface that was made "  \
	  "there): sizes are judged by what arrives inside the tunnel, and "          \
	  "fragments cannot be told from whole packets")                              \
	X(TCP_LOST, "tcp_lost",                                                       \
	  "current pair, {server_mtu}/{peer_mtu}, {direction}: full-size TCP "        \
	  "packets are lost, which leave with {size_max} bytes")                      \
	X(MSS_PROTECTS, "mss_protects",                                               \
	  "current pair, {server_mtu}/{peer_mtu}, {direction}: TCP passes only "      \
	  "because the {direction:receiver}'s MSS protects it; UDP and routed "       \
	  "packets {size_min:sizes}{size_max:silent} are lost{value:every}")          \
	X(OTHERS_LOST, "others_lost",                                                 \
	  "current pair, {server_mtu}/{peer_mtu}, {direction}: full-size TCP "        \
	  "packets pass, but others {size_min:sizes}{size_max:silent} are "           \
	  "lost{value:every}")                                                        \
	X(CLAMP_PROTECTS, "clamp_protects",                                           \
	  "current pair, {server_mtu}/{peer_mtu}, {direction}: TCP passes only "      \
	  "because its MSS is lowered; UDP and routed packets "                       \
	  "{size_min:sizes}{size_max:silent} are lost{value:every}")                  \
	X(CLAMPED, "clamped",                                                         \
	  "{direction}: TCP sent packets of {size_max} bytes at most, less than the " \
	  "MTUs allow: a firewall's MSS clamp, a route's advmss or mtu, or "          \
	  "tcp_mtu_probing lowers its MSS to {size_max:mss_ipv4} (IPv4) or "          \
	  "{size_max:mss_ipv6} (IPv6); its rates say nothing about larger packets, "  \
	  "such as those of UDP")                                                     \
	X(UNREACHED, "unreached",                                                     \
	  "in {value} of the measurements a test's connection was refused or got no " \
	  "answer; they say nothing about their pairs: if a firewall limits new "     \
	  "connections (as 'ufw limit' does), exempt the peer's to the tests' port, " \
	  "and run again")                                                            \
	X(CONTRADICTED, "contradicted",                                               \
	  "the measurement of {server_mtu}/{peer_mtu} contradicts the probes; "       \
	  "a second one confirmed it")                                                \
	X(CONTRADICTED_ONCE, "contradicted_once",                                     \
	  "the measurement of {server_mtu}/{peer_mtu} contradicts the probes; "       \
	  "no second one confirmed it, so the probes were believed")                  \
	X(UNANSWERED, "unanswered",                                                   \
	  "probes got no answer, so it is not proved that UDP fits: let UDP in on "   \
	  "the server's port")                                                        \
	X(NOT_PROBED, "not_probed",                                                   \
	  "the path was not probed, so it is not proved that UDP fits")               \
	X(NOISY, "noisy",                                                             \
	  "rates are too noisy to tell pairs apart: this rests on the probes")        \
	X(DRIFT, "drift",                                                             \
	  "the line's capacity changed during the run: {direction} by "               \
	  "{rate_percent:change} %; rates are compared with those of the same time")  \
	X(LATENCY, "latency",                                                         \
	  "{direction}: the round trip under load is {rtt_ms} ms with server MTU "    \
	  "{server_mtu}, peer MTU {peer_mtu}, and {value} ms with server MTU "        \
	  "{other_server_mtu}, peer MTU {other_peer_mtu}; noise does not explain "    \
	  "that")                                                                     \
	X(MSS, "mss",                                                                 \
	  "hosts whose traffic is routed through the tunnel do not know its MTU: "    \
	  "clamp the MSS of their connections to {mtu:clamp} where they enter the "   \
	  "tunnel")                                                                   \
	X(BELOW_MINIMUM, "below_minimum",                                             \
	  "server MTU {other_server_mtu}, peer MTU {other_peer_mtu} is the largest "  \
	  "pair that fits whole, but IPv6 inside the tunnel needs 1280: to use that " \
	  "pair, remove what there is of IPv6 from the tunnel at both ends, and run " \
	  "again with --strategy smart and without --mtu-min")                        \
	X(BELOW_RANGE, "below_range",                                                 \
	  "server MTU {other_server_mtu}, peer MTU {other_peer_mtu} is the largest "  \
	  "pair that fits whole, but is below the MTUs that this run was allowed: "   \
	  "run again with a smaller --mtu-min at both ends")                          \
	X(ROAM, "roam",                                                               \
	  "should an endpoint move to IPv6 (20 bytes more), this pair would not fit " \
	  "whole[; {other_server_mtu}/{other_peer_mtu} would either way]")            \
	X(ROAM_PERHAPS, "roam_perhaps",                                               \
	  "should an endpoint move to IPv6 (20 bytes more), this pair might not fit " \
	  "whole[; {other_server_mtu}/{other_peer_mtu} would either way]")            \
	X(INCOMPLETE, "incomplete",                                                   \
	  "the pair is the peer's; this copy of the run lacks a part of its evidence")

enum warning_kind {
#define WARNING_ENUM(kind, name, sentence) WARNING_##kind,
	WARNING_KINDS(WARNING_ENUM)
#undef WARNING_ENUM
		WARNING_COUNT,
};

/* The columns that are numbers: X(name, min, max). */
#define WARNING_NUMBERS(X)                                                              \
	/* the pair of MTUs that it is about */                                         \
	X(server_mtu, MTU_MIN, MTU_MAX)                                                 \
	X(peer_mtu, MTU_MIN, MTU_MAX)                                                   \
	/* a pair that does not have the fault; LATENCY: that it is compared with */    \
	X(other_server_mtu, MTU_MIN, MTU_MAX)                                           \
	X(other_peer_mtu, MTU_MIN, MTU_MAX)                                             \
	X(mtu, 1, MTU_MAX)                                                              \
	/* packets that are lost: outer sizes of TCP_LOST, SOMETIMES; else inner;     \
	 * CLAMPED: the largest inner size that TCP sent */ \
	X(size_min, 1, MTU_MAX)                                                         \
	X(size_max, 1, MTU_MAX + 1000)                                                  \
	/* rate at the run's end, in percent of that at its beginning */                \
	X(rate_percent, 0, 1000000)                                                     \
	X(duration_ms, 0, 1000000000)                                                   \
	X(rtt_ms, 0, 1000000000)                                                        \
	/* of the kernel's setting; SHORT_TESTS: seconds that a test should take;   \
	 * HUB_ROUTES, HUB_LINK: peers; LEFT_OUT: rows; MSS_PROTECTS,               \
	 * CLAMP_PROTECTS and OTHERS_LOST: 1 if each size between is lost, else 0;  \
	 * SOMETIMES: percent; UNREACHED: measurements; LATENCY: the other pair's   \
	 * round trip in ms */   \
	X(value, 0, 1000000000)

enum warning_end {
	WARNING_END_NONE,
	WARNING_END_SERVER,
	WARNING_END_PEER,
	WARNING_END_COUNT,
};

/* Only the columns that the kind uses have a meaning. */
struct warning {
	enum warning_kind kind;
	enum warning_end at_end; /* whose host it is about */
	enum direction direction;
#define WARNING_MEMBER(name, ...) int64_t name;
	WARNING_NUMBERS(WARNING_MEMBER)
#undef WARNING_MEMBER
	const char
		*detail; /* an address, a file, fates, or the text of another's error */
};

struct warning_number {
	const char *name;
	int64_t min;
	int64_t max;
};

enum {
#define WARNING_INDEX(name, ...) WARNING_NUMBER_##name,
	WARNING_NUMBERS(WARNING_INDEX)
#undef WARNING_INDEX
		WARNING_NUMBER_COUNT
};

/* In the order of the list. */
extern const struct warning_number warning_numbers[WARNING_NUMBER_COUNT];
int64_t *warning_number(struct warning *w, int index);

enum warning_use {
	WARNING_UNUSED,
	WARNING_OPTIONAL, /* 0: not known */
	WARNING_NEEDED,
};

/* How a kind uses "at_end", "direction", a number or "detail". */
enum warning_use warning_use(enum warning_kind kind, const char *column);

/* "route_mtu". Static. */
const char *warning_name(enum warning_kind kind);
/* -EINVAL: no kind has that name. */
int warning_parse(const char *name, enum warning_kind *ret);
/* "server", "peer". Static. */
const char *warning_end_name(enum warning_end end);
/* -EINVAL: no end has that name, "" included. */
int warning_end_parse(const char *name, enum warning_end *ret);
/* "warning", or "note" if nothing is wrong yet. Static. */
const char *warning_label(enum warning_kind kind);

/* Print the sentence, without an end of line. */
void warning_print(const struct warning *w, FILE *out);
/* The same as text; freed by the caller, NULL: out of memory. */
char *warning_sentence(const struct warning *w);

#endif
