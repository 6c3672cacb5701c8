/* SPDX-License-Identifier: MIT */
/* The fate of the other end's probes. */
#include "netctl/probehost.h"

#include "netctl/reasm.h"

/* Extra time for probes that arrive after END, and its limit. */
#define GRACE_US     3000
#define GRACE_MAX_US 250000

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
	host->count = 0;
	if (is_counted(host))
		count_reassembled(host, &host->reassembled);
}

void probehost_note(struct probehost *host, int size)
{
	for (int i = 0; i < host->count; i++) {
		if (host->arrived[i].size == size) {
			host->arrived[i].copies++;
			return;
		}
	}
	if (host->count == BANDFIND_ROUND)
		return;
	host->arrived[host->count].size = size;
	host->arrived[host->count++].copies = 1;
}

static int copies_of(const struct probehost *host, int size)
{
	for (int i = 0; i < host->count; i++) {
		if (host->arrived[i].size == size)
			return host->arrived[i].copies;
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

/* The probe arrived but no outer packet of its size did: it was sent with another
 * size. */
static enum fate judge_by_tap(const struct probehost *host, int size)
{
	struct probetap_seen seen =
		probetap_look(host->tap, PROBETAP_IN, size + PROBEHOST_AROUND);

	if (!copies_of(host, size))
		return FATE_LOST;
	if (seen.fragmented)
		return FATE_FRAGMENTED;
	return seen.whole ? FATE_WHOLE : FATE_UNKNOWN;
}

/* For a round of one size: the kernel reassembled no packets, or exactly the copies. */
static enum fate judge_by_counter(const struct probehost *host, int size)
{
	uint64_t copies = (uint64_t)copies_of(host, size);
	uint64_t now;

	if (!copies)
		return FATE_LOST;
	if (count_reassembled(host, &now) < 0)
		return FATE_UNKNOWN;
	if (now == host->reassembled)
		return FATE_WHOLE;
	/* A control message beside them is never large enough to be fragmented. */
	return now - host->reassembled == copies ? FATE_FRAGMENTED : FATE_UNKNOWN;
}

static enum fate judge_size(const struct probehost *host, int size)
{
	if (is_counted(host))
		return judge_by_counter(host, size);
	if (host->facts.unseen)
		return copies_of(host, size) ? FATE_WHOLE : FATE_LOST;
	return judge_by_tap(host, size);
}

/* Without any packet that the tap has seen, what arrived came another way. A tap that does
 * not answer tells nothing. */
static void look_for_any(struct probehost *host)
{
	if (probetap_read(host->tap) && host->count && !host->relayed &&
	    !probetap_saw(host->tap, PROBETAP_IN))
		host->facts.unseen = true;
}

void probehost_judge(struct probehost *host, const struct probemsg_list *list,
		     enum fate ret[BANDFIND_ROUND], int ret_arrived[BANDFIND_ROUND])
{
	if (host->tap)
		look_for_any(host);
	for (int i = 0; i < list->count; i++) {
		int arrived = copies_of(host, list->sizes[i]);

		ret[i] = judge_size(host, list->sizes[i]);
		/* The path may deliver a packet twice. */
		ret_arrived[i] = arrived < list->copies ? arrived : list->copies;
	}
	/* Forget here, not when the next round begins: the tap sees that round's first
	 * packets before its first datagram is read. */
	if (host->tap)
		probetap_forget(host->tap, PROBETAP_IN);
}

int64_t probehost_grace_us(int64_t late_us)
{
	int64_t grace_us = GRACE_US + 2 * late_us;

	return grace_us < GRACE_MAX_US ? grace_us : GRACE_MAX_US;
}
