#include "base/priv.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/leave.h"
#include "base/text.h"

bool priv_have_net_admin(void)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
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

/* The folder may be of root's group; its owner's programs are of their own. */
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
			return err_set(err, -ENOENT,
				       "no such user '%s'; --user takes a user's name",
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

/* Shrinking the bounding set takes CAP_SETPCAP; without it no_new_privs has to do. */
static capng_select_t with_bounds(void)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) ? CAPNG_SELECT_BOTH
								   : CAPNG_SELECT_CAPS;
}

int priv_drop(const struct priv_user *user, struct err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0)
		return err_sys(err, errno, "cannot become group %u",
			       (unsigned)user->gid);
	if (with_bounds() == CAPNG_SELECT_BOTH) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
			return err_set(err, -EPERM,
				       "cannot empty the capability bounding set");
	}
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return err_sys(err, errno, "cannot become user '%s'", user->name);
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
		return err_sys(err, errno, "cannot leave the supplementary groups");
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
	/* Back to what is nobody's privilege, where somebody had raised it. */
	if (score > 0)
		set_oom_score(0);
}

int priv_forbid_exec(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (!filter)
		return err_set(err, -ENOMEM, "cannot make a seccomp filter");
	r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(execve), 0);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(execveat),
				     0);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r < 0)
		return err_sys(err, -r, "cannot load the seccomp filter");
	return 0;
}

void priv_die_with_parent(int sig, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
}
