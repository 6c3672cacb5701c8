#ifndef BASE_PRIV_H
#define BASE_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * What a process may do. Each call is one step of a process's start, in the order of
 * docs/safety.md's table; all act on the calling thread, so before any other is
 * started.
 */

struct priv_user {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* Whether this process has CAP_NET_ADMIN. */
bool priv_have_net_admin(void);

/*
 * Who the unprivileged processes run as: `name` (--user) if given, else SUDO_UID and
 * SUDO_GID, else the owner of the folder that `db_path` lies in, with the group that is
 * theirs (of a number without a user: the folder's). -ENOENT: no such user
 * or folder.
 */
int priv_find_user(const char *name, const char *db_path, struct priv_user *ret,
		   struct err *err);

/* Become `user` for good: supplementary groups, gids, uids, no capabilities,
 * no_new_privs. As uid 0 (a user who is root) the capabilities go all the same. */
int priv_drop(const struct priv_user *user, struct err *err);

enum priv_keep {
	PRIV_KEEP_NET_ADMIN = 0,      /* CAP_NET_ADMIN, always */
	PRIV_KEEP_CONF_FILE = 1 << 0, /* what writing somebody's file back as it was
				       takes: CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER */
	PRIV_KEEP_KILL = 1 << 1,    /* CAP_KILL: signals to processes of another uid */
	PRIV_KEEP_NET_RAW = 1 << 2, /* CAP_NET_RAW: packet sockets; where it is had,
				       which in some containers it is not */
};

/* Stay uid 0 with no more than these, and without supplementary groups; `keep` is a set
 * of enum priv_keep. no_new_privs. */
int priv_keep(unsigned int keep, struct err *err);

/*
 * Have the kernel take others first when memory runs out: oom_score_adj
 * PRIV_SPARED_SCORE, or lower where it is lower already. Without CAP_SYS_RESOURCE (so
 * before priv_keep()) it goes as low as is allowed, which may be nowhere: no error.
 */
#define PRIV_SPARED_SCORE (-900)
void priv_spare_from_oom(void);

/* The socket families a process may use, each with those before it. */
enum priv_sockets {
	PRIV_SOCKETS_LOCAL,  /* AF_UNIX, AF_NETLINK */
	PRIV_SOCKETS_INET,   /* AF_INET, AF_INET6 */
	PRIV_SOCKETS_PACKET, /* AF_PACKET */
};

/*
 * Load a seccomp filter, for this process and all its children. It refuses, with an
 * errno: execve and execveat; new namespaces and entering others'; access to other
 * processes' memory and descriptors; io_uring, bpf, perf, userfaultfd; mounts, modules,
 * kexec, keys; the clock and the host's name (EPERM; ENOSYS for what libraries do
 * without: clone3, io_uring); sockets of other families (EAFNOSUPPORT); and calls by the
 * numbers of another architecture (ENOSYS).
 */
int priv_confine(enum priv_sockets sockets, struct err *err);

/*
 * Go on with no capability at all, as the uid it is, and with no system call but those by
 * which a process receives from, and answers on, the sockets it already has. All others
 * fail with EPERM. After priv_confine().
 */
int priv_receive_only(struct err *err);

/*
 * Get `sig` when the parent dies. To be called after the last uid change (a change
 * clears it: prctl(2)); exits the process at once when `parent` is gone already.
 */
void priv_die_with_parent(int sig, pid_t parent);

#endif
