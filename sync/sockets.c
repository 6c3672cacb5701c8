/* SPDX-License-Identifier: MIT */
/* Listening sockets. */

#include "sync/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/io.h"

/* The kernel gives the lowest free descriptors. */
#define FD_LIMIT 1024
/* The kernel bounds it by net.core.somaxconn. */
#define BACKLOG 1000

int sockets_listen(const char *address, int port, const char *interface, int *ret_fd,
		   struct err *err)
{
	struct sockaddr_storage name;
	const struct sockaddr *at = (struct sockaddr *)&name;
	cleanup_fd int fd = -1;
	int on = 1;

	if (address_parse_on(address, port, interface, &name) < 0)
		return err_set(err, -EINVAL, "cannot listen: '%s' is not an IP address",
			       address);
	fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, at, address_size(&name)) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(err, errno, "cannot listen on address '%s' port %d",
			       address, port);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int sockets_try_listen(const char *address, int port, const char *interface,
		       struct err *err)
{
	cleanup_fd int fd = -1;

	return sockets_listen(address, port, interface, &fd, err);
}

static bool listens_on(int fd, in_addr_t address, int port)
{
	struct sockaddr_in name = {0};
	socklen_t name_size = sizeof(name);
	socklen_t size = sizeof(int);
	int listens = 0;

	return getsockname(fd, (struct sockaddr *)&name, &name_size) == 0 &&
	       name.sin_family == AF_INET && name.sin_addr.s_addr == address &&
	       ntohs(name.sin_port) == port &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
	       listens;
}

int sockets_find_listener(const char *address, int port)
{
	in_addr_t wanted = inet_addr(address);

	for (int fd = 0; fd < FD_LIMIT; fd++) {
		if (listens_on(fd, wanted, port))
			return fd;
	}
	return -1;
}
