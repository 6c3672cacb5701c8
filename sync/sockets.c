/* The web server's sockets. */

#include "sync/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/io.h"

typedef int get_name_fn(int fd, struct sockaddr *address, socklen_t *size);

static bool has_name(int fd, get_name_fn *get_name, const char *address, int port)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);
	char host[64];
	char service[8];
	char expected[16];

	if (get_name(fd, (struct sockaddr *)&name, &size) < 0 || size == 0)
		return false;
	if (getnameinfo((struct sockaddr *)&name, size, host, sizeof(host), service,
			sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	snprintf(expected, sizeof(expected), "%d", port);
	return strcmp(host, address) == 0 && strcmp(service, expected) == 0;
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

int sockets_find_listener(const char *address, int port)
{
	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++) {
		if (is_stream(fd, 1) && has_name(fd, getsockname, address, port))
			return fd;
	}
	return -1;
}

bool sockets_is_connection(int fd, const char *address, int port)
{
	return is_stream(fd, 0) && has_name(fd, getsockname, address, port);
}

int sockets_find_connection(const char *address, int port, const char *remote,
			    int remote_port)
{
	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++) {
		if (is_stream(fd, 0) &&
		    has_name(fd, getpeername, remote, remote_port) &&
		    has_name(fd, getsockname, address, port))
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
