/* SPDX-License-Identifier: MIT */
#ifndef SYNC_FIELD_H
#define SYNC_FIELD_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/types.h"
#include "sync/warnings.h"

/*
 * A message as a table of fields: the one description that encoding, decoding and its
 * errors come from. Only msg.c uses it.
 *
 * Encoding cleans texts (control characters and what is not UTF-8 become '?') and cuts
 * one whose JSON would pass its room, since a long sentence must not make a message too
 * large. Decoding trusts nothing: the nesting is counted before the parser, which
 * recurses, sees it on a web worker's small stack.
 */

enum field_kind {
	FIELD_INT,    /* int */
	FIELD_U32,    /* uint32_t */
	FIELD_I64,    /* int64_t */
	FIELD_AMOUNT, /* int64_t, brought into its range on encoding */
	FIELD_FIGURE, /* int64_t; left out where there is none (NO_FIGURE) */
	FIELD_U64,    /* uint64_t as decimal text: JSON's integers are signed */
	FIELD_BOOL,   /* bool */
	FIELD_TEXT,   /* char[size], its JSON within max bytes, passing `valid` */
	FIELD_STATUS, /* the enums of base/types.h, by name, from min */
	FIELD_PERSIST,
	FIELD_BACKEND,
	FIELD_OUTCOME,
	FIELD_DIRECTION,
	FIELD_END,      /* enum warning_end */
	FIELD_REASON,   /* but REASON_TEXT, the last */
	FIELD_EVIDENCE, /* enum evidence_status */
	FIELD_CODE,     /* int, a positive errno by name (code.h); 0 is "OK" */
	FIELD_OBJECT,   /* a struct with fields of its own */
	FIELD_FIGURES,  /* the figures of a struct dir_result, an array in the order of
			  base/figures.h; null for NO_FIGURE, brought into their ranges */
	FIELD_WARNINGS, /* struct warnings, an array of objects */
};

struct field {
	const char *name; /* NULL ends the table */
	enum field_kind kind;
	size_t offset;
	size_t size; /* the text's */
	int64_t min;
	int64_t max;
	bool (*valid)(const char *text); /* or NULL */
	const struct field *fields;      /* the object's */
	bool optional; /* may be missing: what it fills stays as it was */
};

/* A fresh JSON string of `limit` bytes at most, or NULL: out of memory, too large, or a
 * value out of range; the text says which. */
char *field_encode(const struct field *fields, const void *from, size_t limit,
		   struct err *err);

/* The JSON object in `json`, for field_decode(); the caller json_decref()s it.
 * -EBADMSG. */
int field_parse(const char *json, size_t size, size_t limit, json_t **ret,
		struct err *err);

/* -EBADMSG: the text names the field. Unknown fields are skipped. */
int field_decode(const struct field *fields, const json_t *object, void *into,
		 struct err *err);

#endif
