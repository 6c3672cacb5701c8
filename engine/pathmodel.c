/* SPDX-License-Identifier: MIT */
#include "engine/pathmodel.h"

#include <stdio.h>
#include <string.h>

/* IPv4 and TCP header, and the time stamps Linux sends. */
#define TCP_HEADERS 52
/* Preamble, header, check sequence and gap of an Ethernet frame. */
#define FRAME_BYTES 38
#define PADDING     16

static int smaller_of(int a, int b)
{
	return a < b ? a : b;
}

int pathmodel_outer(const struct path *path, enum direction dir, int inner, int tx_mtu)
{
	int padded = (inner + PADDING - 1) / PADDING * PADDING;

	return path->overhead[dir] + smaller_of(padded, tx_mtu);
}

enum fate pathmodel_worse(enum fate a, enum fate b)
{
	static const int badness[FATE_COUNT] = {
		[FATE_WHOLE] = 0,
		[FATE_FRAGMENTED] = 1,
		[FATE_UNKNOWN] = 2,
		[FATE_LOST] = 3,
	};

	return badness[a] >= badness[b] ? a : b;
}

/* --- goodput --- */

/* The size that limits the fragments of such a packet: that of the band below, which
 * belongs to the link that cannot carry more. 0: unknown, all sizes are fragmented. */
static int fragment_limit(const struct path_bands *bands, int outer)
{
	int limit = 0;

	for (int i = 0; i < bands->count && bands->band[i].max < outer; i++)
		limit = bands->band[i].max;
	return limit;
}

static int count_fragments(int outer, int limit, int header)
{
	int each = (limit - header) / 8 * 8;

	if (each <= 0)
		return 2;
	return (outer - header + each - 1) / each;
}

/* Bytes of a packet on Ethernet. */
static int wire_bytes(const struct path *path, enum direction dir, int outer)
{
	const struct path_bands *bands = &path->dir[dir];
	bool ipv6 = path->overhead[dir] >= PATH_OVERHEAD_IPV6;
	int limit = fragment_limit(bands, outer);
	int fragments;

	if (path_bands_fate(bands, outer) != FATE_FRAGMENTED)
		return outer + FRAME_BYTES;
	/* RFC 8200: each IPv6 fragment has a fragment header of 8 bytes. */
	fragments = count_fragments(outer, ipv6 ? limit - 8 : limit, ipv6 ? 40 : 20);
	return outer + fragments * FRAME_BYTES +
	       (ipv6 ? (fragments - 1) * 40 + fragments * 8 : (fragments - 1) * 20);
}

static double predict_goodput(const struct path *path, enum direction dir, int inner,
			      const struct prediction *p)
{
	if (p->tcp == FATE_UNKNOWN)
		return -1;
	if (p->tcp == FATE_LOST || inner <= TCP_HEADERS)
		return 0;
	return (double)(inner - TCP_HEADERS) / wire_bytes(path, dir, p->tcp_outer);
}

/* --- predictions --- */

/* Padding leaves only multiples of 16 and the MTU itself. */
static void predict_routed(const struct path *path, enum direction dir, int tx_mtu,
			   struct prediction *p)
{
	p->routed = FATE_WHOLE;
	for (int inner = PADDING; inner < tx_mtu + PADDING; inner += PADDING) {
		int outer = pathmodel_outer(path, dir, inner, tx_mtu);
		enum fate fate = path_bands_fate(&path->dir[dir], outer);

		if (pathmodel_worse(fate, p->routed) != fate)
			continue;
		p->routed = fate;
		p->routed_outer = outer;
	}
}

struct prediction pathmodel_predict(const struct path *path, const struct mtu_pair *mtu,
				    enum direction dir)
{
	return pathmodel_predict_packet(path, mtu, dir, MTU_MAX);
}

int pathmodel_sent_size(const struct measurement *m, enum direction dir)
{
	int inner = smaller_of(m->mtu.server, m->mtu.peer);
	int64_t sent = m->dir[dir].packet_bytes;

	return sent > 0 && sent < inner ? (int)sent : inner;
}

struct prediction pathmodel_predict_test(const struct path *path,
					 const struct measurement *m,
					 enum direction dir)
{
	return pathmodel_predict_packet(path, &m->mtu, dir,
					pathmodel_sent_size(m, dir));
}

struct prediction pathmodel_predict_packet(const struct path *path,
					   const struct mtu_pair *mtu,
					   enum direction dir, int max)
{
	int tx_mtu = mtu_pair_sender(mtu, dir);
	int inner = smaller_of(smaller_of(mtu->server, mtu->peer), max);
	struct prediction p = {.tcp_outer = pathmodel_outer(path, dir, inner, tx_mtu)};

	p.tcp = path_bands_fate(&path->dir[dir], p.tcp_outer);
	predict_routed(path, dir, tx_mtu, &p);
	p.goodput = predict_goodput(path, dir, inner, &p);
	return p;
}

bool pathmodel_sizes(const struct path *path, const struct mtu_pair *mtu,
		     enum direction dir, enum fate fate, int ret_sizes[2],
		     bool *ret_all)
{
	int tx_mtu = mtu_pair_sender(mtu, dir);
	int first = 0, last = 0, count = 0;

	for (int inner = 1; inner <= tx_mtu; inner++) {
		if (path_bands_fate(&path->dir[dir],
				    pathmodel_outer(path, dir, inner, tx_mtu)) != fate)
			continue;
		if (count++ == 0)
			first = inner;
		last = inner;
	}
	if (count == 0)
		return false;
	ret_sizes[0] = first;
	ret_sizes[1] = last;
	*ret_all = count == last - first + 1;
	return true;
}

static bool packet_fits(const struct path *path, enum direction dir, int tx_mtu)
{
	struct prediction p = {.routed = FATE_WHOLE};

	predict_routed(path, dir, tx_mtu, &p);
	return p.routed == FATE_WHOLE;
}

bool pathmodel_fits(const struct path *path, const struct mtu_pair *mtu)
{
	/* Every size of a TCP segment is also a size of other packets. */
	return packet_fits(path, DIR_UPLOAD, mtu->peer) &&
	       packet_fits(path, DIR_DOWNLOAD, mtu->server);
}

/* The smallest padded size inside that does not arrive whole: no larger MTU fits, as
 * packet_fits() has it. */
static int first_unfit(const struct path *path, enum direction dir)
{
	int inner = PADDING;

	while (inner <= MTU_MAX &&
	       path_bands_fate(&path->dir[dir], path->overhead[dir] + inner) ==
		       FATE_WHOLE)
		inner += PADDING;
	return inner;
}

/* 0: none. */
static int largest_fit(const struct path *path, enum direction dir,
		       const struct mtu_range *range)
{
	int most = first_unfit(path, dir);

	for (int i = mtu_range_count(range) - 1; i >= 0; i--) {
		int mtu = mtu_range_at(range, i);

		if (mtu <= most &&
		    path_bands_fate(&path->dir[dir], path->overhead[dir] + mtu) ==
			    FATE_WHOLE)
			return mtu;
	}
	return 0;
}

bool pathmodel_candidate(const struct path *path, const struct mtu_range *server,
			 const struct mtu_range *peer, struct mtu_pair *ret)
{
	struct mtu_pair mtu = {
		.server = largest_fit(path, DIR_DOWNLOAD, server),
		.peer = largest_fit(path, DIR_UPLOAD, peer),
	};

	if (!mtu.server || !mtu.peer)
		return false;
	*ret = mtu;
	return true;
}

static bool all_lost(const struct path *path, enum direction dir,
		     const struct mtu_range *range)
{
	int count = mtu_range_count(range);

	for (int i = 0; i < count; i++) {
		if (path_bands_fate(&path->dir[dir],
				    path->overhead[dir] + mtu_range_at(range, i)) !=
		    FATE_LOST)
			return false;
	}
	return count > 0;
}

static enum pathmodel_rest rest_of(const struct path *path, enum direction dir,
				   const struct mtu_range *range, int *ret)
{
	int full_size = path->overhead[dir] + range->min;
	struct prediction p = {.routed = FATE_WHOLE};
	int fit = largest_fit(path, dir, range);

	/* Small sizes that were not probed do not matter. */
	predict_routed(path, dir, range->min, &p);
	if (!fit && (path_bands_fate(&path->dir[dir], full_size) != FATE_FRAGMENTED ||
		     p.routed == FATE_LOST))
		return all_lost(path, dir, range) ? PATHMODEL_LOST : PATHMODEL_OPEN;
	*ret = fit ? fit : range->min;
	return PATHMODEL_FRAGMENTS;
}

enum pathmodel_rest pathmodel_rest(const struct path *path,
				   const struct mtu_range *server,
				   const struct mtu_range *peer, struct mtu_pair *ret)
{
	struct mtu_pair mtu;
	enum pathmodel_rest down = rest_of(path, DIR_DOWNLOAD, server, &mtu.server);
	enum pathmodel_rest up = rest_of(path, DIR_UPLOAD, peer, &mtu.peer);

	if (up == PATHMODEL_LOST || down == PATHMODEL_LOST)
		return PATHMODEL_LOST;
	if (up == PATHMODEL_OPEN || down == PATHMODEL_OPEN)
		return PATHMODEL_OPEN;
	*ret = mtu;
	return PATHMODEL_FRAGMENTS;
}

/* 0 if one direction does not work, or is not known to. */
static double add_goodputs(const struct path *path, const struct mtu_pair *mtu)
{
	double sum = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		double share =
			pathmodel_predict(path, mtu, (enum direction)dir).goodput;

		if (share <= 0)
			return 0;
		sum += share;
	}
	return sum;
}

bool pathmodel_best(const struct path *path, const struct mtu_range *server,
		    const struct mtu_range *peer, struct mtu_pair *ret)
{
	int peers = mtu_range_count(peer);
	int count = mtu_range_count(server) * peers;
	double most = 0;

	for (int i = 0; i < count; i++) {
		const struct mtu_pair mtu = {
			.server = mtu_range_at(server, i / peers),
			.peer = mtu_range_at(peer, i % peers),
		};
		double sum = add_goodputs(path, &mtu);

		if (sum <= most)
			continue;
		most = sum;
		*ret = mtu;
	}
	return most > 0;
}

/* --- in words --- */

#define SIZES_TEXT 48

/* "those of 1461 to 1500 bytes": all sizes with the same fate as this one. */
static void name_sizes(const struct path_bands *bands, int outer, char ret[SIZES_TEXT])
{
	int low = 1;
	int high = OUTER_SIZE_MAX;

	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].max >= outer) {
			high = bands->band[i].max;
			break;
		}
		low = bands->band[i].max + 1;
	}
	if (low == 1 && high == OUTER_SIZE_MAX)
		snprintf(ret, SIZES_TEXT, "packets of any size");
	else if (low == 1)
		snprintf(ret, SIZES_TEXT, "those of up to %d bytes", high);
	else if (high == OUTER_SIZE_MAX)
		snprintf(ret, SIZES_TEXT, "those above %d bytes", low - 1);
	else if (low == high)
		snprintf(ret, SIZES_TEXT, "those of %d bytes", low);
	else
		snprintf(ret, SIZES_TEXT, "those of %d to %d bytes", low, high);
}

static const char *tcp_phrase(enum fate fate)
{
	switch (fate) {
	case FATE_WHOLE:
		return "the path carries %s whole";
	case FATE_FRAGMENTED:
		return "the path carries %s in fragments: TCP data arrives, but costs "
		       "more";
	case FATE_LOST:
		return "the path loses %s: no TCP data arrives";
	case FATE_UNKNOWN:
	case FATE_COUNT:
		break;
	}
	return "the fate of %s is unknown";
}

/* The same, told from rates. */
static const char *guessed_phrase(enum fate fate)
{
	switch (fate) {
	case FATE_WHOLE:
		return "TCP data in %s arrives, and rates cannot tell if in fragments";
	case FATE_FRAGMENTED:
		return "rates fall for %s as fragments cost: TCP data arrives";
	case FATE_LOST:
	case FATE_UNKNOWN:
	case FATE_COUNT:
		break;
	}
	return tcp_phrase(fate);
}

static const char *routed_phrase(enum fate fate)
{
	switch (fate) {
	case FATE_WHOLE:
		return "UDP and routed packets fit whole too";
	case FATE_FRAGMENTED:
		return "UDP and routed packets have up to %d bytes, and the path "
		       "carries %s in fragments";
	case FATE_LOST:
		return "UDP and routed packets have up to %d bytes, and the path loses "
		       "%s";
	case FATE_UNKNOWN:
	case FATE_COUNT:
		break;
	}
	return "UDP and routed packets have up to %d bytes, and the fate of %s is "
	       "unknown";
}

/* The formats are string literals of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void pathmodel_explain(const struct path *path, const struct mtu_pair *mtu,
		       enum direction dir, bool guessed, char ret[PATHMODEL_TEXT])
{
	struct prediction p = pathmodel_predict(path, mtu, dir);
	bool open = mtu_pair_sender(mtu, dir) == MTU_UNKNOWN;
	char sizes[SIZES_TEXT];
	size_t used;

	used = (size_t)snprintf(
		ret, PATHMODEL_TEXT,
		"a full-size TCP segment leaves as an outer packet of %d bytes%s; ",
		p.tcp_outer, open ? " at most" : "");
	name_sizes(&path->dir[dir], p.tcp_outer, sizes);
	used += (size_t)snprintf(ret + used, PATHMODEL_TEXT - used,
				 guessed ? guessed_phrase(p.tcp) : tcp_phrase(p.tcp),
				 sizes);
	used += (size_t)snprintf(ret + used, PATHMODEL_TEXT - used, "; ");
	name_sizes(&path->dir[dir], p.routed_outer, sizes);
	if (open)
		snprintf(ret + used, PATHMODEL_TEXT - used,
			 "the %s's MTU is not known, and so is the size of UDP and "
			 "routed packets",
			 direction_sender(dir));
	else if (p.routed == p.tcp && p.routed != FATE_WHOLE)
		snprintf(ret + used, PATHMODEL_TEXT - used,
			 "the same goes for UDP and routed packets");
	else if (p.routed == FATE_WHOLE && guessed)
		snprintf(ret + used, PATHMODEL_TEXT - used,
			 "rates cannot tell the fate of UDP and routed packets");
	else
		snprintf(ret + used, PATHMODEL_TEXT - used, routed_phrase(p.routed),
			 path->overhead[dir] + mtu_pair_sender(mtu, dir), sizes);
}

#pragma GCC diagnostic pop
