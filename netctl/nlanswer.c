/* SPDX-License-Identifier: MIT */
#include "netctl/nlanswer.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

/* MAX_ERRNO in the kernel's include/linux/err.h. */
#define ERRNO_MAX 4095

static int keep_text(const struct nlattr *attr, void *ctx)
{
	struct nlanswer *answer = ctx;
	size_t size = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) != NLMSGERR_ATTR_MSG || size == 0)
		return MNL_CB_OK;
	if (size > sizeof(answer->text) - 1)
		size = sizeof(answer->text) - 1;
	memcpy(answer->text, mnl_attr_get_payload(attr), size);
	answer->text[size] = '\0';
	return MNL_CB_STOP;
}

/* The kernel's code: 0, or a negative errno. */
static int end_with(int code)
{
	if (code == 0)
		return MNL_CB_STOP;
	errno = code < 0 && code >= -ERRNO_MAX ? -code : EBADMSG;
	return MNL_CB_ERROR;
}

/* NLMSG_ERROR: the errno, then the request (or only its header), then the attributes.
 */
static int on_error(const struct nlmsghdr *message, void *data)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	size_t size = mnl_nlmsg_get_payload_len(message);
	size_t offset = sizeof(*error);

	if (size < sizeof(*error))
		return end_with(-EBADMSG);
	if (!(message->nlmsg_flags & NLM_F_CAPPED) &&
	    error->msg.nlmsg_len > sizeof(error->msg))
		offset += mnl_nlmsg_get_payload_len(&error->msg);
	if (message->nlmsg_flags & NLM_F_ACK_TLVS && offset <= size)
		mnl_attr_parse(message, (unsigned)offset, keep_text, data);
	return end_with(error->error);
}

/* A dump that fails half-way says so in its last message. */
static int on_done(const struct nlmsghdr *message, void *data)
{
	int code = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	if (code >= 0)
		return MNL_CB_STOP;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(message, sizeof(code), keep_text, data);
	return end_with(code);
}

static int on_data(const struct nlmsghdr *message, void *data)
{
	const struct nlanswer *answer = data;

	if (!answer->on_message)
		return MNL_CB_OK;
	return answer->on_message(message, answer->ctx);
}

/* libmnl takes a length beyond INT_MAX for a negative number, and so accepts it. */
static bool lengths_fit(const void *datagram, size_t size)
{
	const char *at = datagram;

	while (size >= sizeof(struct nlmsghdr)) {
		size_t length = ((const struct nlmsghdr *)at)->nlmsg_len;

		if (length < sizeof(struct nlmsghdr) || length > size)
			return false;
		if (MNL_ALIGN(length) >= size)
			return true;
		at += MNL_ALIGN(length);
		size -= MNL_ALIGN(length);
	}
	return true;
}

/* libmnl stops at the mark although the rest of the dump still comes. Remove the marks,
 * read to the end, and then report the change. */
static void note_change(struct nlanswer *answer, void *datagram, size_t size)
{
	struct nlmsghdr *message = datagram;
	int left = (int)size;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			answer->changed = true;
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
}

int nlanswer_take(struct nlanswer *answer, void *datagram, size_t size)
{
	static mnl_cb_t control[NLMSG_DONE + 1] = {
		[NLMSG_ERROR] = on_error,
		[NLMSG_DONE] = on_done,
	};
	int r;

	if (!lengths_fit(datagram, size))
		return -EBADMSG;
	note_change(answer, datagram, size);
	r = mnl_cb_run2(datagram, size, answer->seq, answer->port, on_data, answer,
			control, MNL_ARRAY_SIZE(control));
	return r < 0 ? -errno : r;
}
