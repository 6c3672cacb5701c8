/* SPDX-License-Identifier: MIT */
#include "sync/warnings.h"

#include "base/text.h"

bool warnings_add(struct warnings *list, const struct warning *w)
{
	struct warnings_one *one = &list->one[list->count];

	if (list->count == WARNINGS_MAX)
		return false;
	list->count++;
	one->facts = *w;
	text_copy(one->detail, sizeof(one->detail),
		  warning_use(w->kind, "detail") ? w->detail : "");
	return true;
}

struct warning warnings_get(const struct warnings *list, int i)
{
	struct warning w = list->one[i].facts;

	w.detail = list->one[i].detail;
	return w;
}
