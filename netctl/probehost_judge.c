/* SPDX-License-Identifier: MIT */
/* The fate of the other end's probes. */
#include "netctl/probehost.h"

#include "base/clock.h"
#include "netctl/reasm.h"

static bool is_counted(const struct probehost *host)
{
	return !host->facts.unseen && (!host->tap || host->relayed);
}

/* A relay may use either family on the line. If the fragments of a family are not
 * counted, that doubt stays; a relayed path has it anyway. */
static int count_reassembled(const struct probehost *host, uint64_t *ret)
{
	uint64_t ipv4 = 0;
	uint64_t ipv6 = 0;
	int r4, r6;

	if (!host->relayed)
		return reasm_count(host->family, ret, NULL);
	r4 = reasm_count(4, &ipv4, NULL);
	r6 = reasm_count(6, &ipv6, NULL);
	if (r4 < 0 && r6 < 0)
		return r4;
	*ret = ipv4 + ipv6;
	return 0;
}

void probehost_begin(struct probehost *host, int round)
{
	host->round = round;
	host->judged = false;
	host->arrived.count = 0;
	probeorder_begin(&host->order, round);
	if (is_counted(host))
		count_reassembled(host, &host->reassembled);
}

static void count_copy(struct probehost_count *count, int size)
{
	int i = 0;

	while (i < count->count && count->sizes[i] != size)
		i++;
	if (i == BANDFIND_ROUND)
		return;
	if (i == count->count) {
		count->sizes[i] = size;
		count->copies[i] = 0;
		count->count++;
	}
	count->copies[i]++;
}

void probehost_note(struct probehost *host, const struct probemsg *probe)
{
	int64_t now_us = clock_boot_us();
	bool fresh = false;

	if (probe->round == host->round)
		fresh = probeorder_arrived(&host->order, probe->number, now_us);
	else if (probe->round < host->round)
		fresh = probeorder_late(&host->order, probe->round, probe->number,
					now_us);
	if (!fresh)
		return;
	count_copy(probe->round < host->round || host->judged ? &host->late
							      : &host->arrived,
		   probe->size);
}

static int copies_of(const struct probehost *host, int size)
{
	for (int i = 0; i < host->arrived.count; i++) {
		if (host->arrived.sizes[i] == size)
			return host->arrived.copies[i];
	}
	return 0;
}

bool probehost_has_all(const struct probehost *host, const struct probemsg_list *list)
{
	for (int i = 0; i < list->count; i++) {
		if (copies_of(host, list->sizes[i]) < list->copies)
			return false;
	}
	return true;
}

/* The probe arrived. FATE_UNKNOWN: no outer packet of its size did, so it was sent with
 * another size. */
static enum fate judge_by_tap(const struct probehost *host, int size)
{
	struct probetap_seen seen =
		probetap_look(host->tap, PROBETAP_IN, size + PROBEHOST_AROUND);

	if (seen.fragmented)
		return FATE_FRAGMENTED;
	return seen.whole ? FATE_WHOLE : FATE_UNKNOWN;
}

/* For a round of one size: the kernel reassembled no packets, or exactly the copies. */
static enum fate judge_by_counter(const struct probehost *host, int size)
{
	uint64_t copies = (uint64_t)copies_of(host, size);
	uint64_t now;

	if (count_reassembled(host, &now) < 0)
		return FATE_UNKNOWN;
	if (now == host->reassembled)
		return FATE_WHOLE;
	/* A control message beside them is never large enough to be fragmented. */
	return now - host->reassembled == copies ? FATE_FRAGMENTED : FATE_UNKNOWN;
}

static enum fate judge_size(const struct probehost *host, int size)
{
	if (!copies_of(host, size))
		return FATE_LOST;
	if (is_counted(host))
		return judge_by_counter(host, size);
	return host->facts.unseen ? FATE_WHOLE : judge_by_tap(host, size);
}

/* Without any packet that the tap has seen, what arrived came another way. A tap that does
 * not answer tells nothing. */
static void look_for_any(struct probehost *host)
{
	if (probetap_read(host->tap) && host->arrived.count && !host->relayed &&
	    !probetap_saw(host->tap, PROBETAP_IN))
		host->facts.unseen = true;
}

/* The counter has no number for one probe among others. */
static enum fate judge_late(const struct probehost *host, int size)
{
	if (is_counted(host))
		return FATE_UNKNOWN;
	return host->facts.unseen ? FATE_WHOLE : judge_by_tap(host, size);
}

static void take_late(struct probehost *host, struct probemsg_late *ret)
{
	struct probehost_count *late = &host->late;

	*ret = (struct probemsg_late){.count = late->count};
	for (int i = 0; i < late->count; i++) {
		ret->sizes[i] = late->sizes[i];
		ret->fates[i] = judge_late(host, late->sizes[i]);
		ret->arrived[i] = late->copies[i] < UINT8_MAX ? late->copies[i]
							      : UINT8_MAX;
	}
	late->count = 0;
}

void probehost_judge(struct probehost *host, const struct probemsg_list *list,
		     enum fate ret[BANDFIND_ROUND], int ret_arrived[BANDFIND_ROUND],
		     struct probemsg_late *ret_late)
{
	if (host->tap)
		look_for_any(host);
	for (int i = 0; i < list->count; i++) {
		int arrived = copies_of(host, list->sizes[i]);

		ret[i] = judge_size(host, list->sizes[i]);
		/* The path may deliver a packet twice. */
		ret_arrived[i] = arrived < list->copies ? arrived : list->copies;
	}
	take_late(host, ret_late);
	host->judged = true;
	/* Forget here, not when the next round begins: the tap sees that round's first
	 * packets before its first datagram is read. */
	if (host->tap)
		probetap_forget(host->tap, PROBETAP_IN);
}
