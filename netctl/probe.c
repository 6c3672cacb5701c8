/* SPDX-License-Identifier: MIT */
/* The peer's half of the exchange of probes. */
#include "netctl/probe.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/text.h"

/* Times that an unanswered END is repeated, after a longer wait each time. */
#define ASK_AGAIN_MAX 6
/* UDP counts as filtered after this time, or this many round trips, without any
 * answer. */
#define SILENCE_MS   1000
#define SILENCE_RTTS 8
/* The rate of a slow line, in bytes per millisecond: bounds the time of a burst. */
#define SLOW_LINE 1250
/* The time of one size if the link's MTU must be set for it. */
#define SET_US 15000
/* From this round trip on, a few packets more take less time than a round more; and if the
 * link's MTU must be set for each. */
#define PARTS_RTT_US     10000
#define PARTS_RTT_SET_US 80000
#define PARTS            5
/* The pause between GO and probes that the counters judge: GO must be read first. */
#define APART_US 2000

struct talk {
	struct probehost *host;
	const struct probe_options *options;
	struct bandfind find[DIR_COUNT];
	/* facts about the sender of each direction */
	struct probehost_facts facts[DIR_COUNT];
	/* the receiver cannot tell fragments from whole packets */
	bool unseen[DIR_COUNT];
	int round;
	bool heard;
	int64_t deadline_us;
};

/* One round and its results. */
struct exchange {
	struct probemsg go;
	bool ended;    /* the server's END came */
	bool reported; /* the server's REPORT came */
	int outer_mtu; /* path MTU that the server's kernel knows */
	enum fate fates[DIR_COUNT][BANDFIND_ROUND];
	int arrived[DIR_COUNT][BANDFIND_ROUND];
	struct probemsg_late late[DIR_COUNT]; /* probes of earlier rounds */
};

/* --- one round --- */

static void list_sizes(struct talk *t, enum direction dir, struct probemsg_list *ret)
{
	ret->count = bandfind_next(&t->find[dir], ret->sizes, &ret->copies);
	for (int i = 0; i < ret->count; i++)
		ret->sizes[i] -= t->facts[dir].overhead;
}

static int64_t burst_us(const struct probemsg_list *list, bool exact)
{
	int64_t bytes = 0;
	int64_t set_us = exact ? 0 : (int64_t)list->count * SET_US;

	for (int i = 0; i < list->count; i++)
		bytes += (int64_t)list->copies * list->sizes[i];
	return set_us + bytes * 1000 / SLOW_LINE;
}

/* The time from the peer's END to the last answer. */
static int64_t answer_us(const struct talk *t, const struct probemsg *go)
{
	return 2 * t->options->rtt_us + 10000 + burst_us(&go->list[DIR_UPLOAD], true) +
	       burst_us(&go->list[DIR_DOWNLOAD], t->facts[DIR_DOWNLOAD].exact);
}

static bool same_list(const struct probemsg_list *a, const struct probemsg_list *b)
{
	return a->count == b->count &&
	       memcmp(a->sizes, b->sizes, sizeof(a->sizes[0]) * (size_t)a->count) == 0;
}

static void take_message(struct talk *t, struct exchange *x, const struct probemsg *m)
{
	t->heard = true;
	if (m->kind == PROBEMSG_PROBE)
		probehost_note(t->host, m);
	if (m->round != t->round)
		return;
	if (m->kind == PROBEMSG_END) {
		x->ended = true;
		probeorder_ended(&t->host->order, clock_boot_us());
	}
	if (m->kind == PROBEMSG_REPORT &&
	    same_list(&m->list[0], &x->go.list[DIR_UPLOAD])) {
		x->reported = true;
		x->outer_mtu = m->outer_mtu;
		x->late[DIR_UPLOAD] = m->late;
		t->unseen[DIR_UPLOAD] |= m->unseen;
		memcpy(x->fates[DIR_UPLOAD], m->fates, sizeof(m->fates));
		memcpy(x->arrived[DIR_UPLOAD], m->arrived, sizeof(m->arrived));
	}
}

static bool is_complete(const struct talk *t, const struct exchange *x)
{
	return x->ended && x->reported &&
	       probehost_has_all(t->host, &x->go.list[DIR_DOWNLOAD]);
}

/* Receive until the round is complete. 1 complete, 0 deadline, -EINTR. When only probes
 * are missing, wait for those that END may have overtaken. */
static int listen_until(struct talk *t, struct exchange *x, int64_t deadline_us)
{
	while (!is_complete(t, x)) {
		int64_t until_us = deadline_us;
		struct probemsg m;
		int r;

		if (x->ended && x->reported &&
		    probeorder_deadline_us(&t->host->order) < until_us)
			until_us = probeorder_deadline_us(&t->host->order);
		r = probehost_receive(t->host, until_us, &m);
		if (r < 0)
			return r;
		if (r == 0)
			return x->ended && x->reported;
		take_message(t, x, &m);
	}
	return 1;
}

static int send_round(struct talk *t, struct exchange *x, struct err *err)
{
	int r = 0;

	x->go.kind = PROBEMSG_GO;
	probehost_send(t->host, &x->go);
	if (t->find[DIR_UPLOAD].config.one_by_one)
		r = listen_until(t, x, clock_boot_us() + APART_US);
	if (r < 0)
		return r;
	return probehost_send_probes(t->host, &x->go.list[DIR_UPLOAD], t->round, err);
}

/* 0, -EINTR; -ETIMEDOUT: no answer from the other end. */
static int await_answers(struct talk *t, struct exchange *x)
{
	int64_t wait_us = answer_us(t, &x->go);
	int64_t silence_us = SILENCE_RTTS * t->options->rtt_us;
	int64_t began_us = clock_boot_us();
	int r = 0;

	if (silence_us < SILENCE_MS * 1000)
		silence_us = SILENCE_MS * 1000;
	x->go.kind = PROBEMSG_END;
	for (int i = 0; r == 0; i++) {
		int64_t now_us = clock_boot_us();

		if (now_us >= t->deadline_us || (now_us - began_us >= silence_us &&
						 (!t->heard || i > ASK_AGAIN_MAX)))
			return -ETIMEDOUT;
		probehost_send(t->host, &x->go);
		r = listen_until(t, x, now_us + wait_us);
		wait_us += wait_us / 2;
	}
	return r < 0 ? r : 0;
}

/* The sender's path MTU became smaller: an ICMP answer came. */
static void note_outer_mtu(struct talk *t, enum direction dir, int mtu)
{
	if (mtu > 0)
		bandfind_lower_sender_mtu(&t->find[dir], mtu);
}

static void learn_late(struct talk *t, enum direction dir,
		       const struct probemsg_late *late)
{
	for (int i = 0; i < late->count; i++) {
		int size = late->sizes[i] + t->facts[dir].overhead;

		debug_log("probe", "round %d, %s, outer size %d: %s, %d late", t->round,
			  direction_name(dir), size, fate_name(late->fates[i]),
			  late->arrived[i]);
		bandfind_learn_late(&t->find[dir], size, late->fates[i],
				    late->arrived[i]);
	}
}

static void learn_fates(struct talk *t, enum direction dir, const struct exchange *x)
{
	const struct probemsg_list *list = &x->go.list[dir];
	struct bandfind *find = &t->find[dir];

	learn_late(t, dir, &x->late[dir]);
	for (int i = 0; i < list->count; i++) {
		int arrived = x->arrived[dir][i];
		int size = list->sizes[i] + t->facts[dir].overhead;
		enum fate fate = x->fates[dir][i];

		/* The sender fragmented it and the counters did not show that: outer
		 * packets arrive where nobody looks. */
		if (find->config.one_by_one && fate == FATE_WHOLE &&
		    find->config.sender_mtu && size > find->config.sender_mtu)
			t->unseen[dir] = true;
		debug_log("probe", "round %d, %s, outer size %d: %s, %d of %d",
			  t->round, direction_name(dir), size, fate_name(fate), arrived,
			  list->copies);
		bandfind_learn(find, size, fate, list->copies, arrived);
	}
}

static int run_round(struct talk *t, struct exchange *x, struct err *err)
{
	int r;

	t->round++;
	x->go.round = t->round;
	probehost_begin(t->host, t->round);
	r = send_round(t, x, err);
	if (r == 0)
		r = await_answers(t, x);
	if (r < 0)
		return r;
	probehost_judge(t->host, &x->go.list[DIR_DOWNLOAD], x->fates[DIR_DOWNLOAD],
			x->arrived[DIR_DOWNLOAD], &x->late[DIR_DOWNLOAD]);
	t->unseen[DIR_DOWNLOAD] |= t->host->facts.unseen;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		learn_fates(t, (enum direction)dir, x);
	note_outer_mtu(t, DIR_UPLOAD, probehost_outer_mtu(t->host));
	note_outer_mtu(t, DIR_DOWNLOAD, x->outer_mtu);
	return 0;
}

/* --- all rounds --- */

static int choose_parts(const struct talk *t, const struct probehost_facts *sender)
{
	int64_t least_us = sender->exact ? PARTS_RTT_US : PARTS_RTT_SET_US;

	return t->options->rtt_us >= least_us ? PARTS : 2;
}

static void begin_direction(struct talk *t, enum direction dir,
			    const struct probehost_facts *sender,
			    const struct probehost_facts *receiver, int only)
{
	struct bandfind_config config = {
		.min = sender->overhead + sender->size_min,
		.max = sender->overhead + sender->size_max,
		.sender_mtu = sender->outer_mtu,
		.unit = sender->unit,
		.one_by_one = !receiver->unseen && (!receiver->tap || t->host->relayed),
		.parts = choose_parts(t, sender),
	};

	if (only) {
		config.min = sender->overhead + only;
		config.max =
			only < sender->size_max
				? config.min + (sender->unit > 1 ? sender->unit : 1)
				: config.min;
	}
	t->facts[dir] = *sender;
	bandfind_init(&t->find[dir], &config);
}

static int run_rounds(struct talk *t, struct err *err)
{
	for (;;) {
		struct exchange x = {0};
		int r;

		for (int dir = 0; dir < DIR_COUNT; dir++)
			list_sizes(t, (enum direction)dir, &x.go.list[dir]);
		if (!x.go.list[DIR_UPLOAD].count && !x.go.list[DIR_DOWNLOAD].count)
			return 0;
		r = run_round(t, &x, err);
		if (r < 0)
			return r;
	}
}

/* If all of these get lost, the answering end detects the silence and ends by
 * itself. */
static void say_goodbye(struct talk *t)
{
	struct probemsg bye = {.kind = PROBEMSG_BYE, .round = t->round};

	for (int i = 0; i < 3; i++)
		probehost_send(t->host, &bye);
}

static void summarize_probe(const struct talk *t, int64_t began_ms,
			    struct probe_summary *ret)
{
	ret->rounds = t->round;
	ret->filtered = !t->heard;
	ret->took_ms = clock_boot_ms() - began_ms;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		ret->sizes[dir] = t->find[dir].sent;
		ret->packets[dir] = t->find[dir].packets;
		ret->sometimes[dir] = bandfind_sometimes(&t->find[dir]);
		ret->counters[dir] = t->find[dir].config.one_by_one;
		text_copy(ret->endpoint[dir], ADDRESS_SIZE, t->facts[dir].endpoint);
	}
}

int probe_run(struct probehost *host, const struct probe_options *options,
	      struct path *ret, struct probe_summary *ret_summary, struct err *err)
{
	int64_t began_ms = clock_boot_ms();
	struct talk t = {
		.host = host,
		.options = options,
		.deadline_us = (began_ms + options->limit_ms) * 1000,
	};
	int r;

	host->relayed |= options->server.relayed;
	t.unseen[DIR_UPLOAD] = options->server.unseen;
	t.unseen[DIR_DOWNLOAD] = host->facts.unseen;
	begin_direction(&t, DIR_UPLOAD, &host->facts, &options->server,
			options->only.peer);
	begin_direction(&t, DIR_DOWNLOAD, &options->server, &host->facts,
			options->only.server);
	r = run_rounds(&t, err);
	say_goodbye(&t);
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	memset(ret, 0, sizeof(*ret));
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		ret->overhead[dir] = t.facts[dir].overhead;
		ret->relayed[dir] = t.facts[dir].relayed;
		ret->unseen[dir] = t.unseen[dir];
		bandfind_result(&t.find[dir], &ret->dir[dir]);
	}
	summarize_probe(&t, began_ms, ret_summary);
	return 0;
}
