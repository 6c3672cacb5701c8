/* SPDX-License-Identifier: MIT */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/err.h"
#include "base/types.h"

/*
 * The known facts about a tunnel's path: the fate of an outer packet by its size, in
 * each direction. Plain values. Probes find them, a model predicts from them, the
 * database stores them.
 *
 * Sizes are those of outer IP packets, header included, before any fragmentation.
 */

enum fate {
	/* not known: between two sizes that differ, or for all sizes */
	FATE_UNKNOWN,
	FATE_WHOLE,      /* arrives as it was sent */
	FATE_FRAGMENTED, /* arrives, in fragments */
	FATE_LOST,
	FATE_COUNT,
};

/* The largest possible outer packet. */
#define OUTER_SIZE_MAX 65535
#define PATH_BANDS_MAX 24

/* All sizes from the band before (or from 1) up to and including `max`. */
struct path_band {
	int max;
	enum fate fate;
};

/* One direction. Bands ascend, neighbours differ in fate, and the last one's max is
 * OUTER_SIZE_MAX. count 0: nothing is known, for instance because probes are
 * filtered. */
struct path_bands {
	int count;
	struct path_band band[PATH_BANDS_MAX];
};

struct path {
	/* Bytes that WireGuard adds at the sender of each direction: PATH_OVERHEAD_IPV4 or
	 * _IPV6, by the family of that end's own endpoint. The ends differ where a
	 * translator or a relay stands between them. */
	int overhead[DIR_COUNT];
	/* The sender's endpoint is an address of its own host: a relay there sends other
	 * packets on the line, and no end can see those. The bands are of WireGuard's own
	 * outer packets then. */
	bool relayed[DIR_COUNT];
	/* The receiver of this direction does not see its outer packets: those that arrive
	 * count as whole, unless the sender's host fragments them. */
	bool unseen[DIR_COUNT];
	struct path_bands dir[DIR_COUNT];
};

/* A path, and the source of the facts about it. */
struct path_survey {
	struct path path;
	/* sizes probed; 0: the bands come from throughput alone */
	int probes[DIR_COUNT];
	/* time that the probes took, in vain too; 0: not tried */
	int64_t probe_ms;
	/* The path is this one since the measurement after that number: it changed then,
	 * or an endpoint moved. 0: since the run began. */
	uint32_t since_seq;
};

/* Outer IP and UDP headers, and WireGuard's header and tag (32 bytes). */
#define PATH_OVERHEAD_IPV4 60
#define PATH_OVERHEAD_IPV6 80

/* The confidence in percent of fragments that were not probed but told from throughput: of
 * 100 steady lines without any, so many show none, however much the rates differ. */
#define PATH_GUESS_CONFIDENCE 99

/* True when a relay on an end's own host hides the packets on the line. */
bool path_is_relayed(const struct path *path);

/* True when packets of this direction that arrive may have been in fragments. */
bool path_is_doubted(const struct path *path, enum direction dir);

/* WireGuard's overhead with an endpoint of this family: 6; else that of IPv4. */
int path_overhead(int family);

/* Room for any struct path_bands as text. */
#define PATH_BANDS_TEXT_SIZE (PATH_BANDS_MAX * 18)

/* "whole", "fragmented", "lost", "unknown". Static. */
const char *fate_name(enum fate fate);
/* The fate as part of a sentence: "arrive whole", or where nobody saw outer packets on the
 * line "arrive, not seen in fragments". Static. */
const char *fate_phrase(enum fate fate, bool unseen);
/* 0, or -EINVAL with *ret untouched. */
int fate_parse(const char *name, enum fate *ret);

/* The fate of a packet of this size. */
enum fate path_bands_fate(const struct path_bands *bands, int outer_size);

/* The largest size such that it and all smaller ones arrive whole; 0: none. */
int path_bands_whole_max(const struct path_bands *bands);

/* True if sizes arrive in fragments and no smaller ones are lost: of such bands that are
 * told from throughput only the rates show the fragments. */
bool path_bands_slowed(const struct path_bands *bands);

/* The smallest size known to have another fate in `b` than in `a`; 0: none. */
int path_bands_differ(const struct path_bands *a, const struct path_bands *b);

/* Append a band; one of the same fate as the last is joined with it. -ERANGE: `max` is
 * not above the last one's, or above OUTER_SIZE_MAX; -ENOSPC. */
int path_bands_add(struct path_bands *bands, int max, enum fate fate);

/*
 * "1460:whole,1500:lost,65535:fragmented": each band's largest size and fate. The last
 * band reaches OUTER_SIZE_MAX, whatever its number. "" is count 0. -EINVAL with the
 * place in the text, *ret untouched.
 */
int path_bands_parse(const char *text, struct path_bands *ret, struct err *err);
void path_bands_format(const struct path_bands *bands, char ret[PATH_BANDS_TEXT_SIZE]);

/* The next size above `size` of which something is known; 0: there is none. */
int path_bands_known_above(const struct path_bands *bands, int size);

#endif
