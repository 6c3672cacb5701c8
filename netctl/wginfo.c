/* SPDX-License-Identifier: MIT */
/* Facts about a WireGuard interface: asks the kernel or the userspace daemon; wgmatch.c
 * parses. */
#include "netctl/wginfo.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "netctl/nl.h"
#include "netctl/wgmatch.h"

#define SOCKET_FOLDER "/var/run/wireguard"
#define TIMEOUT_MS    2000
#define cleanup_match __attribute__((cleanup(wgmatch_wipe)))

/* --- userspace --- */

static void socket_address(const struct rtlink *link, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof(ret->sun_path), SOCKET_FOLDER "/%s.sock",
		 link->name);
}

/* Return a descriptor or -errno. Never blocks: a daemon that is stuck gives -EAGAIN. */
static int connect_daemon(const struct sockaddr_un *address)
{
	cleanup_fd int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int connected;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	connected = fd;
	fd = -1;
	return connected;
}

enum backend wginfo_backend(const struct rtlink *link)
{
	struct sockaddr_un address;
	struct stat st;
	int fd;

	if (strcmp(link->kind, "wireguard") == 0)
		return BACKEND_KERNEL;
	socket_address(link, &address);
	if (strcmp(link->kind, "tun") != 0 || stat(address.sun_path, &st) < 0 ||
	    !S_ISSOCK(st.st_mode))
		return BACKEND_NONE;
	/* The socket of a dead daemon refuses the connection; a socket that we may not
	 * use still has a daemon. */
	fd = connect_daemon(&address);
	if (fd == -ECONNREFUSED)
		return BACKEND_NONE;
	fd_close(&fd);
	return BACKEND_USERSPACE;
}

static int read_answer(int fd, struct wgmatch *match)
{
	int64_t deadline_ms = clock_boot_ms() + TIMEOUT_MS;
	char piece[4096];
	int r = 0;

	while (r == 0 && !match->complete) {
		ssize_t n;

		r = io_wait(fd, -1, deadline_ms);
		if (r <= 0)
			return r ? r : -ETIMEDOUT;
		n = read(fd, piece, sizeof(piece));
		if (n < 0)
			r = errno == EINTR || errno == EAGAIN ? 0 : -errno;
		else if (n == 0)
			r = -EPIPE;
		else
			r = wgmatch_feed_text(match, piece, (size_t)n);
		explicit_bzero(piece, sizeof(piece));
	}
	return r < 0 ? r : -match->code;
}

static int ask_daemon(const struct rtlink *link, struct wgmatch *match, struct err *err)
{
	static const char question[] = "get=1\n\n";
	struct sockaddr_un address;
	cleanup_fd int fd = -1;
	int r;

	socket_address(link, &address);
	fd = connect_daemon(&address);
	if (fd < 0)
		return err_sys(err, -fd,
			       "cannot connect to the WireGuard daemon's socket '%s'",
			       address.sun_path);
	r = io_write_all(fd, question, sizeof(question) - 1);
	if (r == 0)
		r = read_answer(fd, match);
	if (r < 0)
		return err_sys(err, -r,
			       "invalid answer from the WireGuard daemon at '%s'",
			       address.sun_path);
	return 0;
}

/* --- kernel --- */

static struct nlmsghdr *begin_generic(struct nl *nl, uint16_t family, uint16_t flags,
				      uint8_t command, uint8_t version)
{
	struct nlmsghdr *request = nl_begin(nl, family, flags);
	struct genlmsghdr *generic =
		mnl_nlmsg_put_extra_header(request, sizeof(*generic));

	generic->cmd = command;
	generic->version = version;
	return request;
}

static int find_family(struct nl *nl, uint16_t *ret, struct err *err)
{
	struct nlmsghdr *request =
		begin_generic(nl, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	int r;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	r = nl_exchange(nl, wgmatch_on_family, ret);
	if (r == -ENOENT || (r == 0 && !*ret))
		return err_set(
			err, -EOPNOTSUPP,
			"this kernel has no WireGuard: its module is not loaded");
	if (r < 0)
		return nl_error(nl, r, err, "cannot ask the kernel for WireGuard");
	return 0;
}

static int ask_kernel(const struct rtlink *link, const char *address,
		      struct wgmatch *match, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	uint16_t family = 0;
	int r = nl_open(&nl, NETLINK_GENERIC, err);

	if (r == 0)
		r = find_family(&nl, &family, err);
	if (r < 0)
		return r;
	do {
		struct nlmsghdr *request = begin_generic(
			&nl, family, NLM_F_DUMP, WG_CMD_GET_DEVICE, WG_GENL_VERSION);

		mnl_attr_put_u32(request, WGDEVICE_A_IFINDEX, (uint32_t)link->index);
		r = wgmatch_init(match, address, err);
		if (r < 0)
			return r;
		r = nl_exchange(&nl, wgmatch_on_message, match);
	} while (r == -EINTR);
	if (r < 0)
		return nl_error(&nl, r, err, "cannot read WireGuard interface '%s'",
				link->name);
	return 0;
}

/* wgmatch_init() for the address is done. */
static int ask(const struct rtlink *link, enum backend backend, const char *address,
	       struct wgmatch *match, struct err *err)
{
	switch (backend) {
	case BACKEND_KERNEL:
		return ask_kernel(link, address, match, err);
	case BACKEND_USERSPACE:
		return ask_daemon(link, match, err);
	case BACKEND_NONE:
	case BACKEND_COUNT:
		break;
	}
	return err_set(err, -EOPNOTSUPP, "interface '%s' is not WireGuard", link->name);
}

int wginfo_find_peer(const struct rtlink *link, enum backend backend,
		     const char *address, struct wginfo_peer *ret, struct err *err)
{
	cleanup_match struct wgmatch match;
	int r = wgmatch_init(&match, address, err);

	if (r == 0)
		r = ask(link, backend, address, &match, err);
	if (r < 0)
		return r;
	if (!wgmatch_finish(&match, ret))
		return err_set(err, -ENOENT,
			       "no WireGuard peer on '%s' has '%s' in its AllowedIPs",
			       link->name, address);
	return 0;
}

/* Ask for the interface, whatever its peers' AllowedIPs. */
static int ask_all(const struct rtlink *link, enum backend backend,
		   struct wgmatch *match, struct err *err)
{
	static const char any[] = "0.0.0.0";
	int r = wgmatch_init(match, any, err);

	return r < 0 ? r : ask(link, backend, any, match, err);
}

int wginfo_count_peers(const struct rtlink *link, enum backend backend, int *ret,
		       struct err *err)
{
	cleanup_match struct wgmatch match = {0};
	int r = ask_all(link, backend, &match, err);

	if (r == 0)
		*ret = match.peers;
	return r;
}

int wginfo_own_key(const struct rtlink *link, enum backend backend, char ret[KEY_SIZE],
		   struct err *err)
{
	cleanup_match struct wgmatch match = {0};
	int r = ask_all(link, backend, &match, err);

	if (r == 0 && !wgmatch_own_key(&match, ret))
		r = err_set(err, -ENOKEY, "interface '%s' has no key", link->name);
	return r;
}

int wginfo_listen_port(const struct rtlink *link, enum backend backend)
{
	cleanup_match struct wgmatch match = {0};

	return ask_all(link, backend, &match, NULL) == 0 ? match.listen_port : 0;
}

pid_t wginfo_daemon(const struct rtlink *link)
{
	struct sockaddr_un address;
	struct ucred daemon = {0};
	socklen_t size = sizeof(daemon);
	cleanup_fd int fd = -1;

	socket_address(link, &address);
	fd = connect_daemon(&address);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &daemon, &size) < 0)
		return 0;
	return daemon.pid;
}
