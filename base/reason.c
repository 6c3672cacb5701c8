/* SPDX-License-Identifier: MIT */
#include "base/reason.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	const char *sentence;
} kinds[REASON_COUNT] = {
#define REASON_ENTRY(kind, name, sentence) [REASON_##kind] = {name, sentence},
	REASON_KINDS(REASON_ENTRY)
#undef REASON_ENTRY
};

const char *reason_name(enum reason_kind kind)
{
	return kinds[kind].name;
}

const char *reason_sentence(enum reason_kind kind)
{
	return kinds[kind].sentence;
}

int reason_parse(const char *name, enum reason_kind *ret)
{
	for (int i = 0; i < REASON_COUNT; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret = (enum reason_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}
