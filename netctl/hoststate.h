#ifndef NETCTL_HOSTSTATE_H
#define NETCTL_HOSTSTATE_H

#include "base/err.h"
#include "base/types.h"
#include "netctl/hostconf.h"
#include "netctl/journal.h"

/*
 * One interface's MTU, conf file and way of probes, and the way back. The guard holds one; the keeper
 * and the next start make one from the journal.
 *
 * The first change notes what is there (the way back) and writes the journal; each
 * change first checks that link and conf are what the last one left. After
 * hoststate_restore() or hoststate_commit() nothing is pending, and the next change
 * starts afresh, with whatever interface has the name then. After hoststate_expire() it
 * starts afresh too, but with the same interface only: what was deleted and made again
 * in the middle of a session is somebody else's.
 */

struct hoststate {
	struct journal journal; /* what is on disk while `pending` */
	bool pending;           /* there is something to put back */
	bool must_restore; /* a change or the way back stopped half way: only the way
			      back is open */
	bool committed;    /* and nothing changed since */
	bool unfinished;   /* a commit could not put the old conf file away yet: the
			      journal is on disk, and says that the pair is kept */
	int ifindex;       /* of the session's first change; 0 before it */
	enum persist persist;
	char conf_file[4096];
	struct hostconf_stamp conf_noted; /* at the session's first change */
};

void hoststate_init(struct hoststate *state, const char *interface,
		    enum persist persist, const char *conf_file);

/*
 * Set the link's MTU, and with PERSIST_EACH the conf file's. -ESTALE: somebody else
 * changed the interface, its MTU or the conf file since our last change (theirs is
 * kept), or must_restore. -EEXIST and -EIO as hostconf_write(). -ENETDOWN, -ENODEV, or
 * what the kernel says.
 */
int hoststate_set(struct hoststate *state, int mtu, struct err *err);

/*
 * Set the link's MTU for probes, and leave the conf file alone. `address` and `port`: the
 * other end's, for a proberoute_add(); "" for the MTU alone, with which such a way stays
 * as it is. -EOPNOTSUPP: the MTU is set, the way cannot be had. Else as hoststate_set(),
 * which ends it.
 */
int hoststate_probe(struct hoststate *state, int mtu, const char *address, int port,
		    struct err *err);

/* Whether the link is what the last change left: 0 (also with nothing pending), else
 * -ESTALE, -ENODEV, -ENETDOWN as hoststate_set(). */
int hoststate_check(const struct hoststate *state, struct err *err);

/*
 * Keep the MTU that is set, in the conf file too. With the 0 err's text says where the
 * conf file from before is (hostconf_keep()), and, where somebody else changed that file
 * during the session, that their lines stay. -EACCES without PERSIST_BEST. 0 also when it
 * was committed already and nothing happened since: no set, no restore, and the link still
 * has it; the text is then "".
 */
int hoststate_commit(struct hoststate *state, struct err *err);

/*
 * Put link and conf file back, and end the session. On success and on -ESTALE (somebody
 * else's change was kept, or what was to be put back is not there any more) nothing is
 * pending and err's text says what was done; other errors leave the journal for another
 * try.
 */
int hoststate_restore(struct hoststate *state, struct err *err);

/* The same, and the session goes on. */
int hoststate_expire(struct hoststate *state, struct err *err);

/*
 * Restore what the journal of `interface` says, or, where that says that a pair is kept,
 * do what the commit has left undone. 0 with an empty err text: there was none; else as
 * hoststate_restore(), and a failure names the journal.
 */
int hoststate_restore_journal(const char *interface, struct err *err);

#endif
