/* SPDX-License-Identifier: MIT */
#include "engine/udp.h"

#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "base/io.h"

static int bind_to(int fd, const struct test_spec *spec, int port)
{
	struct sockaddr_storage local;

	if (address_parse_on(spec->local, port, spec->interface, &local) < 0)
		return -EINVAL;
	return bind(fd, (struct sockaddr *)&local, address_size(&local)) < 0 ? -errno
									     : 0;
}

static int bind_to_interface(int fd, const char *interface)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
			  (socklen_t)strlen(interface)) < 0
		       ? -errno
		       : 0;
}

int udp_open(const struct test_spec *spec, int port, struct sockaddr_storage *ret_other,
	     const char **ret_what)
{
	bool server = spec->role == ROLE_SERVER;
	cleanup_fd int fd = -1;
	int r;

	*ret_what = "the other end's address";
	if (address_parse_on(spec->remote, port, spec->interface, ret_other) < 0)
		return -EINVAL;
	*ret_what = "cannot make a UDP socket";
	fd = socket(ret_other->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	*ret_what = "cannot bind a UDP socket to the interface";
	r = spec->interface[0] ? bind_to_interface(fd, spec->interface) : 0;
	if (r < 0)
		return r;
	*ret_what = "cannot bind the UDP port";
	r = spec->local[0] ? bind_to(fd, spec, server ? port : 0) : 0;
	if (r < 0)
		return r;
	*ret_what = "cannot reach the other end";
	if (!server &&
	    connect(fd, (struct sockaddr *)ret_other, address_size(ret_other)) < 0)
		return -errno;
	r = fd;
	fd = -1;
	return r;
}
