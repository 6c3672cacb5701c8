/* SPDX-License-Identifier: MIT */
#include "base/privcheck.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

#define NAMES_SIZE 160
#define TEXT_MAX   ((size_t)64 << 10)

struct need {
	unsigned int capability;
	const char *name;
	unsigned int keep; /* needed with any of these bits; 0: always */
};

static const struct need needs[] = {
	{CAP_SETGID, "SETGID", 0},
	{CAP_SETUID, "SETUID", 0},
	{CAP_KILL, "KILL", PRIV_KEEP_KILL},
	{CAP_DAC_OVERRIDE, "DAC_OVERRIDE", PRIV_KEEP_CONF_FILE},
	{CAP_CHOWN, "CHOWN", PRIV_KEEP_CONF_FILE},
	{CAP_FOWNER, "FOWNER", PRIV_KEEP_CONF_FILE},
};

static int lacks(const char *names, const char *what_for, struct err *err)
{
	return err_set(
		err, -EPERM,
		"root lacks the capability %s here, needed to %s: add it to the "
		"container with --cap-add (Docker, Podman) or "
		"securityContext.capabilities.add (Kubernetes), to a systemd service "
		"with CapabilityBoundingSet=",
		names, what_for);
}

int privcheck_net_admin(struct err *err)
{
	if (geteuid() != 0)
		return err_set(err, -EPERM,
			       "changing an interface's MTU needs root's privileges; "
			       "use sudo");
	return priv_have_net_admin()
		       ? 0
		       : lacks("NET_ADMIN", "change an interface's MTU", err);
}

static bool is_needed(const struct need *need, const struct priv_user *user,
		      unsigned int keep)
{
	if (need->capability == CAP_SETUID)
		return user->uid != 0;
	return !need->keep || (need->keep & keep);
}

static void list_missing(const struct priv_user *user, unsigned int keep,
			 char ret[NAMES_SIZE])
{
	size_t used = 0;

	ret[0] = '\0';
	/* What cannot be known is not said. */
	if (capng_get_caps_process() < 0)
		return;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct need *need = &needs[i];

		if (!is_needed(need, user, keep) ||
		    capng_have_capability(CAPNG_EFFECTIVE, need->capability))
			continue;
		used += (size_t)snprintf(ret + used, NAMES_SIZE - used, "%s%s",
					 used ? ", " : "", need->name);
	}
}

/* --- the user namespace (user_namespaces(7)) --- */

/* NULL without such a file: an old kernel, or no /proc. The caller frees it. */
static char *read_text(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t size;

	return fd >= 0 && io_read_file(fd, TEXT_MAX, &text, &size) == 0 ? text : NULL;
}

/* True without such a file. */
static bool maps_id(const char *path, uint32_t id)
{
	cleanup_free char *text = read_text(path);
	char *rest = text;
	char *line;

	if (!text)
		return true;
	while ((line = strsep(&rest, "\n"))) {
		uint32_t first;
		uint32_t count;

		if (sscanf(line, "%" SCNu32 " %*u %" SCNu32, &first, &count) == 2 &&
		    id >= first && id - first < count)
			return true;
	}
	return false;
}

static bool groups_are_denied(void)
{
	cleanup_free char *text = read_text("/proc/self/setgroups");

	return text && strncmp(text, "deny", 4) == 0;
}

static int check_namespace(const struct priv_user *user, struct err *err)
{
	if (groups_are_denied())
		return err_set(
			err, -EPERM,
			"this user namespace has one user only and denies setgroups, "
			"so the unprivileged processes cannot be separated: start the "
			"container with a range of ids (subuid and subgid), or outside "
			"of a user namespace");
	if (maps_id("/proc/self/uid_map", user->uid) &&
	    maps_id("/proc/self/gid_map", user->gid))
		return 0;
	return err_set(err, -EPERM,
		       "user '%s' (uid %u, gid %u) does not exist in this user "
		       "namespace: name another with --user, or start the container "
		       "with a range of ids (subuid and subgid)",
		       user->name, (unsigned)user->uid, (unsigned)user->gid);
}

int privcheck_rest(const struct priv_user *user, unsigned int keep, struct err *err)
{
	char names[NAMES_SIZE];

	list_missing(user, keep, names);
	if (names[0])
		return lacks(
			names,
			"run the unprivileged processes, or to write the conf file",
			err);
	return check_namespace(user, err);
}
