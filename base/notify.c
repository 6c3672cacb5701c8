/* SPDX-License-Identifier: MIT */
#include "base/notify.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

/* Return the address' size; 0: there is none. A name that begins with '@' is of the
 * abstract kind, which begins with a zero. */
static socklen_t find_manager(struct sockaddr_un *ret)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t size = path ? strlen(path) : 0;

	if (size < 2 || size >= sizeof(ret->sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return 0;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, size);
	if (path[0] == '@')
		ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void notify_send(const char *state)
{
	struct sockaddr_un manager;
	socklen_t size = find_manager(&manager);
	struct timeval patience = {.tv_sec = 1};
	int fd = size ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return;
	/* A manager that lost "READY=1" would end the program. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	       (const struct sockaddr *)&manager, size);
	fd_close(&fd);
}

/* The number that an environment variable has; 0: none, or another word. */
static int64_t read_number(const char *name)
{
	const char *value = getenv(name);
	int64_t number;

	return value && text_to_int(value, 1, INT64_MAX, &number) == 0 ? number : 0;
}

int notify_watchdog_ms(void)
{
	int64_t half_ms = read_number("WATCHDOG_USEC") / 2000;
	int64_t pid = read_number("WATCHDOG_PID");

	if (half_ms <= 0 || (pid && pid != getpid() && pid != getppid()))
		return -1;
	return half_ms < INT_MAX ? (int)half_ms : INT_MAX;
}
