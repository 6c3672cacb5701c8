/* SPDX-License-Identifier: MIT */
/* The web server's sockets. */

#include "sync/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/io.h"

typedef int get_name_fn(int fd, struct sockaddr *address, socklen_t *size);

/* Both kinds of addresses have their port at the same place. */
static in_port_t port_of(const struct sockaddr_storage *name)
{
	return ((const struct sockaddr_in *)name)->sin_port;
}

/* Compared as they are: this is asked of many descriptors, and often. */
static bool has_name(int fd, get_name_fn *get_name, const struct sockaddr_storage *want)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);

	return get_name(fd, (struct sockaddr *)&name, &size) == 0 && size > 0 &&
	       port_of(&name) == port_of(want) && address_same_host(&name, want);
}

static bool is_stream(int fd, int listening)
{
	socklen_t size = sizeof(int);
	int type = 0;
	int accepts = 0;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 &&
	       accepts == listening;
}

int sockets_find_listener(const struct sockaddr_storage *local)
{
	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++) {
		if (has_name(fd, getsockname, local) && is_stream(fd, 1))
			return fd;
	}
	return -1;
}

bool sockets_is_connection(int fd, const struct sockaddr_storage *local)
{
	return has_name(fd, getsockname, local) && is_stream(fd, 0);
}

int sockets_find_connection(const struct sockaddr_storage *local, const char *remote,
			    int remote_port)
{
	struct sockaddr_storage name;

	if (address_parse(remote, remote_port, &name) < 0)
		return -1;
	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++) {
		if (has_name(fd, getpeername, &name) &&
		    sockets_is_connection(fd, local))
			return fd;
	}
	return -1;
}

int sockets_try_listen(const char *address, int port, bool v6, struct err *err)
{
	struct sockaddr_storage name;
	const struct sockaddr *at = (struct sockaddr *)&name;
	cleanup_fd int fd = -1;
	int on = 1;

	if (address_parse(address, port, &name) < 0)
		return err_set(err, -EINVAL, "cannot listen: '%s' is not an IP address",
			       address);
	if (name.ss_family == AF_INET6 && !v6)
		return err_set(
			err, -EAFNOSUPPORT,
			"cannot listen on '%s': the civetweb library here was "
			"built without IPv6; use IPv4 addresses inside the tunnel",
			address);
	fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && bind(fd, at, sizeof(name)) == 0 && listen(fd, 1) == 0)
		return 0;
	return err_sys(err, errno, "cannot listen on address '%s' port %d", address,
		       port);
}
