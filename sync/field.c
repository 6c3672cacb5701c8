/* SPDX-License-Identifier: MIT */
/* Messages between structs and JSON, by their tables. */

#include "sync/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	/* The library that will have to take it judges what is UTF-8. */
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
	return RUN_OUTCOME_COUNT;
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
	}
	return -ERANGE;
}

static int object_to_json(const struct field *fields, const void *from, json_t **ret,
			  struct err *err)
{
	cleanup_json json_t *object = json_object();

	for (const struct field *f = fields; f->name; f++) {
		json_t *value = NULL;
		int rc = value_to_json(f, (const char *)from + f->offset, &value, err);

		if (rc == LEFT_OUT)
			continue;
		if (rc == -ERANGE && f->kind != FIELD_OBJECT)
			err_set(err, rc, "cannot send message: '%s' is out of range",
				f->name);
		if (rc < 0)
			return rc;
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
		/* The library quotes what it read: not ours to print as it is. */
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

static int bad(const struct field *f, const char *how, struct err *err)
{
	return err_set(err, -EBADMSG, "bad message: '%s' %s", f->name, how);
}

static int read_number(const struct field *f, const json_t *value, void *at,
		       struct err *err)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return bad(f, "is not a whole number", err);
	if (number < f->min || number > f->max)
		return bad(f, "is out of range", err);
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
		return bad(f, "holds a control character", err);
	if (strlen(text) >= f->size)
		return bad(f, "is too long", err);
	if (f->valid && !f->valid(text))
		return bad(f, "is not what it should be", err);
	text_copy(at, f->size, text);
	return 0;
}

static int read_u64(const struct field *f, const char *text, uint64_t *at,
		    struct err *err)
{
	char *end;

	if (*text < '0' || *text > '9')
		return bad(f, "is not a number in quotes", err);
	errno = 0;
	*at = strtoull(text, &end, 10);
	if (*end)
		return bad(f, "is not a number in quotes", err);
	if (errno)
		return bad(f, "is out of range", err);
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
	return bad(f, "is not one of its words", err);
}

/* The kinds that are strings in JSON. */
static int read_string(const struct field *f, const json_t *value, void *at,
		       struct err *err)
{
	const char *text = json_string_value(value);

	if (!text)
		return bad(f, "is not a string", err);
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
		return bad(f, "is not an array", err);
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
			return bad(f, "is neither true nor false", err);
		*(bool *)at = json_is_true(value);
		return 0;
	case FIELD_OBJECT:
		if (!json_is_object(value))
			return bad(f, "is not an object", err);
		return field_decode(f->fields, value, at, err);
	case FIELD_FIGURES:
		return read_figures(f, value, at, err);
	case FIELD_U64:
	case FIELD_TEXT:
	case FIELD_STATUS:
	case FIELD_PERSIST:
	case FIELD_BACKEND:
	case FIELD_OUTCOME:
	case FIELD_CODE:
		return read_string(f, value, at, err);
	}
	return bad(f, "is of no known kind", err);
}

int field_decode(const struct field *fields, const json_t *object, void *into,
		 struct err *err)
{
	for (const struct field *f = fields; f->name; f++) {
		const json_t *value = json_object_get(object, f->name);
		void *at = (char *)into + f->offset;
		int rc = 0;

		if (value)
			rc = read_value(f, value, at, err);
		else if (f->kind == FIELD_FIGURE)
			*(int64_t *)at = NO_FIGURE;
		else if (!f->optional)
			rc = bad(f, "is missing", err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
