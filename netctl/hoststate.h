/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HOSTSTATE_H
#define NETCTL_HOSTSTATE_H

#include "base/err.h"
#include "netctl/hostchange.h"
#include "netctl/journal.h"
#include "netctl/rundir.h"

/*
 * The changes to a host for one interface, and the way back, by the list of hostchange.h.
 * The guard holds one; the keeper and the next start make one from the journal.
 *
 * The first change notes what is there (the way back) and writes the journal; each
 * change first checks that all is what the last one left. After hoststate_restore() or
 * hoststate_commit() nothing is pending, and the next change starts afresh, with whatever
 * interface has the name then. After hoststate_expire() it starts afresh too, but with the
 * same interface only: what was deleted and made again in the middle of a session is
 * somebody else's.
 */

struct hoststate {
	struct hostchange_bounds bounds;
	struct journal journal; /* on disk while `pending` */
	bool pending;           /* there is something to restore */
	bool must_restore; /* a change or the way back stopped half way: only the way
			      back is open */
	bool committed;    /* and nothing changed since */
	bool unfinished; /* a commit could not tidy up yet: the journal is on disk, and
			    says that the pair is applied */
	struct rundir_place place; /* of the journals, when this began */
	bool journal_left; /* all is restored, but the journal could not be removed */
	int ifindex;       /* the link of the session's first change; 0 before it */
};

void hoststate_init(struct hoststate *state, const struct hostchange_bounds *bounds);

/* -ERANGE, -EBUSY: a kind refuses the change, for what this end was started with or what
 * there is. */
int hoststate_check_request(const struct hoststate *state,
			    const struct hostchange_request *want, struct err *err);

/*
 * Make a change that hoststate_check_request() allows. -ESTALE: somebody else changed
 * the interface, its MTU or the conf file since our last change (which is left as it
 * is), or must_restore. -EEXIST as hostconf_check(). -EIO: the conf file's folder is
 * another or none, or the journals' is another. -EOPNOTSUPP: the MTU is set, a way of
 * probes cannot be had. -ENETDOWN, -ENODEV, or what the kernel says.
 */
int hoststate_change(struct hoststate *state, const struct hostchange_request *want,
		     struct err *err);

/* Check that the host is what the last change left: 0 (also with nothing pending), else
 * -ESTALE, -ENODEV, -ENETDOWN as hoststate_change(). */
int hoststate_check(const struct hoststate *state, struct err *err);

/*
 * Apply the MTU that is set, in the conf file too. With the 0 err's text says where the
 * conf file from before is (hostconf.h), and, where somebody else changed that file
 * during the session, that its changes stay. -EACCES without PERSIST_BEST. 0 also when
 * it was committed already and nothing happened since: no set, no restore, and the link
 * still has it; the text is then "".
 */
int hoststate_commit(struct hoststate *state, struct err *err);

/*
 * Restore all changes, and end the session. On success and on -ESTALE (somebody else's
 * change was left as it is, or the thing to restore no longer exists) nothing is
 * pending, and err's text says what was done. Other errors leave the journal for
 * another try.
 */
int hoststate_restore(struct hoststate *state, struct err *err);

/* The same, and the session goes on. */
int hoststate_expire(struct hoststate *state, struct err *err);

/*
 * Restore what the journal of `interface` says, or, if it says that a pair is applied,
 * finish the commit. 0 with an empty err text: there was none; else as
 * hoststate_restore(), and a failure names the journal.
 */
int hoststate_restore_journal(const char *interface, struct err *err);

#endif
