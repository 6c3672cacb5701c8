/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_GUARD_H
#define NETCTL_GUARD_H

#include "base/err.h"
#include "base/types.h"
#include "netctl/hostchange.h"
#include "netctl/outside.h"
#include "netctl/rawsock.h"

/*
 * The guard: the only process that changes the host, and the one that can always
 * restore it. It obeys eight fixed-size messages from main (over a SOCK_SEQPACKET
 * pair), parses nothing that came from a network, and restores by itself when a lease
 * expires, when main's socket closes without a commit, or when the keeper is gone.
 *
 * Main speaks to the network, so the guard takes it for an attacker's: each request is
 * bounded by what this end was started with (struct hostchange_bounds), and by what
 * kernel and WireGuard say themselves, never by what main says of them.
 *
 * Before each change it checks that interface index, MTU (and conf file) are what it
 * left; if somebody else changed them, theirs is kept and -ESTALE says so. A session
 * lasts from the first guard_set() to guard_commit() or guard_restore(): through all of
 * it, and over leases that run out, the interface is the one of that first set. The
 * next session takes the interface that has the name then: a server outlives wg-quick's
 * down and up between two runs.
 */

struct guard_config {
	struct hostchange_bounds bounds;
	int lock_fd;      /* journal_lock()'s; keeper and guard hold it */
	int conf_lock_fd; /* hostconf_lock()'s, held likewise; 0: none */
	/* outside_open()'s; NULL: outer packets are here, as far as is known */
	const struct outside *outside;
	/* Tell the user what the guard did by itself; called in the guard's
	 * process. */
	void (*say)(const char *text);
};

/*
 * The guard's whole life. `main_fd`: requests; `keeper_fd`: its closing means the
 * keeper is dead. Returns the process's exit status: 0 restored (or nothing to do), 1
 * could not.
 */
int guard_serve(const struct guard_config *config, int main_fd, int keeper_fd);

/* --- main's side; any thread, one call at a time (it locks) --- */

struct guard;

/* Takes `fd` over. All that ask the guard give -EPIPE when it is gone, or has not
 * answered within 10 s: from then on it counts as gone, and restores when it can. */
int guard_new(int fd, struct guard **ret, struct err *err);
void guard_free(struct guard *guard);
/* For poll() with no events: hung up when the guard is gone. (It is readable by an
 * answer that came too late, too.) */
int guard_fd(const struct guard *guard);

struct guard_facts {
	int mtu; /* the link's, now */
	bool up;
	bool exists; /* in a session: as the interface of its first set */
	enum backend backend;
	int endpoint_family; /* 4 or 6, the address family of `endpoint`; 0 unknown */
	char allowed[64];    /* the AllowedIPs entry that matched */
	char endpoint[ADDRESS_SIZE]; /* where its outer packets go; "" unknown */
	int endpoint_port;
	bool endpoint_local; /* the endpoint is an address of this host */
	int outer_mtu;   /* path MTU to the endpoint as this host knows it, exceptions
			  included; 0: unknown */
	int64_t too_big; /* ICMP messages since guard_listen(); NO_FIGURE: not known */
	/* The outer packets are in another network namespace, which this program cannot
	 * look into (netctl/outside.h). */
	bool unseen;
	int peers; /* WireGuard peers of the interface; 0 unknown */
	/* Sets change the MTU of the routes to the address, and nothing touches the link:
	 * by the config's scope, and where that is SCOPE_AUTO by the number of peers. A
	 * session keeps what it began with. */
	bool by_route;
	/* The public keys of the interface and of the address's WireGuard peer; ""
	 * unknown. */
	char own_key[KEY_SIZE];
	char far_key[KEY_SIZE];
};

/*
 * `address`: a tunnel address, or "" for the link's facts alone. No private keys. Where the
 * address is not behind the interface, by the route to it and by the AllowedIPs, or is
 * not the config's `remote`, the facts of a WireGuard peer stay unknown.
 */
int guard_get_facts(struct guard *guard, const char *address, struct guard_facts *ret,
		    struct err *err);

/*
 * Set the link's MTU (and the conf file's with PERSIST_EACH), and restore it after
 * `lease_ms` unless renewed. -ERANGE: outside the declared range, or a lease outside
 * LEASE_MIN_MS to LEASE_MAX_MS; -ESTALE: somebody else changed the link or the conf
 * file, or an earlier change still has to be restored; -EEXIST: an earlier run left an
 * original of the conf file; -ENETDOWN: the link is down; -ENODEV: it is gone.
 */
int guard_set(struct guard *guard, int mtu, int64_t lease_ms, struct err *err);

/*
 * The same for the path to `address`, the other end's inside the tunnel: with
 * facts.by_route the MTU is that of the route to the address, and the link stays as it
 * is; guard_set() gives -EDESTADDRREQ then. -EACCES: the address is not behind the
 * interface, by the route to it and by the AllowedIPs, or is not the config's `remote`.
 * -ERANGE also for a route's MTU that a userspace WireGuard cannot have.
 */
int guard_set_for(struct guard *guard, const char *address, int mtu, int64_t lease_ms,
		  struct err *err);

/*
 * Renew the lease for `lease_ms` from now, and check the link. 0 also when nothing is
 * set. -ESTALE: the lease expired and everything was restored; repeated until a set, a
 * restore or a commit succeeds. -ECANCELED: somebody else changed the link. Else as
 * hoststate_check(). After -ECANCELED and -ENODEV the lease is not renewed; after
 * -ENETDOWN it is. -ERANGE as guard_set().
 */
int guard_renew(struct guard *guard, int64_t lease_ms, struct err *err);

/*
 * Begin a probe of the path to `address`, the other end's inside the tunnel: set the
 * link's MTU, within hostchange_probe_range(), to be undone like a set; the conf file is
 * left alone. With a `port` (the other end's; 0: none) also make a way for probes to there
 * (netctl/proberoute.h). The probe lasts until the next one, until a guard_set(), or
 * until all is restored. With "" a probe that is under way goes on with another MTU.
 *
 * -EACCES: the address is not behind the interface, by the route to it and by the
 * AllowedIPs, or is not the config's `remote`. -ENOTCONN: its endpoint is not known.
 * -ERANGE: a port below HOSTCHANGE_PROBE_PORT_MIN, too. -EOPNOTSUPP: not WireGuard, or
 * there can be no such way here. -ESTALE: no probe is under way, too. Else as guard_set().
 */
int guard_probe(struct guard *guard, int mtu, const char *address, int port,
		int64_t lease_ms, struct err *err);

/*
 * A look at the outer packets of the end that is probed, until the probe ends, or the
 * next call: a descriptor for probetap_new() in *ret_fd, the caller's. -ESTALE: no probe
 * is under way; else as probetap_start().
 */
int guard_tap(struct guard *guard, int *ret_fd, struct err *err);

/*
 * A raw socket (netctl/rawsock.h) in *ret_fd, the caller's, for an address inside the
 * tunnel, or with RAWSOCK_OUTER for the WireGuard endpoint that packets to it go to.
 * -EACCES: bounds.alone is not set, or as guard_probe(); -EINVAL: the endpoint is not
 * known; -EOPNOTSUPP: outer packets leave in another network namespace; else
 * rawsock_open()'s.
 */
int guard_raw(struct guard *guard, enum rawsock_kind kind, const char *address,
	      int *ret_fd, struct err *err);

/* Count the ICMP messages that a packet to the address's WireGuard endpoint was too big
 * (netctl/toobig.h), from here on; guard_get_facts() has the number. -EOPNOTSUPP: outer
 * packets leave in another network namespace; else as guard_probe() or toobig_begin(). */
int guard_listen(struct guard *guard, const char *address, struct err *err);

/* rtroute_flush_exceptions() by proxy, with its errors: in this network namespace, and in
 * that of the outer packets. */
int guard_settle(struct guard *guard, struct err *err);

/*
 * Commit the current MTU: write it to the conf file and end the lease. Later restores
 * return to this state. A repeated commit (its answer may have been lost) returns 0
 * while the link still has that MTU. -ESTALE: nothing was committed, or a set, a
 * restore, a probe or the end of a lease came between. -EACCES: without PERSIST_BEST.
 * The text with a 0 is hoststate_commit()'s.
 */
int guard_commit(struct guard *guard, struct err *err);

/*
 * Restore the link's MTU and the conf file. 0 also when nothing was changed; -ESTALE
 * when somebody else's change was left as it is (the text says which). After other
 * errors the guard retries every second; until then only this is accepted.
 */
int guard_restore(struct guard *guard, struct err *err);

/* The same at the end of a probe, and the session goes on: what somebody else changes in
 * the conf file between two probes of a run is still theirs, and reported. */
int guard_end_probe(struct guard *guard, struct err *err);

#endif
