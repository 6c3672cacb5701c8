/* SPDX-License-Identifier: MIT */
/* The search for an address's WireGuard peer in both backends' answers, without I/O. */
#include "netctl/wgmatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "netctl/pubkey.h"

int wgmatch_init(struct wgmatch *match, const char *address, struct err *err)
{
	*match = (struct wgmatch){.prefix = -1, .best_prefix = -1};
	match->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(match->family, address, match->address) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", address);
	return 0;
}

void wgmatch_wipe(struct wgmatch *match)
{
	explicit_bzero(match, sizeof(*match));
}

/* --- both backends --- */

static void end_peer(struct wgmatch *match)
{
	if (match->in_peer && match->prefix > match->best_prefix) {
		match->best_prefix = match->prefix;
		match->best = match->peer;
	}
	match->in_peer = false;
	match->prefix = -1;
	match->peer = (struct wginfo_peer){0};
}

static void begin_peer(struct wgmatch *match, const unsigned char key[KEY_BYTES])
{
	if (match->in_peer && memcmp(match->key, key, KEY_BYTES) == 0)
		return;
	end_peer(match);
	match->in_peer = true;
	match->peers++;
	memcpy(match->key, key, KEY_BYTES);
	key_text(key, match->peer.key);
}

static void set_endpoint(struct wginfo_peer *peer, int family, const void *address,
			 int port)
{
	if (!inet_ntop(family, address, peer->endpoint, sizeof(peer->endpoint)))
		return;
	peer->endpoint_family = family == AF_INET ? 4 : 6;
	peer->endpoint_port = port;
}

/* An IPv4-mapped IPv6 endpoint sends IPv4 packets. */
static void set_endpoint_ipv6(struct wginfo_peer *peer, const struct in6_addr *address,
			      int port)
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		set_endpoint(peer, AF_INET, &address->s6_addr[12], port);
	else
		set_endpoint(peer, AF_INET6, address, port);
}

static bool same_prefix(const unsigned char *a, const unsigned char *b, int bits)
{
	int rest = bits % 8;

	if (memcmp(a, b, (size_t)(bits / 8)))
		return false;
	return !rest || !((a[bits / 8] ^ b[bits / 8]) >> (8 - rest));
}

static void note_allowed(struct wginfo_peer *peer, int family, const void *address,
			 int prefix)
{
	int at = peer->allowed_count++;

	if (at >= WGINFO_ALLOWED_MAX)
		return;
	peer->all_allowed[at].length = prefix;
	inet_ntop(family, address, peer->all_allowed[at].address, ADDRESS_SIZE);
}

static void match_allowed(struct wgmatch *match, int family, const void *address,
			  int prefix)
{
	char text[INET6_ADDRSTRLEN];

	if (prefix <= (family == AF_INET ? 32 : 128))
		note_allowed(&match->peer, family, address, prefix);
	if (family != match->family || prefix <= match->prefix ||
	    prefix > (family == AF_INET ? 32 : 128) ||
	    !same_prefix(match->address, address, prefix))
		return;
	match->prefix = prefix;
	if (inet_ntop(family, address, text, sizeof(text)))
		snprintf(match->peer.allowed, sizeof(match->peer.allowed), "%s/%d",
			 text, prefix);
}

bool wgmatch_finish(struct wgmatch *match, struct wginfo_peer *ret)
{
	end_peer(match);
	if (match->best_prefix < 0)
		return false;
	*ret = match->best;
	ret->fwmark = match->fwmark;
	ret->listen_port = match->listen_port;
	ret->peers = match->peers;
	return true;
}

bool wgmatch_own_key(const struct wgmatch *match, char ret[KEY_SIZE])
{
	unsigned char key[KEY_BYTES];

	if (!match->has_key)
		return false;
	if (match->key_is_private)
		pubkey_derive(match->own_key, key);
	else
		memcpy(key, match->own_key, KEY_BYTES);
	key_text(key, ret);
	return true;
}

/* --- kernel --- */

static int on_family_attr(const struct nlattr *attr, void *ctx)
{
	uint16_t *family = ctx;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
		*family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

int wgmatch_on_family(const struct nlmsghdr *message, void *ctx)
{
	return mnl_attr_parse(message, sizeof(struct genlmsghdr), on_family_attr, ctx);
}

struct attr_table {
	const struct nlattr **attrs;
	int max;
};

static int put_attr(const struct nlattr *attr, void *ctx)
{
	const struct attr_table *table = ctx;
	int type = mnl_attr_get_type(attr);

	if (type <= table->max)
		table->attrs[type] = attr;
	return MNL_CB_OK;
}

static const void *attr_payload(const struct nlattr *attr, size_t size)
{
	if (!attr || mnl_attr_get_payload_len(attr) < size)
		return NULL;
	return mnl_attr_get_payload(attr);
}

static int on_allowed(const struct nlattr *attr, void *ctx)
{
	const struct nlattr *attrs[WGALLOWEDIP_A_MAX + 1] = {0};
	struct attr_table table = {attrs, WGALLOWEDIP_A_MAX};
	const uint16_t *family;
	const uint8_t *prefix;
	const void *address;

	if (mnl_attr_parse_nested(attr, put_attr, &table) < 0)
		return MNL_CB_ERROR;
	family = attr_payload(attrs[WGALLOWEDIP_A_FAMILY], sizeof(*family));
	prefix = attr_payload(attrs[WGALLOWEDIP_A_CIDR_MASK], sizeof(*prefix));
	if (!family || !prefix)
		return MNL_CB_OK;
	address = attr_payload(attrs[WGALLOWEDIP_A_IPADDR],
			       *family == AF_INET ? sizeof(struct in_addr)
						  : sizeof(struct in6_addr));
	if (address)
		match_allowed(ctx, *family, address, *prefix);
	return MNL_CB_OK;
}

static void take_endpoint(struct wginfo_peer *peer, const struct nlattr *attr)
{
	const struct sockaddr *any = attr_payload(attr, sizeof(*any));
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	if (any && any->sa_family == AF_INET) {
		memcpy(&ipv4, any, sizeof(ipv4));
		set_endpoint(peer, AF_INET, &ipv4.sin_addr, ntohs(ipv4.sin_port));
	}
	if (any && any->sa_family == AF_INET6 && attr_payload(attr, sizeof(ipv6))) {
		memcpy(&ipv6, any, sizeof(ipv6));
		set_endpoint_ipv6(peer, &ipv6.sin6_addr, ntohs(ipv6.sin6_port));
	}
}

static int on_peer(const struct nlattr *attr, void *ctx)
{
	const struct nlattr *attrs[WGPEER_A_MAX + 1] = {0};
	struct attr_table table = {attrs, WGPEER_A_MAX};
	struct wgmatch *match = ctx;
	const unsigned char *key;

	if (mnl_attr_parse_nested(attr, put_attr, &table) < 0)
		return MNL_CB_ERROR;
	key = attr_payload(attrs[WGPEER_A_PUBLIC_KEY], KEY_BYTES);
	if (!key)
		return MNL_CB_OK;
	begin_peer(match, key);
	if (attrs[WGPEER_A_ENDPOINT])
		take_endpoint(&match->peer, attrs[WGPEER_A_ENDPOINT]);
	if (!attrs[WGPEER_A_ALLOWEDIPS])
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attrs[WGPEER_A_ALLOWEDIPS], on_allowed, match);
}

static int on_device_attr(const struct nlattr *attr, void *ctx)
{
	const uint32_t *fwmark = attr_payload(attr, sizeof(*fwmark));
	const uint16_t *port = attr_payload(attr, sizeof(*port));
	const unsigned char *key = attr_payload(attr, KEY_BYTES);
	struct wgmatch *match = ctx;

	if (mnl_attr_get_type(attr) == WGDEVICE_A_FWMARK && fwmark)
		match->fwmark = *fwmark;
	if (mnl_attr_get_type(attr) == WGDEVICE_A_LISTEN_PORT && port)
		match->listen_port = *port;
	if (mnl_attr_get_type(attr) == WGDEVICE_A_PUBLIC_KEY && key) {
		memcpy(match->own_key, key, KEY_BYTES);
		match->has_key = true;
	}
	if (mnl_attr_get_type(attr) != WGDEVICE_A_PEERS)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attr, on_peer, ctx);
}

int wgmatch_on_message(const struct nlmsghdr *message, void *ctx)
{
	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct genlmsghdr))
		return MNL_CB_OK;
	return mnl_attr_parse(message, sizeof(struct genlmsghdr), on_device_attr, ctx);
}

/* --- userspace --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int parse_key(const char *hex, unsigned char key[KEY_BYTES])
{
	for (size_t i = 0; i < KEY_BYTES; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);

		if (low < 0)
			return -EBADMSG;
		key[i] = (unsigned char)(high << 4 | low);
	}
	return hex[(size_t)2 * KEY_BYTES] ? -EBADMSG : 0;
}

/* "192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%eth0]:51820". */
static void parse_endpoint(struct wginfo_peer *peer, char *value)
{
	char *colon = strrchr(value, ':');
	struct in6_addr ipv6;
	struct in_addr ipv4;
	int64_t port;

	if (!colon || text_to_int(colon + 1, 0, UINT16_MAX, &port) < 0)
		return;
	*colon = '\0';
	if (inet_pton(AF_INET, value, &ipv4) == 1)
		set_endpoint(peer, AF_INET, &ipv4, (int)port);
	if (value[0] != '[')
		return;
	value[strcspn(value, "%]")] = '\0';
	if (inet_pton(AF_INET6, value + 1, &ipv6) == 1)
		set_endpoint_ipv6(peer, &ipv6, (int)port);
}

static int parse_allowed(struct wgmatch *match, char *value)
{
	int family = strchr(value, ':') ? AF_INET6 : AF_INET;
	unsigned char address[sizeof(struct in6_addr)];
	char *slash = strchr(value, '/');
	int64_t prefix;

	if (!slash)
		return -EBADMSG;
	*slash = '\0';
	if (inet_pton(family, value, address) != 1 ||
	    text_to_int(slash + 1, 0, 128, &prefix) < 0)
		return -EBADMSG;
	match_allowed(match, family, address, (int)prefix);
	return 0;
}

/* A daemon without a key has no such line, or a key of zeros. */
static void parse_own_key(struct wgmatch *match, const char *value)
{
	static const unsigned char none[KEY_BYTES];

	match->key_is_private = true;
	match->has_key = parse_key(value, match->own_key) == 0 &&
			 memcmp(match->own_key, none, KEY_BYTES) != 0;
}

static int parse_line(struct wgmatch *match, char *line)
{
	unsigned char key[KEY_BYTES];
	char *value = strchr(line, '=');
	int64_t code;

	if (!value)
		return -EBADMSG;
	*value++ = '\0';
	if (strcmp(line, "public_key") == 0) {
		if (parse_key(value, key) < 0)
			return -EBADMSG;
		begin_peer(match, key);
	} else if (strcmp(line, "private_key") == 0) {
		parse_own_key(match, value);
	} else if (strcmp(line, "endpoint") == 0) {
		parse_endpoint(&match->peer, value);
	} else if (strcmp(line, "fwmark") == 0) {
		if (text_to_int(value, 0, UINT32_MAX, &code) < 0)
			return -EBADMSG;
		match->fwmark = (uint32_t)code;
	} else if (strcmp(line, "listen_port") == 0) {
		if (text_to_int(value, 0, UINT16_MAX, &code) < 0)
			return -EBADMSG;
		match->listen_port = (int)code;
	} else if (strcmp(line, "allowed_ip") == 0) {
		return parse_allowed(match, value);
	} else if (strcmp(line, "errno") == 0) {
		if (text_to_int(value, -INT32_MAX, INT32_MAX, &code) < 0)
			return -EBADMSG;
		match->code = abs((int)code);
	}
	return 0;
}

static int take_char(struct wgmatch *match, char c)
{
	int r;

	if (c != '\n') {
		if (match->line_size == sizeof(match->line) - 1)
			return -EBADMSG;
		match->line[match->line_size++] = c;
		return 0;
	}
	match->line[match->line_size] = '\0';
	match->complete = match->line_size == 0;
	r = match->complete ? 0 : parse_line(match, match->line);
	explicit_bzero(match->line, sizeof(match->line));
	match->line_size = 0;
	return r;
}

int wgmatch_feed_text(struct wgmatch *match, const char *data, size_t size)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < size && !match->complete; i++)
		r = take_char(match, data[i]);
	return r;
}
