/* SPDX-License-Identifier: MIT */
/* The network namespace of a WireGuard interface's outer packets. */
#include "netctl/outside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/debug.h"
#include "base/io.h"
#include "base/text.h"
#include "base/thread.h"
#include "netctl/wginfo.h"

#define NAMES_FOLDER "/run/netns"
/* The limits of the search; a host with more keeps its secret. */
#define NAMESPACES_MAX 256
#define ENTRIES_MAX    20000
#define TUNNELS_MAX    64
#define LIST_MAX       ((size_t)8 << 20)
#define STACK_SIZE     ((size_t)256 << 10)

/* --- UDP sockets --- */

/* "  12: 00000000:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 ...":
 * the local and the other end's port, and the user. */
static bool line_has_port(const char *line, int port, bool of_root)
{
	unsigned int local = 0;
	unsigned int remote = 1;
	unsigned int user = 1;

	return sscanf(line,
		      " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %u",
		      &local, &remote, &user) == 3 &&
	       local == (unsigned int)port && remote == 0 && (!of_root || user == 0);
}

bool outside_lists_port(const char *text, int port, bool of_root)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line_has_port(line, port, of_root))
			return true;
	}
	return false;
}

/* 1, 0 or -errno. `folder`: /proc/.../net, whose sockets are those of that task's
 * namespace. */
static int has_port(const char *folder, int port, bool of_root)
{
	static const char *const files[] = {"udp", "udp6"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup_free char *text = NULL;
		cleanup_fd int fd = -1;
		char path[64];
		size_t size;
		int r;

		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		/* A kernel without IPv6 has no second list. */
		if (fd < 0 && i > 0)
			return 0;
		r = fd < 0 ? -errno : io_read_file(fd, LIST_MAX, &text, &size);
		if (r < 0)
			return r;
		if (outside_lists_port(text, port, of_root))
			return 1;
	}
	return 0;
}

bool outside_is_elsewhere(int port)
{
	return port && has_port("/proc/self/net", port, false) == 0;
}

/* --- the search, in a thread that enters each namespace --- */

struct search {
	int port;
	pid_t daemon; /* of a userspace interface; 0: unknown */
	struct outside found;
	int matches;
	int refused; /* errno of a namespace that could not be entered; 0: none */
	char refuser[sizeof(((struct outside *)NULL)->name)];
	int seen_count;
	ino_t seen[NAMESPACES_MAX];
	int r;
	struct err err;
};

/* True once for each namespace, until there are too many. */
static bool is_new(struct search *s, ino_t inode)
{
	for (int i = 0; i < s->seen_count; i++) {
		if (s->seen[i] == inode)
			return false;
	}
	if (s->seen_count == NAMESPACES_MAX)
		return false;
	s->seen[s->seen_count++] = inode;
	return true;
}

static void note_refusal(struct search *s, int code, const char *name)
{
	if (s->refused)
		return;
	s->refused = code;
	text_copy(s->refuser, sizeof(s->refuser), name);
}

/* The socket is that of an interface which is in its own namespace. */
static bool is_explained(int port)
{
	struct rtlink links[TUNNELS_MAX];
	int count = rtlink_list_tunnels(links, TUNNELS_MAX, NULL);

	for (int i = 0; i < count && i < TUNNELS_MAX; i++) {
		if (links[i].up &&
		    wginfo_listen_port(&links[i], wginfo_backend(&links[i])) == port)
			return true;
	}
	return false;
}

static int open_sockets(struct outside *ret, struct err *err)
{
	int r = rtplace_open(&ret->place, err);

	if (r < 0)
		return r;
	/* Protocol 0: no packet arrives. */
	ret->packets = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return ret->packets < 0 ? -errno : 0;
}

static void close_sockets(struct outside *outside)
{
	rtplace_close(&outside->place);
	fd_close(&outside->packets);
}

static void try_namespace(struct search *s, int fd, const char *name)
{
	int r;

	if (setns(fd, CLONE_NEWNET) < 0) {
		note_refusal(s, errno, name);
		return;
	}
	/* Other users can bind any port in a namespace of their own. */
	if (has_port("/proc/thread-self/net", s->port, true) <= 0 ||
	    is_explained(s->port))
		return;
	if (s->matches++)
		return;
	text_copy(s->found.name, sizeof(s->found.name), name);
	r = open_sockets(&s->found, NULL);
	if (r == 0)
		return;
	close_sockets(&s->found);
	/* This is the one that matters. */
	s->refused = 0;
	note_refusal(s, -r, name);
}

/* `path`: of a namespace, or of anything else. */
static void try_path(struct search *s, const char *path, const char *name)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct statfs system;
	struct stat st;

	if (fd < 0 && errno != ENOENT && errno != ESRCH)
		note_refusal(s, errno, name);
	if (fd < 0 || fstatfs(fd, &system) < 0 || system.f_type != NSFS_MAGIC ||
	    fstat(fd, &st) < 0 || !is_new(s, st.st_ino))
		return;
	try_namespace(s, fd, name);
}

static void try_names(struct search *s)
{
	DIR *folder = opendir(NAMES_FOLDER);
	const struct dirent *entry;

	for (int i = 0; folder && i < ENTRIES_MAX && (entry = readdir(folder)); i++) {
		char path[sizeof(NAMES_FOLDER) + NAME_MAX + 2];
		char name[sizeof(path) + 2];

		snprintf(path, sizeof(path), NAMES_FOLDER "/%s", entry->d_name);
		snprintf(name, sizeof(name), "'%s'", path);
		if (entry->d_name[0] != '.')
			try_path(s, path, name);
	}
	if (folder)
		closedir(folder);
}

static void try_process(struct search *s, int pid)
{
	char path[64];
	char name[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	snprintf(name, sizeof(name), "that of process %d", pid);
	try_path(s, path, name);
}

static void try_processes(struct search *s)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;

	for (int i = 0; folder && i < ENTRIES_MAX && (entry = readdir(folder)); i++) {
		int64_t pid;

		if (text_to_int(entry->d_name, 1, INT_MAX, &pid) == 0)
			try_process(s, (int)pid);
	}
	if (folder)
		closedir(folder);
}

static void *search_all(void *ctx)
{
	struct search *s = ctx;
	struct stat own;

	if (stat("/proc/self/ns/net", &own) == 0)
		is_new(s, own.st_ino);
	/* It decides alone: containers often have the same port. */
	if (s->daemon)
		try_process(s, s->daemon);
	if (s->matches)
		return NULL;
	try_names(s);
	try_processes(s);
	return NULL;
}

/* Say why the namespace cannot be used. */
static int explain_failure(const struct search *s, const char *interface,
			   struct err *err)
{
	static const char *const what = "outer packets are in another network "
					"namespace and cannot be seen";

	if (s->matches > 1)
		return err_set(err, -ENOTUNIQ,
			       "'%s': its %s: several namespaces have a socket with "
			       "its port %d",
			       interface, what, s->port);
	if (s->refused)
		return err_set(err, -s->refused,
			       "'%s': its %s: cannot look into %s: %s", interface, what,
			       s->refuser, err_reason(s->refused));
	return err_set(err, -ENOENT,
		       "'%s': its %s: none is known here that has its port %d",
		       interface, what, s->port);
}

static int find_namespace(const struct rtlink *link, enum backend backend, int port,
			  struct outside *ret, struct err *err)
{
	struct search s = {
		.port = port,
		.daemon = backend == BACKEND_USERSPACE ? wginfo_daemon(link) : 0,
		.found = OUTSIDE_NONE,
	};
	pthread_t thread;
	int r = thread_start(&thread, STACK_SIZE, search_all, &s);

	if (r < 0)
		return err_sys(err, -r, "cannot look for the outer packets of '%s'",
			       link->name);
	pthread_join(thread, NULL);
	debug_log("outside", "'%s', port %d: %d of %d namespaces, %s", link->name, port,
		  s.matches, s.seen_count, s.matches ? s.found.name : "none");
	if (s.matches == 1 && s.found.packets >= 0) {
		*ret = s.found;
		ret->ifindex = link->index;
		return 0;
	}
	close_sockets(&s.found);
	return explain_failure(&s, link->name, err);
}

int outside_open(const char *interface, struct outside *ret, struct err *err)
{
	enum backend backend;
	struct rtlink link;
	int port;

	*ret = OUTSIDE_NONE;
	if (rtlink_get(interface, &link, NULL) < 0 || !link.up)
		return 0;
	backend = wginfo_backend(&link);
	port = backend == BACKEND_NONE ? 0 : wginfo_listen_port(&link, backend);
	return outside_is_elsewhere(port)
		       ? find_namespace(&link, backend, port, ret, err)
		       : 0;
}

void outside_close(struct outside *outside)
{
	close_sockets(outside);
	outside->ifindex = 0;
}
