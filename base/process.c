/* SPDX-License-Identifier: MIT */
/* The identity of a process, from /proc. */
#include "base/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/types.h"

struct place {
	char host[HOST_NAME_SIZE];
	char boot[PROCESS_BOOT_SIZE];
	uint64_t pid_namespace;
};

/* Read the beginning of a small file of /proc. */
static bool read_proc(const char *path, char *ret, size_t size)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n <= 0)
		return false;
	ret[n] = '\0';
	return true;
}

bool process_boot(char ret[PROCESS_BOOT_SIZE])
{
	ret[0] = '\0';
	if (!read_proc("/proc/sys/kernel/random/boot_id", ret, PROCESS_BOOT_SIZE))
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

static bool find_place(struct place *ret)
{
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (gethostname(ret->host, sizeof(ret->host) - 1) < 0 || !ret->host[0] ||
	    strchr(ret->host, ' ') || !process_boot(ret->boot) ||
	    stat("/proc/self/ns/pid", &st) < 0)
		return false;
	ret->pid_namespace = st.st_ino;
	return true;
}

/* Read field 22 of stat, the start in clock ticks since boot. The second field, the
 * name, may hold blanks and brackets; the text after its last bracket, which begins
 * with the state (Z, X: dead), does not. False: no such process. */
static bool find_start(int pid, uint64_t *ret)
{
	char path[32];
	char text[1024];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!read_proc(path, text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	if (at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0))
		return false;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, "%" SCNu64, ret) == 1;
}

void process_identify(char ret[PROCESS_ID_SIZE])
{
	struct place place;
	uint64_t start;

	ret[0] = '\0';
	if (find_place(&place) && find_start(getpid(), &start))
		snprintf(ret, PROCESS_ID_SIZE, "%s %s %" PRIu64 " %d %" PRIu64,
			 place.host, place.boot, place.pid_namespace, (int)getpid(),
			 start);
}

enum process_life process_life(const char *identity)
{
	struct place here;
	struct place there;
	uint64_t start;
	uint64_t now;
	int pid;

	if (sscanf(identity, "%64s %36s %" SCNu64 " %d %" SCNu64, there.host,
		   there.boot, &there.pid_namespace, &pid, &start) != 5 ||
	    !find_place(&here) || strcmp(here.host, there.host) != 0)
		return PROCESS_UNKNOWN;
	/* No process outlives a boot. */
	if (strcmp(here.boot, there.boot) != 0)
		return PROCESS_GONE;
	if (here.pid_namespace != there.pid_namespace)
		return PROCESS_UNKNOWN;
	return find_start(pid, &now) && now == start ? PROCESS_LIVES : PROCESS_GONE;
}
