/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HOSTCHANGE_H
#define NETCTL_HOSTCHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "base/types.h"
#include "netctl/proberoute.h"

/*
 * The kinds of change to the host, as one list: the link's MTU, the way of probes, the
 * MTU of routes to one peer, the conf file, networkd's drop-in. hoststate walks the list
 * for each change, commit and restore, the journal for its lines. Guard, keeper and journal
 * name no kind.
 *
 * A new kind is a file with its functions, a row in hostchange.c, a record here, and the
 * fields here by which it is asked for.
 */

struct hoststate;
struct journal;

/* The bounds that this end was started with: it changes nothing else. */
struct hostchange_bounds {
	char interface[IF_NAME_SIZE];
	struct mtu_range range; /* the only MTUs that are set, but for probes */
	/* The only other end, where it is known from the start; "": any that is behind
	 * the interface. */
	char remote[ADDRESS_SIZE];
	enum persist persist;
	enum scope scope;
	/* The real path; "" unless persist, or where an MTU is applied to the host alone.
	 * Its form (conffile.h) says which kind of change it is. */
	char conf_file[4096];
	bool alone; /* main may have raw sockets (netctl/rawsock.h) */
};

/* A change that main asks for. Each kind reads its own fields, and trusts none. */
struct hostchange_request {
	bool probe; /* for probes: never in the conf file, within the wider range */
	int mtu;
	/* The other end's, inside the tunnel. */
	char address[ADDRESS_SIZE];
	int port; /* with a way of probes to there; 0: none */
	/* The routes to the address get the MTU, and the link is left alone. The guard
	 * decides that itself. */
	bool by_route;
};

/* Main may have sent anything: end the strings. */
void hostchange_end_strings(struct hostchange_request *want);

/* The MTUs for probes at an end of this range. Below 1280 it goes only where the range
 * does: the interface has no IPv6 then. */
#define HOSTCHANGE_PROBE_MTU_MAX 9216
struct mtu_range hostchange_probe_range(const struct mtu_range *range);
#define HOSTCHANGE_PROBE_PORT_MIN 1024

/* --- the kinds' records, in the journal unless it says otherwise --- */

struct hostlink_record {
	int original;
	int before; /* the MTU before the last change of ours */
	int set;    /* the MTU that we last set, or are about to set; 0: none so far */
	int ipv6;   /* linkipv6_note(), to be restored above 1280; LINKIPV6_NOTHING */
};

/* A route whose mtu metric is changed; 0 is a route without one. */
struct hostroute_entry {
	char address[ADDRESS_SIZE];
	int length; /* of the prefix */
	int table;
	bool existed; /* before the run, with the metric `original`; else it is ours */
	int original;
};

/* Routes of one peer are not more. */
#define HOSTROUTE_MAX 33

struct hostroute_record {
	int before; /* as in struct hostlink_record, of all routes */
	int set;
	int count; /* 0: no route is changed. The first is the one to the peer's address. */
	struct hostroute_entry list[HOSTROUTE_MAX];
	/* This host's address on the way there; "": unknown. */
	char source[ADDRESS_SIZE];
};

/* A conf file at some moment, to tell whether somebody changed it since. */
struct hostconf_stamp {
	bool known; /* false: it could not be looked at */
	uint64_t device;
	uint64_t inode;
	int64_t size;
	struct timespec changed;
};

struct hostconf_record {
	/* "" while the conf file is as it was, and no copy of it lies beside it */
	char file[4096];
	/* Its folder: another one at that path is not where the original lies. */
	uint64_t folder_device;
	uint64_t folder_inode;
	/* The inode of the original beside it: a conf file with this one was restored. 0:
	 * the original is being made, and the conf file was not touched. */
	uint64_t original_inode;
	struct hostconf_stamp
		noted; /* at the session's first change; not in the journal */
	bool theirs;   /* somebody changed it before the commit; not in the journal */
};

/* networkd's drop-in, whose text follows from these. */
struct hostdropin_record {
	char file[4096]; /* "" while it is as it was */
	int original;    /* the MTU in it before the run; 0: there was no such file */
	bool folder_existed; /* before the run; else it is ours */
};

struct hostchange_records {
	struct hostlink_record link;
	struct proberoute way; /* its address is "" while there is none */
	struct hostroute_record route;
	struct hostconf_record conf;
	struct hostdropin_record dropin;
};

/* The MTU that was last set, of the routes or else of the link. */
int hostchange_mtu(const struct hostchange_records *records);
/* The one before. */
int hostchange_mtu_before(const struct hostchange_records *records);
/* True where they name a conf file or a drop-in. */
bool hostchange_has_file(const struct hostchange_records *records);

/*
 * One kind. Its functions return 0 or a negative errno. hoststate writes the journal
 * between note() and apply(). A function that says so may be NULL.
 */
struct hostchange_kind {
	/* Refuse what this end may not change; nothing is done yet. May be NULL. */
	int (*check)(const struct hoststate *state,
		     const struct hostchange_request *want, struct err *err);
	/* Note what is to be; with nothing pending first what there is, as the way back.
	 * After a failure hoststate restores the journal's record. */
	int (*note)(struct hoststate *state, const struct hostchange_request *want,
		    struct err *err);
	/* Make the change, where the last one is still there. */
	int (*apply)(struct hoststate *state, const struct hostchange_request *want,
		     struct err *err);
	/* -ESTALE, -ENODEV: somebody else has changed it. -ENETDOWN: it is ours, but the
	 * interface is down. -ENOENT: it is gone, as the interface's going down takes
	 * routes away; the next change makes it again. May be NULL. */
	int (*is_ours)(const struct journal *journal, struct err *err);
	/* 0: nothing of it is changed any more, and the text, if any, is a clause that
	 * says so. -ESTALE: somebody else's change was left as it is. Others: retry. */
	int (*restore)(struct journal *journal, struct err *err);
	/* Make the change permanent: commit() before the journal says so, keep() to
	 * tidy up after it. If keep() fails it is called again. Both may be NULL. */
	int (*commit)(struct hoststate *state, struct err *err);
	int (*keep)(struct journal *journal, struct err *err);
	/* Its lines in the journal. `key` begins the first one. */
	const char *key;
	bool has_lines_always; /* a journal without them is damaged */
	void (*write)(const struct hostchange_records *records, FILE *out);
	bool (*read)(char **at, struct hostchange_records *ret);
	/* True where it outlives the boot and the network namespace. NULL: never. */
	bool (*outlives)(const struct hostchange_records *records);
};

/*
 * In the order of their changes and restores: the link first, the files last, since a disk
 * may take its time. NULL ends the list.
 */
extern const struct hostchange_kind *const hostchange_kinds[];

extern const struct hostchange_kind hostlink_kind;
extern const struct hostchange_kind hostway_kind;
extern const struct hostchange_kind hostroute_kind;
extern const struct hostchange_kind hostconf_kind;
extern const struct hostchange_kind hostdropin_kind;

#endif
