/* SPDX-License-Identifier: MIT */
/* The privileges of a process, and its seccomp filters. */
#include "base/priv.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/leave.h"
#include "base/text.h"

bool priv_have_net_admin(void)
{
	return capng_get_caps_process() == 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
}

static void user_from_passwd(const struct passwd *entry, struct priv_user *ret)
{
	ret->uid = entry->pw_uid;
	ret->gid = entry->pw_gid;
	text_copy(ret->name, sizeof(ret->name), entry->pw_name);
}

static void user_from_ids(uid_t uid, gid_t gid, struct priv_user *ret)
{
	const struct passwd *entry = getpwuid(uid);

	ret->uid = uid;
	ret->gid = gid;
	if (entry)
		text_copy(ret->name, sizeof(ret->name), entry->pw_name);
	else
		snprintf(ret->name, sizeof(ret->name), "%u", (unsigned)uid);
}

/* The folder's group may be root's; programs of its owner run with the owner's
 * group. */
static int user_of_folder(const char *path, struct priv_user *ret, struct err *err)
{
	char copy[PATH_MAX];
	const struct passwd *owner;
	struct stat folder;

	if (!text_copy(copy, sizeof(copy), path))
		return err_set(err, -ENAMETOOLONG, "path too long: '%.80s...'", path);
	if (stat(dirname(copy), &folder) < 0) {
		text_copy(copy, sizeof(copy), path);
		return err_sys(err, errno, "cannot use folder '%s' of database '%s'",
			       dirname(copy), path);
	}
	owner = getpwuid(folder.st_uid);
	if (owner)
		user_from_passwd(owner, ret);
	else
		user_from_ids(folder.st_uid, folder.st_gid, ret);
	return 0;
}

int priv_find_user(const char *name, const char *db_path, struct priv_user *ret,
		   struct err *err)
{
	const char *sudo_uid = getenv("SUDO_UID");
	const char *sudo_gid = getenv("SUDO_GID");
	int64_t uid;
	int64_t gid;

	if (name) {
		const struct passwd *entry = getpwnam(name);

		if (!entry)
			return err_set(
				err, -ENOENT,
				"no such user '%s'; --user expects a user's name",
				name);
		user_from_passwd(entry, ret);
		return 0;
	}
	if (sudo_uid && sudo_gid &&
	    text_to_int(sudo_uid, 1, UINT32_MAX - 1, &uid) == 0 &&
	    text_to_int(sudo_gid, 0, UINT32_MAX - 1, &gid) == 0) {
		user_from_ids((uid_t)uid, (gid_t)gid, ret);
		return 0;
	}
	return user_of_folder(db_path, ret, err);
}

static int no_new_privs(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot set no_new_privs");
	return 0;
}

/* Only CAP_SETPCAP may shrink the bounding set; without it no_new_privs must
 * suffice. */
static capng_select_t with_bounds(void)
{
	return capng_get_caps_process() == 0 &&
			       capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)
		       ? CAPNG_SELECT_BOTH
		       : CAPNG_SELECT_CAPS;
}

int priv_drop(const struct priv_user *user, struct err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0)
		return err_sys(err, errno, "cannot change to group %u",
			       (unsigned)user->gid);
	if (with_bounds() == CAPNG_SELECT_BOTH) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
			return err_set(err, -EPERM,
				       "cannot empty the capability bounding set");
	}
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return err_sys(err, errno, "cannot change to user '%s'", user->name);
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return err_set(err, -EPERM, "cannot drop capabilities");
	leave_allow_checks();
	return no_new_privs(err);
}

int priv_keep(unsigned int keep, struct err *err)
{
	const capng_type_t sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED |
				  CAPNG_BOUNDING_SET;
	capng_select_t select = with_bounds();
	bool raw = (keep & PRIV_KEEP_NET_RAW) &&
		   capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW);

	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, sets, CAP_NET_ADMIN);
	if (keep & PRIV_KEEP_CONF_FILE)
		capng_updatev(CAPNG_ADD, sets, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER,
			      -1);
	if (raw)
		capng_update(CAPNG_ADD, sets, CAP_NET_RAW);
	if (keep & PRIV_KEEP_KILL)
		capng_update(CAPNG_ADD, sets, CAP_KILL);
	if (setgroups(0, NULL) < 0)
		return err_sys(err, errno, "cannot drop the supplementary groups");
	if (capng_apply(select) < 0)
		return err_set(err, -EPERM, "cannot reduce capabilities");
	return no_new_privs(err);
}

static bool set_oom_score(int score)
{
	cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", score);

	return fd >= 0 && write(fd, text, (size_t)length) == length;
}

static int read_oom_score(void)
{
	cleanup_fd int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	int64_t score;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return text_to_int(text, -1000, 1000, &score) < 0 ? 0 : (int)score;
}

void priv_spare_from_oom(void)
{
	int score = read_oom_score();

	if (score <= PRIV_SPARED_SCORE || set_oom_score(PRIV_SPARED_SCORE))
		return;
	/* Return to the score that needs no privilege, if somebody had raised it. */
	if (score > 0)
		set_oom_score(0);
}

/* --- system calls --- */

/* Namespaces: clone(2) takes them among its flags, the first argument except on
 * s390. */
#ifdef __s390__
#define CLONE_FLAGS_ARGUMENT 1
#else
#define CLONE_FLAGS_ARGUMENT 0
#endif

struct refusal {
	int call;
	int errno_value;
};

/*
 * No process of the program uses these calls, and each has served attackers as a way
 * from an ordinary process into the kernel or another process. ENOSYS is for calls
 * whose libraries fall back to another: a filter cannot read clone3()'s flags, which
 * are in memory, so the C library must use clone() instead.
 */
static const struct refusal refusals[] = {
	/* another program */
	{SCMP_SYS(execve), EPERM},
	{SCMP_SYS(execveat), EPERM},
	/* namespaces */
	{SCMP_SYS(clone3), ENOSYS},
	{SCMP_SYS(unshare), EPERM},
	{SCMP_SYS(setns), EPERM},
/* other processes */
#ifndef __SANITIZE_ADDRESS__ /* the leak checker traces the process */
	{SCMP_SYS(ptrace), EPERM},
#endif
	{SCMP_SYS(process_vm_readv), EPERM},
	{SCMP_SYS(process_vm_writev), EPERM},
	{SCMP_SYS(process_madvise), EPERM},
	{SCMP_SYS(pidfd_getfd), EPERM},
	{SCMP_SYS(kcmp), EPERM},
	/* code and memory for the kernel */
	{SCMP_SYS(bpf), EPERM},
	{SCMP_SYS(perf_event_open), EPERM},
	{SCMP_SYS(userfaultfd), EPERM},
	{SCMP_SYS(io_uring_setup), ENOSYS},
	{SCMP_SYS(io_uring_enter), ENOSYS},
	{SCMP_SYS(io_uring_register), ENOSYS},
	{SCMP_SYS(init_module), EPERM},
	{SCMP_SYS(finit_module), EPERM},
	{SCMP_SYS(delete_module), EPERM},
	{SCMP_SYS(kexec_load), EPERM},
	{SCMP_SYS(kexec_file_load), EPERM},
	{SCMP_SYS(iopl), EPERM},
	{SCMP_SYS(ioperm), EPERM},
	{SCMP_SYS(modify_ldt), EPERM},
	/* keys */
	{SCMP_SYS(add_key), EPERM},
	{SCMP_SYS(request_key), EPERM},
	{SCMP_SYS(keyctl), EPERM},
	/* file systems, and files by their inode number */
	{SCMP_SYS(mount), EPERM},
	{SCMP_SYS(umount), EPERM},
	{SCMP_SYS(umount2), EPERM},
	{SCMP_SYS(pivot_root), EPERM},
	{SCMP_SYS(chroot), EPERM},
	{SCMP_SYS(fsopen), EPERM},
	{SCMP_SYS(fsconfig), EPERM},
	{SCMP_SYS(fsmount), EPERM},
	{SCMP_SYS(fspick), EPERM},
	{SCMP_SYS(move_mount), EPERM},
	{SCMP_SYS(open_tree), EPERM},
	{SCMP_SYS(mount_setattr), EPERM},
	{SCMP_SYS(name_to_handle_at), EPERM},
	{SCMP_SYS(open_by_handle_at), EPERM},
	{SCMP_SYS(swapon), EPERM},
	{SCMP_SYS(swapoff), EPERM},
	{SCMP_SYS(quotactl), EPERM},
	{SCMP_SYS(acct), EPERM},
	/* the whole machine */
	{SCMP_SYS(reboot), EPERM},
	{SCMP_SYS(syslog), EPERM},
	{SCMP_SYS(sethostname), EPERM},
	{SCMP_SYS(setdomainname), EPERM},
	{SCMP_SYS(settimeofday), EPERM},
	{SCMP_SYS(clock_settime), EPERM},
};

static int refuse_calls(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(refusals) / sizeof(refusals[0]); i++)
		r = seccomp_rule_add(filter,
				     SCMP_ACT_ERRNO((uint32_t)refusals[i].errno_value),
				     refusals[i].call, 0);
	return r;
}

static int refuse_namespaces(scmp_filter_ctx filter)
{
	static const unsigned int flags[] = {
		CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(flags) / sizeof(flags[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				     SCMP_CMP(CLONE_FLAGS_ARGUMENT, SCMP_CMP_MASKED_EQ,
					      flags[i], flags[i]));
	return r;
}

static bool may_have(enum priv_sockets sockets, int family)
{
	switch (family) {
	case AF_UNIX:
	case AF_NETLINK:
		return true;
	case AF_INET:
	case AF_INET6:
		return sockets >= PRIV_SOCKETS_INET;
	case AF_PACKET:
		return sockets >= PRIV_SOCKETS_PACKET;
	default:
		return false;
	}
}

/* Add a rule for each refused family, and one for all above them. */
static int refuse_families(scmp_filter_ctx filter, int call, enum priv_sockets sockets)
{
	const uint32_t refused = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	int r = 0;

	for (unsigned int i = 0; r == 0 && i <= AF_PACKET; i++) {
		if (!may_have(sockets, (int)i))
			r = seccomp_rule_add(filter, refused, call, 1,
					     SCMP_A0(SCMP_CMP_EQ, i, 0));
	}
	if (r == 0)
		r = seccomp_rule_add(filter, refused, call, 1,
				     SCMP_A0(SCMP_CMP_GT, AF_PACKET, 0));
	return r;
}

/* Load the filter if all rules were added, and free it in any case. */
static int load_filter(scmp_filter_ctx filter, int r, struct err *err)
{
	/* The filter does not know the call numbers of another architecture. */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
				     SCMP_ACT_ERRNO(ENOSYS));
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r < 0)
		return err_sys(err, -r, "cannot load the seccomp filter");
	return 0;
}

int priv_confine(enum priv_sockets sockets, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (!filter)
		return err_set(err, -ENOMEM, "cannot make a seccomp filter");
	r = refuse_calls(filter);
	if (r == 0)
		r = refuse_namespaces(filter);
	if (r == 0)
		r = refuse_families(filter, SCMP_SYS(socket), sockets);
	if (r == 0)
		r = refuse_families(filter, SCMP_SYS(socketpair), sockets);
	return load_filter(filter, r, err);
}

/* No address argument: a packet socket that is bound to no interface cannot send
 * then. */
static int allow_receiving(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(recvfrom),        SCMP_SYS(poll), SCMP_SYS(ppoll),
		SCMP_SYS(rt_sigreturn),    SCMP_SYS(exit), SCMP_SYS(exit_group),
		SCMP_SYS(restart_syscall),
	};
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1,
				 SCMP_A4(SCMP_CMP_EQ, 0, 0));

	for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

static int filter_receiving(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!filter)
		return err_set(err, -ENOMEM, "cannot make a seccomp filter");
	return load_filter(filter, allow_receiving(filter), err);
}

int priv_receive_only(struct err *err)
{
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return err_set(err, -EPERM, "cannot drop capabilities");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	/* The sanitizers make system calls of their own. */
	(void)filter_receiving;
	return 0;
#else
	return filter_receiving(err);
#endif
}

/* The filter compares the low half alone: the kernel takes an int. */
static int refuse_option(scmp_filter_ctx filter, unsigned int level, unsigned int name)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, level),
				SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffff, name));
}

int priv_refuse_headers(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (!filter)
		return err_set(err, -ENOMEM, "cannot make a seccomp filter");
	r = refuse_option(filter, IPPROTO_IP, IP_HDRINCL);
	if (r == 0)
		r = refuse_option(filter, IPPROTO_IPV6, IPV6_HDRINCL);
	/* With these a source may be any address. */
	if (r == 0)
		r = refuse_option(filter, IPPROTO_IP, IP_FREEBIND);
	if (r == 0)
		r = refuse_option(filter, IPPROTO_IPV6, IPV6_FREEBIND);
	return load_filter(filter, r, err);
}

void priv_die_with_parent(int sig, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
}
