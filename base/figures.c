/* SPDX-License-Identifier: MIT */
#include "base/figures.h"

#include <string.h>

#include "base/types.h"

#define IS_SENDER 1
#define IS_CLIENT 0
#define FIGURE_ROW(member, most, source, page_label, page_unit) \
	[FIGURE_##member] = {                                   \
		.name = #member,                                \
		.offset = offsetof(struct dir_result, member),  \
		.max = (most),                                  \
		.of_sender = IS_##source,                       \
		.label = (page_label),                          \
		.unit = (page_unit),                            \
	},

const struct figure_spec figure_list[FIGURE_COUNT] = {FIGURE_LIST(FIGURE_ROW)};

int64_t figure_get(const struct dir_result *result, int index)
{
	int64_t value;

	memcpy(&value, (const char *)result + figure_list[index].offset, sizeof(value));
	return value;
}

void figure_set(struct dir_result *result, int index, int64_t value)
{
	memcpy((char *)result + figure_list[index].offset, &value, sizeof(value));
}

bool figures_goodput_valid(const struct dir_result *result)
{
	int64_t goodput_bps = result->goodput_bps;
	int64_t high_bps = result->goodput_high_bps;

	if (goodput_bps == NO_FIGURE)
		return result->goodput_low_bps == NO_FIGURE && high_bps == NO_FIGURE;
	return result->goodput_low_bps <= goodput_bps &&
	       (high_bps == NO_FIGURE || high_bps >= goodput_bps);
}

void figures_take_sender(struct dir_result *result, const struct dir_result *sender)
{
	for (int i = 0; i < FIGURE_COUNT; i++) {
		if (figure_list[i].of_sender)
			figure_set(result, i, figure_get(sender, i));
	}
}
