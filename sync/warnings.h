/* SPDX-License-Identifier: MIT */
#ifndef SYNC_WARNINGS_H
#define SYNC_WARNINGS_H

#include "base/warning.h"

/* The warnings of a message, with the texts of their details. */

#define WARNINGS_MAX         4
#define WARNINGS_DETAIL_SIZE 120

struct warnings_one {
	struct warning facts; /* warnings_get() fills in the detail */
	char detail[WARNINGS_DETAIL_SIZE];
};

struct warnings {
	int count;
	struct warnings_one one[WARNINGS_MAX];
};

/* Append a copy, its detail cut to WARNINGS_DETAIL_SIZE. False: it is full. */
bool warnings_add(struct warnings *list, const struct warning *w);
/* The i-th; its detail is the list's. */
struct warning warnings_get(const struct warnings *list, int i);

#endif
