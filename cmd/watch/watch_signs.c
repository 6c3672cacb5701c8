/* SPDX-License-Identifier: MIT */
#include "cmd/watch/watch_signs.h"

#include "base/debug.h"
#include "netctl/reasm.h"

/* A packet or two of another program's are no sign. */
#define FRAGMENTS_MIN 6

/* Those of both families; NO_FIGURE: none is counted. */
static int64_t count_fragments(void)
{
	int64_t count = NO_FIGURE;

	for (int family = 4; family <= 6; family += 2) {
		uint64_t made;

		if (reasm_fragments(family, &made, NULL) == 0)
			count = (count == NO_FIGURE ? 0 : count) + (int64_t)made;
	}
	return count;
}

static void find_facts(const struct watch_signs *signs, struct guard_facts *ret)
{
	*ret = (struct guard_facts){.too_big = NO_FIGURE};
	guard_get_facts(signs->guard, signs->address, ret, NULL);
}

/* The count begins anew each time: the endpoint may be another, and the messages about the
 * probe's own packets are no sign. */
void watch_signs_begin(struct watch_signs *signs)
{
	struct guard_facts facts;

	guard_listen(signs->guard, signs->address, NULL);
	find_facts(signs, &facts);
	signs->fragments = count_fragments();
	signs->outer_mtu = facts.outer_mtu;
}

static int64_t fragments_since(const struct watch_signs *signs)
{
	int64_t now = count_fragments();

	if (now == NO_FIGURE || signs->fragments == NO_FIGURE || now < signs->fragments)
		return NO_FIGURE;
	return now - signs->fragments;
}

void watch_signs_count(const struct watch_signs *signs, struct path_probe *probe)
{
	struct guard_facts facts;

	find_facts(signs, &facts);
	probe->fragments = fragments_since(signs);
	probe->too_big = facts.too_big;
}

bool watch_signs_look(const struct watch_signs *signs)
{
	int64_t fragments = fragments_since(signs);
	struct guard_facts facts;

	find_facts(signs, &facts);
	if (fragments >= FRAGMENTS_MIN)
		debug_log("watch", "%lld fragments since the last probe",
			  (long long)fragments);
	else if (facts.too_big > 0)
		debug_log("watch", "%lld ICMP messages that a packet was too big",
			  (long long)facts.too_big);
	else if (facts.outer_mtu && facts.outer_mtu < signs->outer_mtu)
		debug_log("watch", "path MTU to the endpoint: %d, it was %d",
			  facts.outer_mtu, signs->outer_mtu);
	else
		return false;
	return true;
}
