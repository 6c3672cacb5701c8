/* SPDX-License-Identifier: MIT */
/* Datagrams between two ends that probe. */
#include "netctl/probemsg.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* magic, version, kind, round, token */
#define HEAD    24
#define VERSION 1

static const unsigned char magic[4] = {'m', 't', 's', 'p'};

/* --- encoding --- */

struct writer {
	unsigned char *data;
	size_t at;
};

static void put_u8(struct writer *w, int value)
{
	w->data[w->at++] = (unsigned char)value;
}

static void put_u16(struct writer *w, int value)
{
	put_u8(w, value >> 8);
	put_u8(w, value);
}

static void put_list(struct writer *w, const struct probemsg_list *list)
{
	put_u8(w, list->count);
	put_u8(w, list->copies);
	for (int i = 0; i < list->count; i++)
		put_u16(w, list->sizes[i]);
}

static void put_report(struct writer *w, const struct probemsg *m)
{
	put_u16(w, m->outer_mtu);
	put_list(w, &m->list[0]);
	for (int i = 0; i < m->list[0].count; i++)
		put_u8(w, m->fates[i]);
	for (int i = 0; i < m->list[0].count; i++)
		put_u8(w, m->arrived[i]);
	put_u8(w, m->unseen);
	put_u8(w, m->late.count);
	for (int i = 0; i < m->late.count; i++) {
		put_u16(w, m->late.sizes[i]);
		put_u8(w, m->late.fates[i]);
		put_u8(w, m->late.arrived[i]);
	}
}

size_t probemsg_encode(const struct probemsg *m, unsigned char ret[PROBEMSG_MAX])
{
	struct writer w = {.data = ret};

	memcpy(ret, magic, sizeof(magic));
	w.at = sizeof(magic);
	put_u8(&w, VERSION);
	put_u8(&w, m->kind);
	put_u16(&w, m->round);
	memcpy(ret + w.at, m->token, PROBEMSG_TOKEN);
	w.at += PROBEMSG_TOKEN;
	switch (m->kind) {
	case PROBEMSG_GO:
	case PROBEMSG_END:
		put_list(&w, &m->list[DIR_UPLOAD]);
		put_list(&w, &m->list[DIR_DOWNLOAD]);
		break;
	case PROBEMSG_REPORT:
		put_report(&w, m);
		break;
	case PROBEMSG_PROBE:
		put_u16(&w, m->size);
		put_u8(&w, m->number);
		break;
	case PROBEMSG_BYE:
	case PROBEMSG_KIND_COUNT:
		break;
	}
	return w.at;
}

/* --- decoding --- */

struct reader {
	const unsigned char *data;
	size_t size;
	size_t at;
	bool bad; /* the datagram was shorter than its fields say */
};

static int get_u8(struct reader *r)
{
	if (r->at >= r->size) {
		r->bad = true;
		return 0;
	}
	return r->data[r->at++];
}

static int get_u16(struct reader *r)
{
	int high = get_u8(r);

	return high << 8 | get_u8(r);
}

static void get_list(struct reader *r, struct probemsg_list *ret)
{
	ret->count = get_u8(r);
	ret->copies = get_u8(r);
	if (ret->count > BANDFIND_ROUND || (ret->count && !ret->copies)) {
		ret->count = 0;
		r->bad = true;
	}
	for (int i = 0; i < ret->count; i++)
		ret->sizes[i] = get_u16(r);
}

static enum fate get_fate(struct reader *r)
{
	int fate = get_u8(r);

	r->bad |= fate >= FATE_COUNT;
	return fate < FATE_COUNT ? (enum fate)fate : FATE_UNKNOWN;
}

static void get_late(struct reader *r, struct probemsg_late *ret)
{
	int count = get_u8(r);

	if (count > BANDFIND_ROUND) {
		r->bad = true;
		return;
	}
	ret->count = count;
	for (int i = 0; i < count; i++) {
		ret->sizes[i] = get_u16(r);
		ret->fates[i] = get_fate(r);
		ret->arrived[i] = get_u8(r);
		r->bad |= ret->arrived[i] == 0;
	}
}

static void get_report(struct reader *r, struct probemsg *ret)
{
	ret->outer_mtu = get_u16(r);
	get_list(r, &ret->list[0]);
	for (int i = 0; i < ret->list[0].count; i++)
		ret->fates[i] = get_fate(r);
	for (int i = 0; i < ret->list[0].count; i++)
		ret->arrived[i] = get_u8(r);
	ret->unseen = get_u8(r) != 0;
	get_late(r, &ret->late);
}

/* Compare in constant time: the duration must not reveal how much of a guess was
 * right. */
static bool same_token(const unsigned char *a, const unsigned char *b)
{
	unsigned char differ = 0;

	for (int i = 0; i < PROBEMSG_TOKEN; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

static void get_body(struct reader *r, struct probemsg *ret)
{
	switch (ret->kind) {
	case PROBEMSG_GO:
	case PROBEMSG_END:
		get_list(r, &ret->list[DIR_UPLOAD]);
		get_list(r, &ret->list[DIR_DOWNLOAD]);
		return;
	case PROBEMSG_REPORT:
		get_report(r, ret);
		return;
	case PROBEMSG_PROBE:
		ret->size = get_u16(r);
		ret->number = get_u8(r);
		return;
	case PROBEMSG_BYE:
		return;
	case PROBEMSG_KIND_COUNT:
		break;
	}
	r->bad = true;
}

int probemsg_decode(const void *data, size_t size,
		    const unsigned char token[PROBEMSG_TOKEN], struct probemsg *ret)
{
	struct reader r = {.data = data, .size = size, .at = sizeof(magic)};

	*ret = (struct probemsg){0};
	if (size < HEAD || memcmp(data, magic, sizeof(magic)) != 0 ||
	    get_u8(&r) != VERSION)
		return -EBADMSG;
	ret->kind = (enum probemsg_kind)get_u8(&r);
	ret->round = get_u16(&r);
	memcpy(ret->token, r.data + r.at, PROBEMSG_TOKEN);
	r.at += PROBEMSG_TOKEN;
	if (!same_token(ret->token, token))
		return -EBADMSG;
	get_body(&r, ret);
	return r.bad ? -EBADMSG : 0;
}
