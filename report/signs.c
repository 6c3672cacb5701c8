/* SPDX-License-Identifier: MIT */
#include "report/signs.h"

#define SIGN_ROW(kind, name, label, shape, letter, glyph) \
	[HEATMAP_##kind] = {name, label, SIGN_##shape, letter, glyph},
const struct sign signs[HEATMAP_MARKS] = {SIGN_LIST(SIGN_ROW)};

#define FATE_ROW(fate, label, rgb, xterm, letter, glyph) \
	[FATE_##fate] = {label, rgb, xterm, letter, glyph},
const struct fate_sign fate_signs[FATE_COUNT] = {FATE_SIGN_LIST(FATE_ROW)};

#define FATE_KIND(fate, ...) FATE_##fate,
const enum fate fate_legend[FATE_COUNT] = {FATE_SIGN_LIST(FATE_KIND)};

const char *sign_shape_name(enum sign_shape shape)
{
#define SIGN_SHAPE_NAME(kind, name) [SIGN_##kind] = name,
	static const char *const names[] = {SIGN_SHAPES(SIGN_SHAPE_NAME)};

	return names[shape];
}
