/* SPDX-License-Identifier: MIT */
#include "base/reason.h"

#include "base/text.h"

static const char *const names[] = {
#define REASON_NAME(kind, name, sentence) [REASON_##kind] = name,
	REASON_KINDS(REASON_NAME)
#undef REASON_NAME
};

static const char *const sentences[] = {
#define REASON_SENTENCE(kind, name, sentence) [REASON_##kind] = sentence,
	REASON_KINDS(REASON_SENTENCE)
#undef REASON_SENTENCE
};

const char *reason_name(enum reason_kind kind)
{
	return names[kind];
}

const char *reason_sentence(enum reason_kind kind)
{
	return sentences[kind];
}

int reason_parse(const char *name, enum reason_kind *ret)
{
	int i = text_find(names, REASON_COUNT, name);

	if (i < 0)
		return i;
	*ret = (enum reason_kind)i;
	return 0;
}
