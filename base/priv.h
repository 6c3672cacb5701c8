/* SPDX-License-Identifier: MIT */
#ifndef BASE_PRIV_H
#define BASE_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The privileges of a process. Each call is one step of a process's start, in the order
 * of docs/safety.md's table. All act on the calling thread, so call them before any
 * other thread starts.
 */

struct priv_user {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* True when this process has CAP_NET_ADMIN. */
bool priv_have_net_admin(void);

/*
 * Find the user for the unprivileged processes: `name` (--user) if given, else SUDO_UID
 * and SUDO_GID, else the owner of the folder that holds `db_path`. The group is that
 * user's primary group; if the uid has no user entry, the folder's group. -ENOENT: no
 * such user or folder.
 */
int priv_find_user(const char *name, const char *db_path, struct priv_user *ret,
		   struct err *err);

/* Become `user` permanently: supplementary groups, gids, uids, no capabilities,
 * no_new_privs. If that user is root (uid 0), the capabilities are dropped too. */
int priv_drop(const struct priv_user *user, struct err *err);

enum priv_keep {
	PRIV_KEEP_NET_ADMIN = 0, /* CAP_NET_ADMIN, always */
	/* to write another user's file and restore its owner and mode:
	 * CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER */
	PRIV_KEEP_CONF_FILE = 1 << 0,
	PRIV_KEEP_KILL = 1 << 1, /* CAP_KILL: signals to processes of another uid */
	/* CAP_NET_RAW: packet sockets; omitted if this process lacks it, as in some
	 * containers */
	PRIV_KEEP_NET_RAW = 1 << 2,
};

/* Stay uid 0 with these capabilities only, and without supplementary groups; `keep` is
 * a set of enum priv_keep. no_new_privs. */
int priv_keep(unsigned int keep, struct err *err);

/*
 * Make the kernel end other processes first when memory runs out: oom_score_adj
 * PRIV_SPARED_SCORE, or the present score if that is lower. Without CAP_SYS_RESOURCE
 * (so call it before priv_keep()) the score goes as low as allowed, perhaps not at all:
 * no error.
 */
#define PRIV_SPARED_SCORE (-900)
void priv_spare_from_oom(void);

/* The socket families that a process may use; each value includes those before it. */
enum priv_sockets {
	PRIV_SOCKETS_LOCAL,  /* AF_UNIX, AF_NETLINK */
	PRIV_SOCKETS_INET,   /* AF_INET, AF_INET6 */
	PRIV_SOCKETS_PACKET, /* AF_PACKET */
};

/*
 * Load a seccomp filter for this process and all its children. It refuses, with an
 * errno:
 * - execve and execveat; new namespaces and entering others'; access to other
 *   processes' memory and descriptors; mounts, modules, kexec, keys; bpf, perf,
 *   userfaultfd; the clock and the host's name (EPERM);
 * - clone3 and io_uring, which libraries can do without (ENOSYS);
 * - sockets of other families (EAFNOSUPPORT);
 * - calls by the numbers of another architecture (ENOSYS).
 */
int priv_confine(enum priv_sockets sockets, struct err *err);

/*
 * Drop all capabilities, keep the uid, and permit only the system calls by which a
 * process receives from the sockets it already has and answers on them. All others fail
 * with EPERM. Call it after priv_confine().
 */
int priv_receive_only(struct err *err);

/*
 * Refuse, for this process and its children, the socket options by which it would write IP
 * headers itself (IP_HDRINCL, IPV6_HDRINCL), and so send from any address and over any
 * protocol: for a process that has a raw socket. EPERM.
 */
int priv_refuse_headers(struct err *err);

/*
 * Send this process `sig` when its parent dies. Call it after the last uid change,
 * which clears the setting (prctl(2)). Exit the process at once if `parent` is already
 * gone.
 */
void priv_die_with_parent(int sig, pid_t parent);

#endif
