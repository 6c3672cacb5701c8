/* SPDX-License-Identifier: MIT */
/* Main's side of the tap. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "netctl/probetap_wire.h"

/* The tap answers from a table in its memory. */
#define ANSWER_MS 1000

struct probetap {
	int fd;                                   /* -1 once the tap failed to answer */
	unsigned char seen[PROBETAP_UDP_MAX + 1]; /* by UDP size */
	unsigned char ever;                       /* of all sizes, never forgotten */
};

int probetap_new(int fd, struct probetap **ret, struct err *err)
{
	struct probetap *tap = calloc(1, sizeof(*tap));

	if (!tap) {
		fd_close(&fd);
		return err_set(err, -ENOMEM, "out of memory");
	}
	tap->fd = fd;
	*ret = tap;
	return 0;
}

void probetap_free(struct probetap *tap)
{
	if (!tap)
		return;
	fd_close(&tap->fd);
	free(tap);
}

static bool receive_answer(int fd, struct probetap_answer *ret)
{
	const size_t head = sizeof(*ret) - sizeof(ret->sizes);
	ssize_t n;

	if (io_wait(fd, -1, clock_boot_ms() + ANSWER_MS) <= 0)
		return false;
	n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);
	return n >= (ssize_t)head && ret->count <= PROBETAP_SEEN &&
	       (size_t)n == head + ret->count * sizeof(ret->sizes[0]);
}

bool probetap_read(struct probetap *tap)
{
	struct probetap_answer answer = {0};
	char question = 0;
	bool answered = send(tap->fd, &question, sizeof(question),
			     MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(question);

	/* Do not trust the tap to end its answer. */
	for (int parts = 0; parts <= PROBETAP_UDP_MAX / PROBETAP_SEEN + 1; parts++) {
		answered = answered && receive_answer(tap->fd, &answer);
		for (int i = 0; answered && i < answer.count; i++) {
			unsigned char seen = (unsigned char)answer.sizes[i].seen;

			tap->seen[answer.sizes[i].udp_size] |= seen;
			tap->ever |= seen;
		}
		if (!answered || !answer.more)
			break;
	}
	answered = answered && !answer.more;
	/* A later answer would be taken for that to the next question. */
	if (!answered)
		fd_close(&tap->fd);
	return answered;
}

bool probetap_saw(const struct probetap *tap, enum probetap_way way)
{
	return tap->ever & (SEEN_WHOLE(way) | SEEN_FRAGMENTED(way));
}

void probetap_forget(struct probetap *tap, enum probetap_way way)
{
	for (int i = 0; i <= PROBETAP_UDP_MAX; i++)
		tap->seen[i] &=
			(unsigned char)~(SEEN_WHOLE(way) | SEEN_FRAGMENTED(way));
}

struct probetap_seen probetap_look(const struct probetap *tap, enum probetap_way way,
				   int udp_size)
{
	struct probetap_seen seen = {0};

	if (udp_size < 0 || udp_size > PROBETAP_UDP_MAX)
		return seen;
	seen.whole = tap->seen[udp_size] & SEEN_WHOLE(way);
	seen.fragmented = tap->seen[udp_size] & SEEN_FRAGMENTED(way);
	return seen;
}
