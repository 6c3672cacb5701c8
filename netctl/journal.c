/* SPDX-License-Identifier: MIT */
#include "netctl/journal.h"

#include <asm/socket.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/process.h"
#include "base/text.h"
#include "netctl/hostchange.h"
#include "netctl/lockfile.h"
#include "netctl/rundir.h"

#define MAGIC     "mtusweep journal 3"
#define COMMITTED "committed\n"

/* Between two looks at a lock whose holder is about to end. */
#define LOCK_PAUSE_US 20000

/* The name of a file in the folder. */
struct name {
	char text[NAME_MAX + 1];
};

/* Return the inode of this network namespace; 0 with errno if it cannot be read. */
static uint64_t netns_inode(void)
{
	struct stat ns;

	return stat("/proc/self/ns/net", &ns) < 0 ? 0 : ns.st_ino;
}

/* Each network namespace has interfaces, and so journals, of its own. */
static int make_name(const char *interface, const char *suffix, struct name *ret,
		     struct err *err)
{
	uint64_t inode = netns_inode();

	/* The kernel refuses such a name too; here it must not lead out of the folder.
	 * */
	if (!interface[0] || strlen(interface) >= IF_NAME_SIZE ||
	    strchr(interface, '/'))
		return err_set(err, -EINVAL, "invalid interface name '%s'", interface);
	if (!inode)
		return err_sys(err, errno, "cannot read '/proc/self/ns/net'");
	snprintf(ret->text, sizeof(ret->text), "%ju-%s%s", (uintmax_t)inode, interface,
		 suffix);
	return 0;
}

int journal_path(const char *interface, char ret[JOURNAL_PATH_SIZE], struct err *err)
{
	struct name name;
	int r = make_name(interface, "", &name, err);

	if (r == 0)
		snprintf(ret, JOURNAL_PATH_SIZE, RUNDIR_PATH "/%.60s", name.text);
	return r;
}

/* -EBUSY without a text, as lockfile_take(). */
static int try_lock(const char *interface, struct lockfile_holder *holder, int *ret_fd,
		    struct err *err)
{
	struct name name;
	int r = make_name(interface, ".lock", &name, err);

	if (r < 0)
		return r;
	snprintf(holder->text, sizeof(holder->text), "%d", (int)getpid());
	return lockfile_take(name.text, holder, ret_fd, err);
}

/* The holder's keeper is gone: its guard, which holds the lock too, restores and ends. A
 * pid of another PID namespace looks the same. */
static bool ends_soon(const struct lockfile_holder *holder)
{
	long pid = strtol(holder->text, NULL, 10);

	return pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

int journal_lock(const char *interface, int *ret_fd, struct err *err)
{
	int64_t deadline = clock_boot_ms() + JOURNAL_LOCK_WAIT_MS;
	struct lockfile_holder holder;
	int r = try_lock(interface, &holder, ret_fd, err);

	while (r == -EBUSY && ends_soon(&holder) && clock_left_ms(deadline) > 0) {
		clock_pause_us(LOCK_PAUSE_US);
		r = try_lock(interface, &holder, ret_fd, err);
	}
	if (r == -EBUSY)
		return err_set(err, r,
			       "another mtusweep runs on interface '%s' (process %s); "
			       "stop it first",
			       interface, holder.text[0] ? holder.text : "unknown");
	return r;
}

/* --- content --- */

static uint64_t netns_cookie(void)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	/* From Linux 5.14 on. */
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		return 0;
	return cookie;
}

void journal_note_place(struct journal *journal)
{
	journal->netns_cookie = netns_cookie();
	process_boot(journal->boot);
}

/* If either is unknown, both count as the same. */
static bool is_another_netns(const struct journal *a, const struct journal *b)
{
	return a->netns_cookie && b->netns_cookie && a->netns_cookie != b->netns_cookie;
}

static bool is_another_boot(const struct journal *a, const struct journal *b)
{
	return a->boot[0] && b->boot[0] && strcmp(a->boot, b->boot) != 0;
}

bool journal_is_from_here(const struct journal *journal)
{
	struct journal here;

	journal_note_place(&here);
	return !is_another_netns(journal, &here) && !is_another_boot(journal, &here);
}

/* Into a fresh buffer. */
static int format_journal(const struct journal *journal, char **ret, size_t *ret_size)
{
	FILE *out = open_memstream(ret, ret_size);

	if (!out)
		return -ENOMEM;
	fprintf(out, MAGIC "\nnetns %" PRIu64 "\nboot %s\nindex %d\n",
		journal->netns_cookie, journal->boot, journal->ifindex);
	for (int i = 0; hostchange_kinds[i]; i++)
		hostchange_kinds[i]->write(&journal->changes, out);
	fprintf(out, "%send\n", journal->committed ? COMMITTED : "");
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

/* In one step, and safe on the disk after it. */
static int write_file(int folder, const char *name, const char *fresh, const char *text,
		      size_t length)
{
	cleanup_fd int fd = -1;
	int r = rundir_open_file(folder, fresh, O_WRONLY | O_CREAT | O_TRUNC, &fd,
				 NULL);

	if (r == 0)
		r = io_write_all(fd, text, length);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(folder, fresh, folder, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder, fresh, 0);
	if (r == 0 && fsync(folder) < 0)
		r = -errno;
	return r;
}

int journal_write(const struct journal *journal, struct err *err)
{
	cleanup_fd int folder = -1;
	cleanup_free char *text = NULL;
	size_t size;
	struct name name;
	struct name fresh;
	int r = make_name(journal->interface, "", &name, err);

	if (r == 0)
		r = make_name(journal->interface, ".new", &fresh, err);
	if (r == 0)
		r = rundir_open(&folder, err);
	if (r < 0)
		return r;
	r = format_journal(journal, &text, &size);
	if (r == 0)
		r = write_file(folder, name.text, fresh.text, text, size);
	if (r < 0)
		return err_sys(err, -r, "cannot write journal '" RUNDIR_PATH "/%s'",
			       name.text);
	return 0;
}

/* True where the line begins with `key` and a space. */
static bool is_line_of(const char *line, const char *key)
{
	size_t length = strlen(key);

	return strncmp(line, key, length) == 0 && line[length] == ' ';
}

const char *journal_take_line(char **at, const char *key)
{
	char *line = *at;
	char *end = strchr(line, '\n');

	if (!end || !is_line_of(line, key))
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line + strlen(key) + 1;
}

bool journal_take_int(char **at, const char *key, int *ret)
{
	const char *value = journal_take_line(at, key);
	int64_t number;

	if (!value || text_to_int(value, 0, INT32_MAX, &number) < 0)
		return false;
	*ret = (int)number;
	return true;
}

bool journal_take_u64(char **at, const char *key, uint64_t *ret)
{
	const char *value = journal_take_line(at, key);
	char *end;

	if (!value || !isdigit((unsigned char)value[0]))
		return false;
	errno = 0;
	*ret = strtoull(value, &end, 10);
	return errno == 0 && *end == '\0';
}

/* One kind's lines. Their order is free: earlier versions wrote another. The row's index,
 * -ENOENT: no kind's, -EBADMSG. */
static int take_one(char **at, struct hostchange_records *ret)
{
	for (int i = 0; hostchange_kinds[i]; i++) {
		if (is_line_of(*at, hostchange_kinds[i]->key))
			return hostchange_kinds[i]->read(at, ret) ? i : -EBADMSG;
	}
	return -ENOENT;
}

static bool take_changes(char **at, struct hostchange_records *ret)
{
	unsigned int found = 0;
	int which;

	while ((which = take_one(at, ret)) >= 0)
		found |= 1U << which;
	if (which != -ENOENT)
		return false;
	for (int i = 0; hostchange_kinds[i]; i++) {
		if (hostchange_kinds[i]->has_lines_always && !(found & 1U << i))
			return false;
	}
	return true;
}

static bool take_committed(char **at)
{
	size_t length = strlen(COMMITTED);

	if (strncmp(*at, COMMITTED, length) != 0)
		return false;
	*at += length;
	return true;
}

static bool parse_journal(char *text, struct journal *ret)
{
	const char *boot;

	if (strncmp(text, MAGIC "\n", strlen(MAGIC) + 1) != 0)
		return false;
	text += strlen(MAGIC) + 1;
	if (!journal_take_u64(&text, "netns", &ret->netns_cookie))
		return false;
	boot = journal_take_line(&text, "boot");
	if (!boot || !text_copy(ret->boot, sizeof(ret->boot), boot) ||
	    !journal_take_int(&text, "index", &ret->ifindex) ||
	    !take_changes(&text, &ret->changes))
		return false;
	ret->committed = take_committed(&text);
	return strcmp(text, "end\n") == 0;
}

/* Without the interface, which its name alone says. */
static int read_file(int folder, const char *name, struct journal *ret, struct err *err)
{
	cleanup_free char *text = NULL;
	cleanup_fd int fd = -1;
	size_t size;
	int r = rundir_open_file(folder, name, O_RDONLY, &fd, err);

	if (r < 0)
		return r;
	r = io_read_file(fd, 8192, &text, &size);
	if (r == -EFBIG)
		return -EBADMSG;
	if (r < 0)
		return err_sys(err, -r, "cannot read journal '" RUNDIR_PATH "/%s'",
			       name);
	memset(ret, 0, sizeof(*ret));
	return strlen(text) == size && parse_journal(text, ret) ? 0 : -EBADMSG;
}

int journal_read(const char *interface, struct journal *ret, struct err *err)
{
	cleanup_fd int folder = -1;
	struct name name;
	int r = make_name(interface, "", &name, err);

	if (r == 0)
		r = rundir_open(&folder, err);
	if (r == 0)
		r = read_file(folder, name.text, ret, err);
	if (r == -EBADMSG)
		return err_set(err, r,
			       "journal '" RUNDIR_PATH
			       "/%s' is damaged; check the MTU of "
			       "'%s' by hand, then remove the journal",
			       name.text, interface);
	if (r == 0)
		text_copy(ret->interface, sizeof(ret->interface), interface);
	return r;
}

int journal_remove(const char *interface, struct err *err)
{
	cleanup_fd int folder = -1;
	struct name name;
	int r = make_name(interface, "", &name, err);

	if (r == 0)
		r = rundir_open(&folder, err);
	if (r < 0)
		return r;
	if (unlinkat(folder, name.text, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove journal '" RUNDIR_PATH "/%s'",
			       name.text);
	return 0;
}

/* --- those of others --- */

/* Its boot is over, or its namespace's inode has another one's by now: ours, the only one
 * whose cookie can be asked for. */
static bool is_over(const struct journal *journal, uint64_t inode)
{
	struct journal here;

	journal_note_place(&here);
	return is_another_boot(journal, &here) ||
	       (inode && inode == netns_inode() && is_another_netns(journal, &here));
}

static bool outlives_its_place(const struct hostchange_records *changes)
{
	for (int i = 0; hostchange_kinds[i]; i++) {
		if (hostchange_kinds[i]->outlives &&
		    hostchange_kinds[i]->outlives(changes))
			return true;
	}
	return false;
}

static bool is_useless(int folder, const char *name, uint64_t inode, bool unfinished)
{
	struct journal journal;
	int r = read_file(folder, name, &journal, NULL);

	if (r == -EBADMSG)
		return unfinished;
	return r == 0 && !outlives_its_place(&journal.changes) &&
	       is_over(&journal, inode);
}

/* `name`: <inode>-<interface>, with ".new" where its writer did not finish. Only the
 * holder of the lock writes it. */
static void remove_useless(int folder, const char *name)
{
	struct lockfile_holder holder;
	size_t length = strlen(name);
	bool unfinished = length > 4 && strcmp(name + length - 4, ".new") == 0;
	struct name lock;
	char *end;
	uint64_t inode = strtoull(name, &end, 10);
	int fd;

	if (end == name || *end != '-')
		return;
	if (!is_useless(folder, name, inode, unfinished))
		return;
	snprintf(lock.text, sizeof(lock.text), "%.*s.lock",
		 (int)(unfinished ? length - 4 : length), name);
	snprintf(holder.text, sizeof(holder.text), "%d", (int)getpid());
	if (lockfile_take(lock.text, &holder, &fd, NULL) < 0)
		return;
	if (is_useless(folder, name, inode, unfinished))
		unlinkat(folder, name, 0);
	lockfile_release(&fd);
}

static DIR *list_folder(void)
{
	cleanup_fd int fd = -1;
	DIR *folder = rundir_open(&fd, NULL) < 0 ? NULL : fdopendir(fd);

	/* Its own from here on. */
	if (folder)
		fd = -1;
	return folder;
}

void journal_remove_useless(void)
{
	DIR *folder = list_folder();
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".lock") != 0)
			remove_useless(dirfd(folder), entry->d_name);
	}
	if (folder)
		closedir(folder);
}

/* An interface with a journal of this inode: whether it is of this namespace, not of one
 * before that had the inode, and nobody runs on it. A damaged journal does not tell. */
static bool is_left(const char *interface)
{
	struct lockfile_holder holder;
	struct journal journal;
	int r = journal_read(interface, &journal, NULL);
	int fd;

	if (r < 0 && (r != -EBADMSG || !if_nametoindex(interface)))
		return false;
	if (r == 0 && !journal_is_from_here(&journal))
		return false;
	if (try_lock(interface, &holder, &fd, NULL) < 0)
		return false;
	lockfile_release(&fd);
	return true;
}

/* The interface that a journal of this namespace is named after; NULL: none is. */
static const char *interface_of(const char *name, uint64_t inode)
{
	const char *dot = strrchr(name, '.');
	char *end;

	if (dot && (strcmp(dot, ".lock") == 0 || strcmp(dot, ".new") == 0))
		return NULL;
	if (strtoull(name, &end, 10) != inode || end == name || *end != '-')
		return NULL;
	return end + 1;
}

void journal_list_left(char *ret, size_t size)
{
	DIR *folder = list_folder();
	struct dirent *entry;
	uint64_t inode = netns_inode();
	size_t used = 0;

	ret[0] = '\0';
	while (folder && (entry = readdir(folder))) {
		const char *name = interface_of(entry->d_name, inode);

		if (!name || used + strlen(name) + 5 > size || !is_left(name))
			continue;
		used += (size_t)snprintf(ret + used, size - used, "%s'%s'",
					 used ? ", " : "", name);
	}
	if (folder)
		closedir(folder);
}
