/* SPDX-License-Identifier: MIT */
/* The fate of the other end's probes. */
#include "netctl/probehost.h"

#include "netctl/reasm.h"

void probehost_begin(struct probehost *host, int round)
{
	host->round = round;
	host->count = 0;
	if (!host->tap)
		reasm_count(host->family, &host->reassembled, NULL);
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
	if (reasm_count(host->family, &now, NULL) < 0)
		return FATE_UNKNOWN;
	if (now == host->reassembled)
		return FATE_WHOLE;
	/* A control message beside them is never large enough to be fragmented. */
	return now - host->reassembled == copies ? FATE_FRAGMENTED : FATE_UNKNOWN;
}

void probehost_judge(struct probehost *host, const struct probemsg_list *list,
		     enum fate ret[BANDFIND_ROUND])
{
	if (host->tap)
		probetap_read(host->tap);
	for (int i = 0; i < list->count; i++)
		ret[i] = host->tap ? judge_by_tap(host, list->sizes[i])
				   : judge_by_counter(host, list->sizes[i]);
	/* Forget here, not when the next round begins: the tap sees that round's first
	 * packets before its first datagram is read. */
	if (host->tap)
		probetap_forget(host->tap, PROBETAP_IN);
}
