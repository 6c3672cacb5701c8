/* Netlink, as little of it as netctl needs: questions, answers, the kernel's own words.
 */
#include "netctl/nl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"

struct exchange {
	struct nl *nl;
	mnl_cb_t on_message;
	void *ctx;
	bool changed; /* what is dumped changed meanwhile */
};

static void set_option(const struct nl *nl, int option)
{
	int on = 1;

	/* An old kernel without it still answers, only with fewer words. */
	(void)mnl_socket_setsockopt(nl->socket, option, &on, sizeof(on));
}

int nl_open(struct nl *nl, int bus, struct err *err)
{
	nl->deadline_ms = clock_boot_ms() + NL_TIMEOUT_MS;
	nl->buffer = calloc(1, NL_BUFFER_SIZE);
	if (!nl->buffer)
		return err_sys(err, ENOMEM, "cannot open a netlink socket");
	nl->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->socket)
		return err_sys(err, errno, "cannot open a netlink socket");
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_sys(err, errno, "cannot bind a netlink socket");
	set_option(nl, NETLINK_EXT_ACK);
	set_option(nl, NETLINK_CAP_ACK);
	set_option(nl, NETLINK_GET_STRICT_CHK);
	return 0;
}

void nl_close(struct nl *nl)
{
	int keep = errno;

	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
	if (nl->buffer)
		explicit_bzero(nl->buffer, NL_BUFFER_SIZE);
	free(nl->buffer);
	nl->buffer = NULL;
	errno = keep;
}

struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(nl->buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	request->nlmsg_seq = ++nl->seq;
	return request;
}

static int keep_text(const struct nlattr *attr, void *ctx)
{
	struct nl *nl = ctx;
	size_t size = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) != NLMSGERR_ATTR_MSG || size == 0)
		return MNL_CB_OK;
	if (size > sizeof(nl->kernel_text) - 1)
		size = sizeof(nl->kernel_text) - 1;
	memcpy(nl->kernel_text, mnl_attr_get_payload(attr), size);
	nl->kernel_text[size] = '\0';
	return MNL_CB_STOP;
}

/* NLMSG_ERROR: the errno, then the request (or only its header), then the attributes.
 */
static int on_error(const struct nlmsghdr *message, void *data)
{
	const struct exchange *exchange = data;
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	size_t offset = sizeof(*error);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&error->msg);
	if (message->nlmsg_flags & NLM_F_ACK_TLVS &&
	    offset <= mnl_nlmsg_get_payload_len(message))
		mnl_attr_parse(message, (unsigned)offset, keep_text, exchange->nl);
	if (error->error == 0)
		return MNL_CB_STOP;
	errno = -error->error;
	return MNL_CB_ERROR;
}

/* A dump that fails half-way says so in its last message. */
static int on_done(const struct nlmsghdr *message, void *data)
{
	const struct exchange *exchange = data;
	int code = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	if (code >= 0)
		return MNL_CB_STOP;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(message, sizeof(code), keep_text, exchange->nl);
	errno = -code;
	return MNL_CB_ERROR;
}

static int on_data(const struct nlmsghdr *message, void *data)
{
	const struct exchange *exchange = data;

	if (!exchange->on_message)
		return MNL_CB_OK;
	return exchange->on_message(message, exchange->ctx);
}

/* libmnl would stop at the mark, with the rest of the dump still on its way: take the
 * marks off, read to the end, and tell the caller then. */
static void note_change(struct exchange *exchange, char *buffer, size_t size)
{
	struct nlmsghdr *message = (struct nlmsghdr *)buffer;
	int left = (int)size;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			exchange->changed = true;
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
}

static int receive(struct exchange *exchange)
{
	static mnl_cb_t control[NLMSG_DONE + 1] = {
		[NLMSG_ERROR] = on_error,
		[NLMSG_DONE] = on_done,
	};
	struct nl *nl = exchange->nl;
	ssize_t size;
	int rc = io_wait(mnl_socket_get_fd(nl->socket), -1, nl->deadline_ms);

	if (rc <= 0)
		return rc ? rc : -ETIMEDOUT;
	size = mnl_socket_recvfrom(nl->socket, nl->buffer, NL_BUFFER_SIZE);
	if (size < 0)
		return errno == EINTR ? 1 : -errno;
	note_change(exchange, nl->buffer, (size_t)size);
	rc = mnl_cb_run2(nl->buffer, (size_t)size, nl->seq,
			 mnl_socket_get_portid(nl->socket), on_data, exchange, control,
			 MNL_ARRAY_SIZE(control));
	return rc < 0 ? -errno : rc;
}

int nl_exchange(struct nl *nl, mnl_cb_t on_message, void *ctx)
{
	struct exchange exchange = {.nl = nl, .on_message = on_message, .ctx = ctx};
	const struct nlmsghdr *request = (const struct nlmsghdr *)nl->buffer;
	int rc;

	nl->kernel_text[0] = '\0';
	if (clock_left_ms(nl->deadline_ms) == 0)
		return -ETIMEDOUT;
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	do
		rc = receive(&exchange);
	while (rc > 0);
	return rc == 0 && exchange.changed ? -EINTR : rc;
}

int nl_error(const struct nl *nl, int code, struct err *err, const char *fmt, ...)
{
	char sentence[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	if (nl->kernel_text[0])
		return err_set(err, code, "%s: %s", sentence, nl->kernel_text);
	return err_sys(err, -code, "%s", sentence);
}
