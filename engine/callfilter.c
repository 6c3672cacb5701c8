/* Who may call a test's server. */
#include "engine/callfilter.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/text.h"
#include "base/types.h"
#include "engine/tcp.h"

/* Control and data. */
#define CONNECTIONS 2

static char peer[ADDRESS_SIZE]; /* "": anybody */
static int accepted;

int callfilter_set(const char *address)
{
	struct sockaddr_storage parsed;
	int rc = address_parse(address, 0, &parsed);

	if (rc < 0)
		return rc;
	text_copy(peer, sizeof(peer), address);
	accepted = 0;
	return 0;
}

/* Visible to libiperf, as the C library's would be; its type is <sys/socket.h>'s. */
int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
	__attribute__((visibility("default")));

int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
{
	socklen_t room = size ? *size : 0;

	for (;;) {
		int got = accept4(fd, address, size, 0);

		if (got < 0 || peer[0] == '\0' || accepted >= CONNECTIONS)
			return got;
		if (tcp_peer_is(got, peer)) {
			accepted++;
			return got;
		}
		tcp_reset(got);
		if (size)
			*size = room;
	}
}
