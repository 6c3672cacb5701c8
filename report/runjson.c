/* SPDX-License-Identifier: MIT */
#include "report/runjson.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/tunnel.h"
#include "report/history.h"

/* The one control character that JSON has as it is, and only within texts. */
#define DEL 0x7f

static int write_part(const char *part, size_t size, void *out)
{
	const char *del;

	while ((del = memchr(part, DEL, size))) {
		size_t before = (size_t)(del - part);

		fwrite(part, 1, before, out);
		fputc('?', out);
		part += before + 1;
		size -= before + 1;
	}
	fwrite(part, 1, size, out);
	return 0;
}

void runjson_dumpf(const json_t *value, FILE *out, size_t flags)
{
	json_dump_callback(value, write_part, out,
			   flags | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
}

char *runjson_dumps(const json_t *value, size_t flags)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	runjson_dumpf(value, out, flags);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static json_t *text_or_null(const char *text)
{
	return *text ? row_text_json(text) : json_null();
}

static json_t *number_unless(int64_t value, int64_t unknown)
{
	return value == unknown ? json_null() : json_integer(value);
}

json_t *runjson_time(int64_t at_ms)
{
	char text[CLOCK_ISO_SIZE];

	clock_iso(at_ms, text);
	return json_string(text);
}

static json_t *time_or_null(int64_t at_ms)
{
	return at_ms <= 0 ? json_null() : runjson_time(at_ms);
}

json_t *runjson_bands(const struct path_bands *bands)
{
	json_t *list = json_array();

	for (int i = 0; i < bands->count; i++)
		json_array_append_new(list, json_pack("{si ss}", "size_max",
						      bands->band[i].max, "fate",
						      fate_name(bands->band[i].fate)));
	return list;
}

json_t *runjson_mtu(int mtu)
{
	return number_unless(mtu, MTU_UNKNOWN);
}

json_t *runjson_pair(const struct mtu_pair *mtu)
{
	if (!mtu->peer)
		return json_null();
	return json_pack("{so so}", "server_mtu", runjson_mtu(mtu->server), "peer_mtu",
			 runjson_mtu(mtu->peer));
}

/* The far end's of one end alone has no range. */
static json_t *end_object(const struct end_facts *end, const struct mtu_range *range)
{
	bool known = range->max != MTU_UNKNOWN || range->min != MTU_UNKNOWN;

	return json_pack(
		"{so so so so ss so so so so so so}", "host", text_or_null(end->host),
		"interface", text_or_null(end->interface), "address",
		text_or_null(end->address), "link_mtu", number_unless(end->link_mtu, 0),
		"backend", backend_name(end->backend), "endpoint_family",
		number_unless(end->endpoint_family, 0), "versions",
		text_or_null(end->versions), "public_key", text_or_null(end->key),
		"mtu_min", runjson_mtu(range->min), "mtu_max",
		known ? json_integer(range->max) : json_null(), "mtu_step",
		known ? json_integer(range->step) : json_null());
}

json_t *runjson_count(const struct query_run *run, int visits)
{
	return run->counted ? json_integer(visits) : json_null();
}

json_t *runjson_run(const struct query_run *run)
{
	const struct run_info *info = &run->info;
	char tunnel[TUNNEL_ID_SIZE];
	char seed[24];

	/* Beyond what JSON's readers keep of a number. */
	snprintf(seed, sizeof(seed), "%" PRIu64, info->seed);
	return json_pack(
		"{sI ss ss so so ss ss so so si ss so so ss so so so so so so}", "id",
		(json_int_t)run->id, "uuid", info->uuid, "role", run->role,
		"started_at", time_or_null(info->started_at_ms), "ended_at",
		time_or_null(run->ended_at_ms), "outcome",
		run_outcome_name(run->outcome), "state", query_run_state(run),
		"outcome_text", row_text_json(run->text), "strategy",
		row_text_json(info->strategy), "passes", info->passes, "seed", seed,
		"duration_ms", number_unless(info->duration_ms, 0), "congestion",
		text_or_null(info->congestion), "persist", persist_name(info->persist),
		"pairs_planned", number_unless(info->pairs_planned, 0), "visits",
		runjson_count(run, run->measured), "visits_failed",
		runjson_count(run, run->failed), "tunnel",
		text_or_null(tunnel_id_of_run(info, tunnel)), "server",
		end_object(&info->server, &info->server_range), "peer",
		end_object(&info->peer, &info->peer_range));
}

json_t *runjson_result(const struct query_result *result)
{
	return json_pack("{so so so so si si si ss ss ss}", "server_mtu",
			 runjson_mtu(result->mtu.server), "peer_mtu",
			 runjson_mtu(result->mtu.peer), "upload_bps",
			 number_unless(result->upload_bps, NO_FIGURE), "download_bps",
			 number_unless(result->download_bps, NO_FIGURE), "visits",
			 result->visits, "upload_ok", result->upload_ok, "download_ok",
			 result->download_ok, "upload_status",
			 test_status_name(result->upload_status), "download_status",
			 test_status_name(result->download_status), "status",
			 test_status_name(result->status));
}

static json_t *direction_object(const struct dir_result *dir)
{
	json_t *object = json_pack("{ss so so so}", "status",
				   test_status_name(dir->status), "text",
				   row_text_json(dir->text), "started_at",
				   time_or_null(dir->started_at_ms), "duration_ms",
				   number_unless(dir->duration_ms, 0));
	int r = 0;

	for (int i = 0; i < FIGURE_COUNT && object && r == 0; i++)
		r = json_object_set_new(object, figure_list[i].name,
					number_unless(figure_get(dir, i), NO_FIGURE));
	if (r == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *runjson_figures(void)
{
	json_t *list = json_array();

	for (int i = 0; i < FIGURE_COUNT && list; i++) {
		const struct figure_spec *figure = &figure_list[i];
		json_t *one;

		if (!figure->label[0])
			continue;
		one = json_pack("{ss ss ss}", "name", figure->name, "label",
				figure->label, "unit", figure->unit);
		if (json_array_append_new(list, one) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *runjson_measurement(const struct measurement *m)
{
	return json_pack("{sI si sb so so so so}", "seq", (json_int_t)m->seq, "pass",
			 m->pass, "reference", m->reference, "server_mtu",
			 runjson_mtu(m->mtu.server), "peer_mtu",
			 runjson_mtu(m->mtu.peer), "upload",
			 direction_object(&m->dir[DIR_UPLOAD]), "download",
			 direction_object(&m->dir[DIR_DOWNLOAD]));
}

json_t *runjson_warning(const struct warning *w)
{
	cleanup_free char *sentence = warning_sentence(w);
	bool of_end = warning_use(w->kind, "at_end");
	bool of_direction = warning_use(w->kind, "direction");
	json_t *object = json_pack(
		"{ss so so}", "kind", warning_name(w->kind), "at_end",
		text_or_null(of_end ? warning_end_name(w->at_end) : ""), "direction",
		text_or_null(of_direction ? direction_name(w->direction) : ""));
	struct warning copy = *w;
	int r = 0;

	for (int i = 0; r == 0 && i < WARNING_NUMBER_COUNT; i++) {
		const char *name = warning_numbers[i].name;
		enum warning_use use = warning_use(w->kind, name);
		int64_t value = *warning_number(&copy, i);
		bool known = (use == WARNING_NEEDED || (use && value)) &&
			     !((i == WARNING_NUMBER_server_mtu ||
				i == WARNING_NUMBER_peer_mtu) &&
			       value == MTU_UNKNOWN);

		r = json_object_set_new(object, name,
					known ? json_integer(value) : json_null());
	}
	if (r == 0)
		r = json_object_set_new(
			object, "detail",
			text_or_null(warning_use(w->kind, "detail") ? w->detail : ""));
	if (r == 0 && sentence)
		r = json_object_set_new(object, "sentence", row_text_json(sentence));
	if (r == 0 && sentence)
		return object;
	json_decref(object);
	return NULL;
}

/* The bands that throughput tells; null: probes tell. */
static json_t *guessed_bands(const struct evidence *e, enum direction dir)
{
	return e->dir[dir].guessed ? runjson_bands(&e->survey.path.dir[dir])
				   : json_null();
}

static json_t *evidence_object(const struct evidence *e, enum direction dir)
{
	const struct evidence_dir *d = &e->dir[dir];
	json_t *object = json_pack("{sb so}", "guessed", d->guessed, "bands",
				   guessed_bands(e, dir));

#define PUT_FIGURE(name, ...) \
	json_object_set_new(object, #name, number_unless(d->name, NO_FIGURE));
	EVIDENCE_FIGURES(PUT_FIGURE)
#undef PUT_FIGURE
	return object;
}

/* The kind alone if an older version kept no figures. */
static json_t *reason_object(const struct evidence *e)
{
	const struct reason *reason = &e->reason;

	if (reason->kind == REASON_TEXT)
		return json_pack("{ss}", "kind", reason_name(reason->kind));
	return json_pack("{ss ss si si so so so}", "kind", reason_name(reason->kind),
			 "sentence", reason_sentence(reason->kind), "margin",
			 reason->margin, "visits", reason->visits, "rival",
			 runjson_pair(&reason->rival), "upload",
			 evidence_object(e, DIR_UPLOAD), "download",
			 evidence_object(e, DIR_DOWNLOAD));
}

/* An older version kept none. */
static const char *status_or_null(const struct evidence *e)
{
	return e->reason.kind == REASON_TEXT ? NULL : evidence_status_name(e->status);
}

json_t *runjson_recommended(const struct query_recommendation *r)
{
	const struct evidence *e = &r->evidence;
	const struct mtu_pair mtu = evidence_pair(e);
	const struct mtu_pair not_to_set = mtu.peer ? (struct mtu_pair){0} : e->mtu;
	json_t *warnings = json_array();

	for (int i = 0; i < e->warnings; i++)
		json_array_append_new(warnings, runjson_warning(&e->warning[i]));
	return json_pack("{so so ss? sb so so so so}", "server_mtu",
			 mtu.server ? runjson_mtu(mtu.server) : json_null(), "peer_mtu",
			 mtu.peer ? runjson_mtu(mtu.peer) : json_null(), "status",
			 status_or_null(e), "settled", e->settled, "contradicted",
			 runjson_pair(&not_to_set), "reason", reason_object(e),
			 "warnings", warnings, "text", row_text_json(r->text));
}

int runjson_recommendation(struct query *query, int64_t run, json_t **ret,
			   struct err *err)
{
	struct query_recommendation recommended = {0};
	int r = query_recommended(query, run, &recommended, err);

	if (r < 0 && r != -ENODATA)
		return r;
	*ret = r == 0 && recommended.evidence.mtu.peer
		       ? runjson_recommended(&recommended)
		       : json_null();
	free(recommended.text);
	return *ret ? 0 : -ENOMEM;
}

/* A table's only row, which replaces the null in *ctx. */
static int take_row(void *ctx, json_t *object)
{
	*(json_t **)ctx = object;
	return 0;
}

/* --- writing --- */

/* Takes the value, NULL too. */
static int put_value(void *ctx, json_t *value)
{
	struct runjson_list *list = ctx;

	if (!value)
		return -ENOMEM;
	fputs(list->begun ? ",\n" : "\n", list->out);
	list->begun = true;
	/* Where that fails the stream knows. */
	runjson_dumpf(value, list->out, JSON_COMPACT);
	json_decref(value);
	return 0;
}

int runjson_put_run(void *list, const struct query_run *run)
{
	json_t *object = runjson_run(run);

	if (object)
		json_object_set_new(object, "recommended",
				    runjson_pair(&run->recommended));
	return put_value(list, object);
}

int runjson_put_result(void *list, const struct query_result *result)
{
	return put_value(list, runjson_result(result));
}

int runjson_put_measurement(void *list, const struct measurement *m)
{
	return put_value(list, runjson_measurement(m));
}

int runjson_put_warning(void *list, const struct query_warning *w)
{
	json_t *object = runjson_warning(&w->facts);

	if (object)
		json_object_set_new(object, "warned_at", time_or_null(w->warned_at_ms));
	return put_value(list, object);
}

int runjson_put_probe(void *list, const struct path_probe *probe)
{
	return put_value(list, history_probe_json(probe));
}

static int put_member(FILE *out, const char *name, json_t *value)
{
	struct runjson_list single = {.out = out};

	fprintf(out, "\"%s\":", name);
	return put_value(&single, value);
}

/* A row of path_band goes to its direction's list. */
static int add_band(void *path, json_t *band)
{
	json_t *direction = json_object_get(band, "direction");
	json_t *list = json_object_get(path, json_string_value(direction));

	json_object_del(band, "direction");
	return json_array_append_new(list, band) < 0 ? -ENOMEM : 0;
}

/* Version 1 has one overhead for both directions, and no more. */
static int put_path_detail(json_t *path, const struct path_survey *survey)
{
	json_t *detail =
		json_pack("{si si sb sb sb sb sI}", "upload_overhead",
			  survey->path.overhead[DIR_UPLOAD], "download_overhead",
			  survey->path.overhead[DIR_DOWNLOAD], "upload_relayed",
			  survey->path.relayed[DIR_UPLOAD], "download_relayed",
			  survey->path.relayed[DIR_DOWNLOAD], "upload_unseen",
			  survey->path.unseen[DIR_UPLOAD], "download_unseen",
			  survey->path.unseen[DIR_DOWNLOAD], "since_seq",
			  (json_int_t)survey->since_seq);
	int r = json_object_update(path, detail);

	json_object_del(path, "overhead");
	json_decref(detail);
	return r < 0 ? -ENOMEM : 0;
}

static int put_path(struct query *query, int64_t run, FILE *out, struct err *err)
{
	struct path_survey checked;
	json_t *path = json_null();
	int r = query_path(query, run, &checked, err);

	if (r == 0)
		r = query_table(query, "path", run, take_row, &path, err);
	if (r == 0)
		r = put_path_detail(path, &checked);
	if (r == 0) {
		json_object_set_new(path, "upload", json_array());
		json_object_set_new(path, "download", json_array());
		r = query_table(query, "path_band", run, add_band, path, err);
	}
	if (r == 0 || r == -ENODATA)
		return put_member(out, "path", path);
	json_decref(path);
	return r;
}

static int put_options(struct query *query, int64_t run, FILE *out, struct err *err)
{
	cleanup_free char *text = NULL;
	json_t *options;
	int r = query_options(query, run, &text, err);

	if (r < 0)
		return r;
	options = json_loads(text, 0, NULL);
	return put_member(out, "options", options ? options : json_null());
}

static int put_one_end(struct query *query, int64_t run, FILE *out, struct err *err)
{
	struct one_end facts;
	json_t *object;
	int r = query_one_end(query, run, &facts, err);

	if (r == -ENODATA)
		return put_member(out, "one_end", json_null());
	if (r < 0)
		return r;
	object = json_pack("{ss so so ss ss si}", "sends", direction_name(facts.own),
			   "target", row_text_json(facts.target), "endpoint",
			   text_or_null(facts.endpoint), "small",
			   one_end_small_name(facts.small), "proof",
			   one_end_proof_name(facts.proof), "rounds", facts.rounds);
#define PUT_FLAG(name) json_object_set_new(object, #name, json_boolean(facts.name));
	ONE_END_FLAGS(PUT_FLAG)
#undef PUT_FLAG
#define PUT_NUMBER(name) \
	json_object_set_new(object, #name, number_unless(facts.name, 0));
	ONE_END_NUMBERS(PUT_NUMBER)
#undef PUT_NUMBER
	return put_member(out, "one_end", object);
}

/* The members that a listing and an export share. */
static int put_common(struct query *query, const struct query_run *run, FILE *out,
		      struct err *err)
{
	struct runjson_list warnings = {.out = out};
	struct runjson_list results = {.out = out};
	json_t *recommended = NULL;
	int r = put_member(out, "run", runjson_run(run));

	fputs(",\n\"warnings\":[", out);
	if (r == 0)
		r = query_warnings(query, run->id, "run", runjson_put_warning,
				   &warnings, err);
	fputs("],\n", out);
	if (r == 0)
		r = runjson_recommendation(query, run->id, &recommended, err);
	if (r == 0)
		r = put_member(out, "recommendation", recommended);
	fputs(",\n", out);
	if (r == 0)
		r = put_one_end(query, run->id, out, err);
	fputs(",\n\"results\":[", out);
	if (r == 0)
		r = query_results(query, run->id, runjson_put_result, &results, err);
	fputs("]", out);
	return r;
}

static int name_error(int r, struct err *err)
{
	return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
}

int runjson_show(struct query *query, const struct query_run *run, FILE *out,
		 struct err *err)
{
	int r;

	fputs("{", out);
	r = put_common(query, run, out, err);
	fputs(",\n", out);
	if (r == 0)
		r = put_path(query, run->id, out, err);
	fputs("}\n", out);
	return name_error(r, err);
}

static int write_export(struct query *query, const struct query_run *run, FILE *out,
			struct err *err)
{
	struct runjson_list measurements = {.out = out};
	struct runjson_list probes = {.out = out};
	int r;

	fprintf(out, "{\"format\":\"%s\",\"version\":%d,\n", RUNJSON_FORMAT,
		RUNJSON_VERSION);
	r = put_common(query, run, out, err);
	fputs(",\n", out);
	if (r == 0)
		r = put_options(query, run->id, out, err);
	fputs(",\n", out);
	if (r == 0)
		r = put_path(query, run->id, out, err);
	fputs(",\n\"measurements\":[", out);
	if (r == 0)
		r = query_measurements(query, run->id, runjson_put_measurement,
				       &measurements, err);
	fputs("],\n\"probes\":[", out);
	if (r == 0)
		r = query_probes(query, run->id, runjson_put_probe, &probes, err);
	fputs("]}\n", out);
	return r;
}

int runjson_export(struct query *query, const struct query_run *run, FILE *out,
		   struct err *err)
{
	int r = write_export(query, run, out, err);

	if (r < 0)
		return name_error(r, err);
	errno = 0;
	if (fflush(out) == EOF || ferror(out))
		return err_sys(err, errno ? errno : EIO, "cannot write the export");
	return 0;
}

int runjson_text(const char *db, int64_t run, char **ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	struct query_run stored;
	char *text = NULL;
	size_t size;
	FILE *out;
	int r = query_open(db, &query, err);

	if (r == 0)
		r = query_run_numbered(query, run, &stored, err);
	if (r < 0)
		return r;
	out = open_memstream(&text, &size);
	if (out)
		r = runjson_show(query, &stored, out, err);
	if (!out || fclose(out) == EOF)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		*ret = text;
	else
		free(text);
	return r;
}
