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

TEXT_DEFINE_WORDS(reason, reason_kind, names, REASON_COUNT)

const char *reason_sentence(enum reason_kind kind)
{
	return sentences[kind];
}
