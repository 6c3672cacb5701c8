/* SPDX-License-Identifier: MIT */
#include "base/underlay.h"

#include <stddef.h>

const char *underlay_phrase(int mtu)
{
	switch (mtu) {
#define UNDERLAY_CASE(size, phrase) \
	case size:                  \
		return phrase;
		UNDERLAYS(UNDERLAY_CASE)
#undef UNDERLAY_CASE
	default:
		return NULL;
	}
}
