/* SPDX-License-Identifier: MIT */
/* The state file of a campaign. */

#include "state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"

#define MAGIC UINT64_C(0x6d747566757a7a31)

static void fail(const char *path)
{
	perror(path);
	exit(1);
}

void *state_open(const char *path, size_t size, uint64_t seed)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct state *state;

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		fail(path);
	state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		fail(path);
	if (state->magic == MAGIC && state->seed != seed) {
		fprintf(stderr, "'%s' is of seed %llu\n", path,
			(unsigned long long)state->seed);
		exit(2);
	}
	state->magic = MAGIC;
	state->seed = seed;
	return state;
}
