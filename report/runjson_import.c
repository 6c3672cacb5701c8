/* SPDX-License-Identifier: MIT */
#include "report/runjson_import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "report/runjson.h"

/* 70000 measurements; parsed, it takes some ten times as much memory. */
#define FILE_LIMIT (64 << 20)

struct document {
	const json_t *root;
	json_t *tables;
	/* The end whose MTU is not known, and the other one; NULL: the run has two. */
	const char *far;
	const char *own;
};

/* --- rows --- */

/* Copy members; those of an object in it get its name: {"upload": {"bps": 1}} becomes
 * {"upload_bps": 1}. */
static void flatten(json_t *to, const char *before, const json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		char whole[128];

		snprintf(whole, sizeof(whole), "%s%s", before, name);
		if (json_is_object(value)) {
			strncat(whole, "_", sizeof(whole) - strlen(whole) - 1);
			/* No row has more levels. */
			if (!*before)
				flatten(to, whole, value);
		} else {
			json_object_set(to, whole, value);
		}
	}
}

/* An export has null for a far end's MTU that nobody knows. */
static void name_unknown(const struct document *doc, json_t *row, const char *before)
{
	char far[64], own[64];

	if (!doc->far)
		return;
	snprintf(far, sizeof(far), "%s%s_mtu", before, doc->far);
	snprintf(own, sizeof(own), "%s%s_mtu", before, doc->own);
	if (json_is_integer(json_object_get(row, own)) &&
	    json_is_null(json_object_get(row, far)))
		json_object_set_new(row, far, json_integer(MTU_UNKNOWN));
}

static json_t *make_row(const struct document *doc, const json_t *object)
{
	json_t *row = json_object();

	flatten(row, "", object);
	name_unknown(doc, row, "");
	return row;
}

/* Takes the row. */
static void add_row(const struct document *doc, const char *table, json_t *row)
{
	if (!json_object_get(doc->tables, table))
		json_object_set_new(doc->tables, table, json_array());
	json_array_append_new(json_object_get(doc->tables, table), row);
}

/* --- tables --- */

static void set_unless_known(json_t *row, const char *end, const char *name, int value)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "%s_%s", end, name);
	if (json_is_null(json_object_get(row, whole)))
		json_object_set_new(row, whole, json_integer(value));
}

static void add_run(const struct document *doc)
{
	json_t *row = make_row(doc, json_object_get(doc->root, "run"));
	const json_t *options = json_object_get(doc->root, "options");
	cleanup_free char *text = json_is_object(options) ? json_dumps(options, 0)
							  : NULL;

	json_object_set_new(row, "process", json_null());
	json_object_set_new(row, "options", text ? json_string(text) : json_null());
	if (doc->far) {
		set_unless_known(row, doc->far, "mtu_min", MTU_RANGE_UNKNOWN.min);
		set_unless_known(row, doc->far, "mtu_max", MTU_RANGE_UNKNOWN.max);
		set_unless_known(row, doc->far, "mtu_step", MTU_RANGE_UNKNOWN.step);
	}
	add_row(doc, "run", row);
}

/* A run without a key has no row. */
static void add_tunnel(const struct document *doc)
{
	const json_t *run = json_object_get(doc->root, "run");
	const json_t *server_key =
		json_object_get(json_object_get(run, "server"), "public_key");
	const json_t *peer_key =
		json_object_get(json_object_get(run, "peer"), "public_key");
	json_t *row;

	if (!json_is_string(server_key) && !json_is_string(peer_key))
		return;
	row = json_object();
	json_object_set(row, "tunnel", json_object_get(run, "tunnel"));
	json_object_set(row, "server_key", (json_t *)server_key);
	json_object_set(row, "peer_key", (json_t *)peer_key);
	add_row(doc, "run_tunnel", row);
}

static void add_measurements(const struct document *doc)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(doc->root, "measurements"), i, one)
	{
		json_t *row = make_row(doc, one);

		json_object_set_new(row, "acknowledged", json_integer(0));
		add_row(doc, "measurement", json_incref(row));
		add_row(doc, "measurement_detail", row);
	}
}

static void add_warnings(const struct document *doc, const char *about,
			 const json_t *list, json_t *warned_at)
{
	size_t i;
	json_t *one;

	json_array_foreach((json_t *)list, i, one)
	{
		json_t *row = make_row(doc, one);

		json_object_set_new(row, "about", json_string(about));
		if (warned_at)
			json_object_set(row, "warned_at", warned_at);
		add_row(doc, "run_warning", row);
	}
}

static void add_bands(const struct document *doc, const char *table, const json_t *list,
		      enum direction dir)
{
	size_t i;
	json_t *one;

	json_array_foreach((json_t *)list, i, one)
	{
		json_t *row = make_row(doc, one);

		json_object_set_new(row, "direction", json_string(direction_name(dir)));
		add_row(doc, table, row);
	}
}

static void add_path(const struct document *doc)
{
	const json_t *path = json_object_get(doc->root, "path");
	json_t *row;

	if (!json_is_object(path))
		return;
	row = make_row(doc, path);
	json_object_set(row, "overhead", json_object_get(row, "upload_overhead"));
	add_row(doc, "path", json_incref(row));
	add_row(doc, "path_detail", row);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		add_bands(doc, "path_band",
			  json_object_get(path, direction_name((enum direction)dir)),
			  (enum direction)dir);
}

static void set_missing_null(json_t *row, const char *before, const char *name)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "%s%s", before, name);
	if (!json_object_get(row, whole))
		json_object_set_new(row, whole, json_null());
}

/* An older version kept the kind alone, and any may have no rival. */
static void complete_reason(json_t *row, bool kind_alone)
{
	static const char *const ends[] = {"upload_", "download_"};

	set_missing_null(row, "rival_", "server_mtu");
	set_missing_null(row, "rival_", "peer_mtu");
	if (!kind_alone)
		return;
	json_object_set_new(row, "margin", json_integer(0));
	json_object_set_new(row, "visits", json_integer(0));
	for (int i = 0; i < DIR_COUNT; i++) {
#define SET_NULL(name, ...) set_missing_null(row, ends[i], #name);
		EVIDENCE_FIGURES(SET_NULL)
#undef SET_NULL
	}
	json_object_set_new(row, "upload_guessed", json_integer(0));
	json_object_set_new(row, "download_guessed", json_integer(0));
}

static void add_reason(const struct document *doc, const json_t *recommendation,
		       bool kind_alone)
{
	const json_t *reason = json_object_get(recommendation, "reason");
	json_t *row = make_row(doc, reason);

	json_object_set(row, "status", json_object_get(recommendation, "status"));
	name_unknown(doc, row, "rival_");
	complete_reason(row, kind_alone);
	add_row(doc, "reason", row);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		add_bands(doc, "reason_band",
			  json_object_get(
				  json_object_get(reason,
						  direction_name((enum direction)dir)),
				  "bands"),
			  (enum direction)dir);
}

/* Sentences are made from facts; an older version kept nothing else. */
static void add_recommendation(const struct document *doc)
{
	const json_t *object = json_object_get(doc->root, "recommendation");
	const json_t *run = json_object_get(doc->root, "run");
	const json_t *pair = json_object_get(object, "contradicted");
	const char *kind = json_string_value(
		json_object_get(json_object_get(object, "reason"), "kind"));
	bool kind_alone = kind && strcmp(kind, reason_name(REASON_TEXT)) == 0;
	json_t *ended_at = json_object_get(run, "ended_at");
	json_t *row;

	if (!json_is_object(object))
		return;
	row = make_row(doc, object);
	if (json_is_object(pair)) {
		json_object_update(row, (json_t *)pair);
		name_unknown(doc, row, "");
	}
	if (!kind_alone)
		json_object_set_new(row, "text", json_string(""));
	add_row(doc, "recommendation", row);
	add_reason(doc, object, kind_alone);
	add_warnings(doc, "recommendation", json_object_get(object, "warnings"),
		     json_is_string(ended_at) ? ended_at
					      : json_object_get(run, "started_at"));
}

static void add_one_end(const struct document *doc)
{
	const json_t *facts = json_object_get(doc->root, "one_end");

	if (json_is_object(facts))
		add_row(doc, "one_end", make_row(doc, facts));
}

/* The text of path_bands_format(); what is no list stays as it is. */
static void join_bands(json_t *row, const char *name)
{
	const json_t *list = json_object_get(row, name);
	cleanup_free char *text = NULL;
	size_t i, size;
	json_t *band;
	FILE *out;

	if (!json_is_array(list) || !(out = open_memstream(&text, &size)))
		return;
	json_array_foreach((json_t *)list, i, band)
	{
		const char *fate = json_string_value(json_object_get(band, "fate"));

		fprintf(out, "%s%lld:%s", i ? "," : "",
			(long long)json_integer_value(
				json_object_get(band, "size_max")),
			fate ? fate : "");
	}
	fclose(out);
	json_object_set_new(row, name, json_string(text));
}

static void add_probes(const struct document *doc)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(doc->root, "probes"), i, one)
	{
		json_t *row = make_row(doc, one);

		join_bands(row, "upload_bands");
		join_bands(row, "download_bands");
		add_row(doc, "path_probe", row);
	}
}

/* --- the document --- */

static const struct {
	const char *name;
	json_type type;
	bool or_null;
} members[] = {
	{"run", JSON_OBJECT, false},           {"warnings", JSON_ARRAY, false},
	{"recommendation", JSON_OBJECT, true}, {"one_end", JSON_OBJECT, true},
	{"options", JSON_OBJECT, true},        {"path", JSON_OBJECT, true},
	{"measurements", JSON_ARRAY, false},   {"probes", JSON_ARRAY, false},
};

static int check_members(const char *file, const json_t *root, struct err *err)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const json_t *value = json_object_get(root, members[i].name);

		if (value && (json_typeof(value) == members[i].type ||
			      (members[i].or_null && json_is_null(value))))
			continue;
		return err_set(err, -EINVAL,
			       "nothing imported: the export '%s' %s '%s'", file,
			       value ? "cannot have such a value as" : "lacks",
			       members[i].name);
	}
	return 0;
}

static int check_document(const char *file, const json_t *root, struct err *err)
{
	const char *format = json_string_value(json_object_get(root, "format"));
	const json_t *version = json_object_get(root, "version");

	if (!format || strcmp(format, RUNJSON_FORMAT) != 0)
		return err_set(
			err, -EINVAL,
			"nothing imported: '%s' is JSON, but no export of a run; "
			"make one with 'mtusweep export --format json'",
			file);
	if (!json_is_integer(version) || json_integer_value(version) != RUNJSON_VERSION)
		return err_set(
			err, -EINVAL,
			"nothing imported: the export '%s' has version %lld, and "
			"this program knows %d; use the mtusweep that wrote it, "
			"or a newer one",
			file, (long long)json_integer_value(version), RUNJSON_VERSION);
	return check_members(file, root, err);
}

static int read_document(const char *file, json_t **ret, struct err *err)
{
	cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	json_error_t error;
	size_t size;
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", file);
	r = io_read_file(fd, FILE_LIMIT, &text, &size);
	if (r == -EFBIG)
		return err_set(err, r,
			       "cannot read '%s': it has more than %d bytes; import "
			       "the database that it was made from instead",
			       file, FILE_LIMIT);
	if (r < 0)
		return err_sys(err, -r, "cannot read '%s'", file);
	*ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (*ret)
		return 0;
	return err_set(err, -EINVAL,
		       "nothing imported: '%s', line %d, column %d: not JSON: %s", file,
		       error.line, error.column, error.text);
}

static int import_document(const char *file, const char *db, const json_t *root,
			   struct import_runs *ret, struct err *err)
{
	struct document doc = {.root = root, .tables = json_object()};
	const char *sends = json_string_value(
		json_object_get(json_object_get(root, "one_end"), "sends"));
	int r;

	if (sends) {
		bool is_peer = strcmp(sends, direction_name(DIR_UPLOAD)) == 0;

		doc.far = is_peer ? "server" : "peer";
		doc.own = is_peer ? "peer" : "server";
	}
	add_run(&doc);
	add_tunnel(&doc);
	add_measurements(&doc);
	add_probes(&doc);
	add_warnings(&doc, "run", json_object_get(root, "warnings"), NULL);
	add_path(&doc);
	add_recommendation(&doc);
	add_one_end(&doc);
	r = import_tables(file, doc.tables, db, ret, err);
	json_decref(doc.tables);
	return r;
}

int runjson_import(const char *file, const char *db, struct import_runs *ret,
		   struct err *err)
{
	json_t *root;
	int r = read_document(file, &root, err);

	if (r < 0)
		return r;
	r = check_document(file, root, err);
	if (r == 0)
		r = import_document(file, db, root, ret, err);
	json_decref(root);
	return r;
}
