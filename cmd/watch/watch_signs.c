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

static int find_outer_mtu(const struct watch_signs *signs)
{
	struct guard_facts facts = {0};

	guard_get_facts(signs->guard, signs->address, &facts, NULL);
	return facts.outer_mtu;
}

void watch_signs_begin(struct watch_signs *signs)
{
	signs->fragments = count_fragments();
	signs->outer_mtu = find_outer_mtu(signs);
}

int64_t watch_signs_fragments(const struct watch_signs *signs)
{
	int64_t now = count_fragments();

	if (now == NO_FIGURE || signs->fragments == NO_FIGURE || now < signs->fragments)
		return NO_FIGURE;
	return now - signs->fragments;
}

bool watch_signs_look(const struct watch_signs *signs)
{
	int64_t fragments = watch_signs_fragments(signs);
	int outer_mtu = find_outer_mtu(signs);

	if (fragments >= FRAGMENTS_MIN)
		debug_log("watch", "%lld fragments since the last probe",
			  (long long)fragments);
	else if (outer_mtu && outer_mtu < signs->outer_mtu)
		debug_log("watch", "path MTU to the endpoint: %d, it was %d", outer_mtu,
			  signs->outer_mtu);
	else
		return false;
	return true;
}
