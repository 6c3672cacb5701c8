/* SPDX-License-Identifier: MIT */
/* Messages between structs and JSON, by their tables. */

#include "sync/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/evidence.h"
#include "base/io.h"
#include "base/text.h"
#include "sync/code.h"

/* Our own messages nest three deep. */
#define NESTING_MAX 8
/* The longest name of an enum or a code. */
#define NAME_SIZE 32

static void json_release(json_t **json)
{
	json_decref(*json);
}

#define cleanup_json __attribute__((cleanup(json_release)))

/* --- texts --- */

/* How many bytes the character at `at` has; 0 for one that cannot go into a message. */
static size_t character_size(const char *at)
{
	unsigned char lead = (unsigned char)*at;
	size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	json_t *whole;

	if (text_control(at) || strnlen(at, size) < size)
		return 0;
	if (size == 1)
		return 1;
	/* Let the library that encodes the text decide what is UTF-8. */
	whole = json_stringn(at, size);
	json_decref(whole);
	return whole ? size : 0;
}

/* `src` cleaned, and cut where its JSON would be longer than `room`. */
static json_t *text_to_json(const char *src, size_t size, size_t room)
{
	char *clean = malloc(size);
	size_t used = 0;
	size_t cost = 0;
	json_t *json;

	if (!clean)
		return NULL;
	while (*src) {
		size_t length = character_size(src);
		const char *from = length ? src : "?";
		size_t copied = length ? length : 1;

		cost += copied + (*from == '"' || *from == '\\');
		if (cost > room || used + copied >= size)
			break;
		memcpy(clean + used, from, copied);
		used += copied;
		src += copied;
	}
	json = json_stringn(clean, used);
	free(clean);
	return json;
}

static bool has_control(const char *text)
{
	for (; *text; text++) {
		if (text_control(text))
			return true;
	}
	return false;
}

/* --- names --- */

static const char *enum_name(enum field_kind kind, int value)
{
	if (kind == FIELD_STATUS)
		return test_status_name((enum test_status)value);
	if (kind == FIELD_PERSIST)
		return persist_name((enum persist)value);
	if (kind == FIELD_BACKEND)
		return backend_name((enum backend)value);
	if (kind == FIELD_DIRECTION)
		return direction_name((enum direction)value);
	if (kind == FIELD_REASON)
		return reason_name((enum reason_kind)value);
	if (kind == FIELD_EVIDENCE)
		return evidence_status_name((enum evidence_status)value);
	if (kind == FIELD_END)
		return warning_end_name((enum warning_end)value);
	return run_outcome_name((enum run_outcome)value);
}

static int enum_count(enum field_kind kind)
{
	if (kind == FIELD_STATUS)
		return TEST_STATUS_COUNT;
	if (kind == FIELD_PERSIST)
		return PERSIST_COUNT;
	if (kind == FIELD_BACKEND)
		return BACKEND_COUNT;
	if (kind == FIELD_DIRECTION)
		return DIR_COUNT;
	if (kind == FIELD_REASON)
		return REASON_TEXT;
	if (kind == FIELD_EVIDENCE)
		return EVIDENCE_STATUS_COUNT;
	if (kind == FIELD_END)
		return WARNING_END_COUNT;
	return RUN_OUTCOME_COUNT;
}

/* --- warnings --- */

/* Three words, the numbers, and the end. */
#define WARNING_FIELDS (WARNING_NUMBER_COUNT + 4)

/* The columns that a kind uses, as a table of struct warnings_one. */
static void list_warning_fields(enum warning_kind kind,
				struct field ret[WARNING_FIELDS])
{
	const struct field words[] = {
		{.name = "at_end",
		 .kind = FIELD_END,
		 .offset = offsetof(struct warnings_one, facts.at_end),
		 .min = WARNING_END_SERVER},
		{.name = "direction",
		 .kind = FIELD_DIRECTION,
		 .offset = offsetof(struct warnings_one, facts.direction)},
		{.name = "detail",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct warnings_one, detail),
		 .size = WARNINGS_DETAIL_SIZE,
		 .max = WARNINGS_DETAIL_SIZE},
	};
	struct warning none;
	int count = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (warning_use(kind, words[i].name))
			ret[count++] = words[i];
	}
	for (int i = 0; i < WARNING_NUMBER_COUNT; i++) {
		const struct warning_number *number = &warning_numbers[i];
		enum warning_use use = warning_use(kind, number->name);

		if (use)
			ret[count++] = (struct field){
				.name = number->name,
				.kind = FIELD_I64,
				.offset = (size_t)((char *)warning_number(&none, i) -
						   (char *)&none),
				.min = use == WARNING_OPTIONAL ? 0 : number->min,
				.max = number->max,
			};
	}
	ret[count] = (struct field){0};
}

/* --- encoding --- */

/* Not an error: the field is left out. */
#define LEFT_OUT 1

static int number_to_json(const struct field *f, int64_t value, json_t **ret)
{
	if (f->kind == FIELD_FIGURE && value < 0)
		return LEFT_OUT;
	if (f->kind == FIELD_FIGURE || f->kind == FIELD_AMOUNT) {
		if (value < f->min)
			value = f->min;
		if (value > f->max)
			value = f->max;
	}
	if (value < f->min || value > f->max)
		return -ERANGE;
	*ret = json_integer(value);
	return 0;
}

static int object_to_json(const struct field *fields, const void *from, json_t **ret,
			  struct err *err);

static json_t *figures_to_json(const struct dir_result *result)
{
	cleanup_json json_t *array = json_array();
	json_t *done = NULL;
	int r = 0;

	for (int i = 0; i < FIGURE_COUNT && r == 0; i++) {
		int64_t value = figure_get(result, i);

		if (value > figure_list[i].max)
			value = figure_list[i].max;
		r = json_array_append_new(array, value < 0 ? json_null()
							   : json_integer(value));
	}
	if (r == 0) {
		done = array;
		array = NULL;
	}
	return done;
}

static int warnings_to_json(const struct warnings *list, json_t **ret, struct err *err)
{
	cleanup_json json_t *array = json_array();

	for (int i = 0; i < list->count; i++) {
		struct field fields[WARNING_FIELDS];
		json_t *object = NULL;
		enum warning_kind kind = list->one[i].facts.kind;
		int r;

		list_warning_fields(kind, fields);
		r = object_to_json(fields, &list->one[i], &object, err);
		if (r < 0)
			return r;
		json_object_set_new(object, "kind", json_string(warning_name(kind)));
		json_array_append_new(array, object);
	}
	*ret = array;
	array = NULL;
	return 0;
}

/* -ERANGE, -ENOMEM (also when *ret stays NULL), LEFT_OUT, or 0. */
static int value_to_json(const struct field *f, const void *at, json_t **ret,
			 struct err *err)
{
	char digits[NAME_SIZE];

	switch (f->kind) {
	case FIELD_INT:
		return number_to_json(f, *(const int *)at, ret);
	case FIELD_U32:
		return number_to_json(f, *(const uint32_t *)at, ret);
	case FIELD_I64:
	case FIELD_AMOUNT:
	case FIELD_FIGURE:
		return number_to_json(f, *(const int64_t *)at, ret);
	case FIELD_U64:
		snprintf(digits, sizeof(digits), "%" PRIu64, *(const uint64_t *)at);
		*ret = json_string(digits);
		return 0;
	case FIELD_BOOL:
		*ret = json_boolean(*(const bool *)at);
		return 0;
	case FIELD_TEXT:
		*ret = text_to_json(at, f->size, (size_t)f->max);
		return 0;
	case FIELD_STATUS:
	case FIELD_PERSIST:
	case FIELD_BACKEND:
	case FIELD_OUTCOME:
	case FIELD_DIRECTION:
	case FIELD_END:
	case FIELD_REASON:
	case FIELD_EVIDENCE:
		if (*(const int *)at < f->min ||
		    *(const int *)at >= enum_count(f->kind))
			return -ERANGE;
		*ret = json_string(enum_name(f->kind, *(const int *)at));
		return 0;
	case FIELD_CODE:
		*ret = json_string(code_name(*(const int *)at));
		return 0;
	case FIELD_OBJECT:
		return object_to_json(f->fields, at, ret, err);
	case FIELD_FIGURES:
		*ret = figures_to_json(at);
		return 0;
	case FIELD_WARNINGS:
		return warnings_to_json(at, ret, err);
	}
	return -ERANGE;
}

static int object_to_json(const struct field *fields, const void *from, json_t **ret,
			  struct err *err)
{
	cleanup_json json_t *object = json_object();

	for (const struct field *f = fields; f->name; f++) {
		json_t *value = NULL;
		int r = value_to_json(f, (const char *)from + f->offset, &value, err);

		if (r == LEFT_OUT)
			continue;
		if (r == -ERANGE && f->kind != FIELD_OBJECT)
			err_set(err, r, "cannot send message: '%s' is out of range",
				f->name);
		if (r < 0)
			return r;
		if (json_object_set_new(object, f->name, value) < 0)
			return err_set(err, -ENOMEM, "out of memory for a message");
	}
	*ret = object;
	object = NULL;
	return 0;
}

char *field_encode(const struct field *fields, const void *from, size_t limit,
		   struct err *err)
{
	cleanup_json json_t *object = NULL;
	cleanup_free char *text = NULL;
	char *result;

	if (object_to_json(fields, from, &object, err) < 0)
		return NULL;
	text = json_dumps(object, JSON_COMPACT);
	if (!text) {
		err_set(err, -ENOMEM, "out of memory for a message");
		return NULL;
	}
	if (strlen(text) > limit) {
		err_set(err, -EMSGSIZE, "message too large: %zu bytes, %zu are allowed",
			strlen(text), limit);
		return NULL;
	}
	result = text;
	text = NULL;
	return result;
}

/* --- decoding --- */

static bool nests_too_deep(const char *json, size_t size)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < size; i++) {
		if (quoted && json[i] == '\\')
			i++;
		else if (json[i] == '"')
			quoted = !quoted;
		else if (!quoted && (json[i] == '{' || json[i] == '['))
			depth++;
		else if (!quoted && (json[i] == '}' || json[i] == ']'))
			depth--;
		if (depth > NESTING_MAX)
			return true;
	}
	return false;
}

int field_parse(const char *json, size_t size, size_t limit, json_t **ret,
		struct err *err)
{
	json_error_t why;
	json_t *root;

	if (size > limit)
		return err_set(err, -EBADMSG, "bad message: %zu bytes, %zu are allowed",
			       size, limit);
	if (nests_too_deep(json, size))
		return err_set(err, -EBADMSG, "bad message: nested too deeply");
	root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &why);
	if (!root) {
		/* The library quotes its input, which is not safe to print. */
		text_printable(why.text);
		return err_set(err, -EBADMSG, "bad message: %s", why.text);
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(err, -EBADMSG, "bad message: not a JSON object");
	}
	*ret = root;
	return 0;
}

static int fail_field(const struct field *f, const char *how, struct err *err)
{
	return err_set(err, -EBADMSG, "bad message: '%s' %s", f->name, how);
}

static int read_number(const struct field *f, const json_t *value, void *at,
		       struct err *err)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return fail_field(f, "is not a whole number", err);
	if (number < f->min || number > f->max)
		return fail_field(f, "is out of range", err);
	if (f->kind == FIELD_INT)
		*(int *)at = (int)number;
	else if (f->kind == FIELD_U32)
		*(uint32_t *)at = (uint32_t)number;
	else
		*(int64_t *)at = number;
	return 0;
}

static int read_text(const struct field *f, const char *text, char *at, struct err *err)
{
	if (has_control(text))
		return fail_field(f, "contains a control character", err);
	if (strlen(text) >= f->size)
		return fail_field(f, "is too long", err);
	if (f->valid && !f->valid(text))
		return fail_field(f, "is not valid", err);
	text_copy(at, f->size, text);
	return 0;
}

static int read_u64(const struct field *f, const char *text, uint64_t *at,
		    struct err *err)
{
	char *end;

	if (*text < '0' || *text > '9')
		return fail_field(f, "is not a number in quotes", err);
	errno = 0;
	*at = strtoull(text, &end, 10);
	if (*end)
		return fail_field(f, "is not a number in quotes", err);
	if (errno)
		return fail_field(f, "is out of range", err);
	return 0;
}

static int read_name(const struct field *f, const char *text, int *at, struct err *err)
{
	for (int i = (int)f->min; i < enum_count(f->kind); i++) {
		if (strcmp(enum_name(f->kind, i), text) == 0) {
			*at = i;
			return 0;
		}
	}
	return fail_field(f, "is not an allowed word", err);
}

/* The kinds that are strings in JSON. */
static int read_string(const struct field *f, const json_t *value, void *at,
		       struct err *err)
{
	const char *text = json_string_value(value);

	if (!text)
		return fail_field(f, "is not a string", err);
	if (f->kind == FIELD_TEXT)
		return read_text(f, text, at, err);
	if (f->kind == FIELD_U64)
		return read_u64(f, text, at, err);
	if (f->kind != FIELD_CODE)
		return read_name(f, text, at, err);
	*(int *)at = code_from_name(text);
	return 0;
}

static int read_figures(const struct field *f, const json_t *array,
			struct dir_result *ret, struct err *err)
{
	if (!json_is_array(array))
		return fail_field(f, "is not an array", err);
	for (int i = 0; i < FIGURE_COUNT; i++) {
		const json_t *value = json_array_get(array, (size_t)i);
		struct field one = {.name = figure_list[i].name,
				    .kind = FIELD_FIGURE,
				    .max = figure_list[i].max};
		int64_t number = NO_FIGURE;
		int r = 0;

		if (value && !json_is_null(value))
			r = read_number(&one, value, &number, err);

		if (r < 0)
			return r;
		figure_set(ret, i, number);
	}
	return 0;
}

/* A kind that is not known is skipped, as an unknown field is. */
static int read_warnings(const struct field *f, const json_t *array,
			 struct warnings *ret, struct err *err)
{
	int r = 0;

	if (!json_is_array(array))
		return fail_field(f, "is not an array", err);
	ret->count = 0;
	for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
		const json_t *object = json_array_get(array, i);
		const char *kind = json_string_value(json_object_get(object, "kind"));
		struct warnings_one *one = &ret->one[ret->count];
		struct field fields[WARNING_FIELDS];

		if (!kind)
			return fail_field(f, "has one without a kind", err);
		if (ret->count == WARNINGS_MAX)
			return fail_field(f, "has too many", err);
		*one = (struct warnings_one){0};
		if (warning_parse(kind, &one->facts.kind) < 0)
			continue;
		list_warning_fields(one->facts.kind, fields);
		r = field_decode(fields, object, one, err);
		ret->count++;
	}
	return r;
}

static int read_value(const struct field *f, const json_t *value, void *at,
		      struct err *err)
{
	switch (f->kind) {
	case FIELD_INT:
	case FIELD_U32:
	case FIELD_I64:
	case FIELD_AMOUNT:
	case FIELD_FIGURE:
		return read_number(f, value, at, err);
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return fail_field(f, "is neither true nor false", err);
		*(bool *)at = json_is_true(value);
		return 0;
	case FIELD_OBJECT:
		if (!json_is_object(value))
			return fail_field(f, "is not an object", err);
		return field_decode(f->fields, value, at, err);
	case FIELD_FIGURES:
		return read_figures(f, value, at, err);
	case FIELD_WARNINGS:
		return read_warnings(f, value, at, err);
	case FIELD_U64:
	case FIELD_TEXT:
	case FIELD_STATUS:
	case FIELD_PERSIST:
	case FIELD_BACKEND:
	case FIELD_OUTCOME:
	case FIELD_DIRECTION:
	case FIELD_END:
	case FIELD_REASON:
	case FIELD_EVIDENCE:
	case FIELD_CODE:
		return read_string(f, value, at, err);
	}
	return fail_field(f, "is of an unknown kind", err);
}

int field_decode(const struct field *fields, const json_t *object, void *into,
		 struct err *err)
{
	for (const struct field *f = fields; f->name; f++) {
		const json_t *value = json_object_get(object, f->name);
		void *at = (char *)into + f->offset;
		int r = 0;

		if (value)
			r = read_value(f, value, at, err);
		else if (f->kind == FIELD_FIGURE)
			*(int64_t *)at = NO_FIGURE;
		else if (!f->optional)
			r = fail_field(f, "is missing", err);
		if (r < 0)
			return r;
	}
	return 0;
}
