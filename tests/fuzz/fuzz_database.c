/* SPDX-License-Identifier: MIT */
/* A database from anybody, through all that reads one: the commands of mtusweep, the
 * live page, the loading for --resume and --apply; and through a store that continues
 * to write it. Whatever the file holds, no output controls the terminal. An input is
 * one of three: the file; WITH_LOG, the file's size in four bytes (the lowest first),
 * the file, and its write-ahead log; or VALUES and the changes to a run (struct
 * change). */

#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "cmd/peer/peer_resume.h"
#include "cmd/read/read.h"
#include "cmd/run/live_page.h"
#include "folder.h"
#include "store/store.h"

#define WITH_LOG "MTUSWAL1"
#define VALUES   "MTUSROW1"
/* Draw maps of at most this many cells: larger ones take long and show nothing new. */
#define CELLS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the file --- */

static char db[96];
static char picture[2][112];

static void remove_file(const char *suffix)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", db, suffix);
	unlink(path);
}

static void remove_files(void)
{
	remove_file("");
	remove_file("-wal");
	remove_file("-shm");
	remove_file("-journal");
	unlink(picture[0]);
	unlink(picture[1]);
}

static void make_folder(void)
{
	const char *folder = folder_make();

	snprintf(db, sizeof(db), "%s/fuzz.db", folder);
	snprintf(picture[0], sizeof(picture[0]), "%s/map.svg", folder);
	snprintf(picture[1], sizeof(picture[1]), "%s/map.png", folder);
}

static void write_database(const uint8_t *data, size_t size)
{
	const size_t head = strlen(WITH_LOG) + 4;
	size_t whole;

	remove_files();
	if (size < head || memcmp(data, WITH_LOG, strlen(WITH_LOG)) != 0) {
		folder_write("fuzz.db", data, size);
		return;
	}
	whole = data[head - 4] + ((size_t)data[head - 3] << 8) +
		((size_t)data[head - 2] << 16) + ((size_t)data[head - 1] << 24);
	data += head;
	size -= head;
	whole = whole < size ? whole : size;
	folder_write("fuzz.db", data, whole);
	folder_write("fuzz.db-wal", data + whole, size - whole);
}

/* --- values --- */

static void write_run(struct store *store)
{
	const struct run_info info = {
		.uuid = "abcd0000-1111-4222-8333-444444444444",
		.started_at_ms = 1795350039123,
		.server_range = {1280, 1500, 20},
		.peer_range = {1280, 1500, 20},
		.strategy = "grid",
		.passes = 1,
	};
	struct path_survey survey = {.path.overhead = {60, 60}};
	struct measurement m = {.seq = 70, .pass = 1, .mtu = {1420, 1400}};
	struct evidence evidence = {.reason.kind = REASON_FITS,
				    .dir[DIR_UPLOAD].guessed = true};
	struct measurement left;
	int64_t run;

	path_bands_add(&survey.path.dir[DIR_UPLOAD], 1500, FATE_WHOLE);
	path_bands_add(&survey.path.dir[DIR_UPLOAD], OUTER_SIZE_MAX, FATE_LOST);

	dir_result_init(&m.dir[DIR_UPLOAD], TEST_ERROR, "it failed");
	dir_result_init(&m.dir[DIR_DOWNLOAD], TEST_ERROR, "it failed");
	if (store_begin_record(store, &info, "{}", &run, NULL) < 0)
		return;
	store_record(store, run, &m, NULL);
	m.seq = 71;
	m.dir[DIR_UPLOAD].status = m.dir[DIR_DOWNLOAD].status = TEST_OK;
	m.dir[DIR_UPLOAD].received_bps = m.dir[DIR_DOWNLOAD].goodput_bps = 36000000;
	store_record(store, run, &m, NULL);
	store_put_path(store, run, &survey, NULL);
	store_next_unacknowledged(store, run, 1, &left, NULL);
	store_warn(store, run, &(struct warning){.detail = "a warning"}, NULL);
	evidence.mtu = m.mtu;
	evidence.survey.path.dir[DIR_UPLOAD] = survey.path.dir[DIR_UPLOAD];
	evidence_warn(&evidence, (struct warning){.kind = WARNING_MSS, .mtu = 1400});
	store_recommend(store, run, &evidence, NULL);
	store_end_run(store, run, RUN_DONE, "", NULL);
}

/* The first run, so that commands without a name read the other one. */
static void write_one_end(struct store *store)
{
	const struct run_info info = {
		.uuid = "abcd0001-1111-4222-8333-444444444444",
		.started_at_ms = 1795350030000,
		.server_range = MTU_RANGE_UNKNOWN,
		.peer_range = {1280, 1500, 20},
		.peer.interface = "wg0",
		.strategy = STRATEGY_PROBE,
	};
	struct path_survey survey = {.path.overhead = {60, 60}, .probes = {5, 5}};
	struct measurement m = {.seq = 1, .pass = 1, .mtu = {MTU_UNKNOWN, 1400}};
	const struct one_end facts = {
		.target = "10.0.0.1",
		.endpoint = "192.0.2.1",
		.small = ONE_END_SMALL_TCP,
		.proof = ONE_END_WHOLE,
		.echoes = true,
		.far_mtu = 1376,
		.mss_ipv4 = 1340,
		.mss_ipv6 = 1320,
	};
	struct evidence evidence = {
		.mtu = {MTU_UNKNOWN, 1380},
		.reason.kind = REASON_OWN_WHOLE,
	};
	int64_t run;

	path_bands_add(&survey.path.dir[DIR_UPLOAD], 1440, FATE_WHOLE);
	path_bands_add(&survey.path.dir[DIR_UPLOAD], OUTER_SIZE_MAX, FATE_LOST);
	dir_result_init(&m.dir[DIR_UPLOAD], TEST_ERROR, "it failed");
	dir_result_init(&m.dir[DIR_DOWNLOAD], TEST_OK, "%s", "");
	m.dir[DIR_DOWNLOAD].goodput_bps = 36000000;
	if (store_begin_record(store, &info, "{}", &run, NULL) < 0)
		return;
	store_record(store, run, &m, NULL);
	store_put_path(store, run, &survey, NULL);
	store_put_one_end(store, run, &facts, NULL);
	store_recommend(store, run, &evidence, NULL);
	store_end_run(store, run, RUN_DONE, "", NULL);
}

/* A value for a column: a number, a text, ... that the schema's checks may refuse. */
struct change {
	uint8_t column; /* index among the columns of all tables */
	uint8_t kind;
	uint8_t value[8];
};

static void bind_value(sqlite3_stmt *stmt, const struct change *change)
{
	static const char *const words[] = {"ok",   "blackhole", "error",    "peer",
					    "lost", "imported",  "upload",   "done",
					    "4",    "apply",     "download", ""};
	int64_t number;
	double real;

	memcpy(&number, change->value, sizeof(number));
	memcpy(&real, change->value, sizeof(real));
	switch (change->kind % 6) {
	case 0:
		sqlite3_bind_int64(stmt, 1, number);
		break;
	case 1:
		sqlite3_bind_int64(stmt, 1, change->value[0] * 256 + change->value[1]);
		break;
	case 2:
		sqlite3_bind_double(stmt, 1, real);
		break;
	case 3:
		sqlite3_bind_text(stmt, 1, (const char *)change->value,
				  change->value[7] % 8, SQLITE_TRANSIENT);
		break;
	case 4:
		sqlite3_bind_text(stmt, 1, words[change->value[0] % 12], -1,
				  SQLITE_STATIC);
		break;
	default:
		sqlite3_bind_blob(stmt, 1, change->value, change->value[7] % 8,
				  SQLITE_TRANSIENT);
	}
}

static void change_value(sqlite3 *sql, const struct change *change)
{
	static const char columns[] =
		"SELECT format('UPDATE OR IGNORE \"%w\" SET \"%w\" = ?',"
		" m.name, c.name)"
		" FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
		" WHERE m.type = 'table' LIMIT 1 OFFSET ?";
	sqlite3_stmt *find = NULL;
	sqlite3_stmt *update = NULL;

	sqlite3_prepare_v2(sql, columns, -1, &find, NULL);
	sqlite3_bind_int(find, 1, change->column);
	if (sqlite3_step(find) == SQLITE_ROW &&
	    sqlite3_prepare_v2(sql, (const char *)sqlite3_column_text(find, 0), -1,
			       &update, NULL) == SQLITE_OK) {
		bind_value(update, change);
		sqlite3_step(update);
	}
	sqlite3_finalize(update);
	sqlite3_finalize(find);
}

static void change_values(const uint8_t *data, size_t size)
{
	struct store *store;
	sqlite3 *sql;

	remove_files();
	if (store_open(db, &store, NULL) < 0)
		return;
	write_one_end(store);
	write_run(store);
	store_close(store, NULL);
	sqlite3_open(db, &sql);
	sqlite3_exec(sql, "PRAGMA ignore_check_constraints = ON; BEGIN", NULL, NULL,
		     NULL);
	for (size_t i = 0; i + sizeof(struct change) <= size;
	     i += sizeof(struct change)) {
		struct change change;

		memcpy(&change, data + i, sizeof(change));
		change_value(sql, &change);
	}
	sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(sql);
}

static void make_database(const uint8_t *data, size_t size)
{
	const size_t head = strlen(VALUES);

	if (size >= head && memcmp(data, VALUES, head) == 0)
		change_values(data + head, size - head);
	else
		write_database(data, size);
}

/* --- output --- */

/* The output is a script for psql, whose columns tabs separate. */
static bool has_tabs;

static void check_text(const char *text, size_t size)
{
	if (strlen(text) != size)
		abort();
	for (; *text; text++) {
		if (*text != '\n' && !(has_tabs && *text == '\t') && text_control(text))
			abort();
	}
}

static void check_err(const struct err *err)
{
	check_text(err->text, strlen(err->text));
}

/* Check a picture or a page that was written. */
static void check_file(const char *path)
{
	cleanup_free char *text = NULL;
	cleanup_file FILE *file = fopen(path, "rb");
	size_t size;

	if (file && io_read_file(fileno(file), 64 << 20, &text, &size) == 0)
		check_text(text, size);
	unlink(path);
}

/* --- commands --- */

#define ARGUMENTS_MAX 6

/* Pictures take a hundred times as long as the rest: they are made of every n-th
 * input. */
enum effort {
	ALWAYS = 1,
	SOMETIMES = 4,
	SELDOM = 64,
};

struct line {
	const struct read_command *command;
	const char *argument[ARGUMENTS_MAX];
	enum effort effort;
};

static const struct line lines[] = {
	{&read_runs, {NULL}, ALWAYS},
	{&read_runs, {"--json"}, ALWAYS},
	{&read_show, {NULL}, ALWAYS},
	{&read_show, {"--json"}, ALWAYS},
	{&read_show, {"--run", "1"}, ALWAYS},
	{&read_best, {NULL}, ALWAYS},
	{&read_best, {"--by", "down", "--json"}, ALWAYS},
	{&read_explain, {"--pair", "1420,1400"}, ALWAYS},
	{&read_explain, {"--pair", "1280,9000", "--json"}, ALWAYS},
	{&read_best, {"1"}, ALWAYS},
	{&read_explain, {"1"}, ALWAYS},
	{&read_explain, {"--json", "1"}, ALWAYS},
	{&read_heatmap, {"1"}, ALWAYS},
	{&read_export, {"--format", "json", "--run", "1"}, ALWAYS},
	{&read_heatmap, {NULL}, ALWAYS},
	{&read_heatmap, {"--all", "--average"}, ALWAYS},
	{&read_heatmap, {"--all", "--json"}, SOMETIMES},
	{&read_heatmap, {"-o", picture[0]}, SOMETIMES},
	{&read_heatmap, {"-o", picture[1]}, SELDOM},
	{&read_compare, {"1", "2"}, ALWAYS},
	{&read_compare, {"1", "1", "--json"}, ALWAYS},
	{&read_export, {"--format", "csv"}, ALWAYS},
	{&read_export, {"--format", "json"}, ALWAYS},
	{&read_export, {"--format", "prometheus"}, ALWAYS},
	{&read_best, {"--as", "networkd", "--end", "peer"}, ALWAYS},
	{&read_best, {"--as", "wg-quick", "--end", "server", "1"}, ALWAYS},
	{&read_export, {"--format", "postgres", "--all"}, ALWAYS},
	{&read_history, {NULL}, ALWAYS},
	{&read_history, {"--json"}, ALWAYS},
	{&read_share, {"-o", picture[0], "1"}, SOMETIMES},
};

static size_t size_of(enum option_kind kind)
{
	switch (kind) {
	case OPTION_FLAG:
	case OPTION_BOOL:
		return sizeof(bool);
	case OPTION_INT:
	case OPTION_CHOICE:
		return sizeof(int);
	case OPTION_U64:
	case OPTION_SECONDS:
		return sizeof(uint64_t);
	case OPTION_PAIR:
	case OPTION_PAIR_OPEN:
		return sizeof(struct mtu_pair);
	case OPTION_LIST:
		return sizeof(struct option_list);
	case OPTION_STRING:
	case OPTION_OPTIONAL:
		break;
	}
	return sizeof(const char *);
}

/* The commands' initial option values: all 0. */
static void reset_options(const struct option_spec *table)
{
	for (; table; table = table->more) {
		for (; table->name; table++) {
			memset(table->into, 0, size_of(table->kind));
			if (table->seen)
				*table->seen = false;
		}
	}
	read_given.db = db;
}

static void parse_line(const struct line *line)
{
	/* The library moves the words; each word is unchanged. */
	static char *argv[ARGUMENTS_MAX + 2];
	struct err err = ERR_INIT;
	int positional;
	int argc = 0;

	reset_options(line->command->options);
	argv[argc++] = (char *)line->command->name;
	for (int i = 0; i < ARGUMENTS_MAX && line->argument[i]; i++)
		argv[argc++] = (char *)line->argument[i];
	if (options_parse(line->command->options, argc, argv, &positional, &err) < 0 ||
	    (line->command->check && line->command->check(&err) < 0)) {
		fprintf(stderr, "%s: %s\n", line->command->name, err.text);
		abort();
	}
	for (int i = 0; i < positional; i++)
		read_given.argument[i] = argv[1 + i];
}

static void run_line(struct query *query, const struct line *line)
{
	cleanup_free char *text = NULL;
	FILE *standard = stdout;
	struct err err = ERR_INIT;
	size_t size;

	parse_line(line);
	stdout = open_memstream(&text, &size);
	if (stdout) {
		if (line->command->run(query, &err) < 0 && !err.text[0])
			abort();
		fclose(stdout);
		has_tabs = line->argument[1] &&
			   strcmp(line->argument[1], "postgres") == 0;
		check_text(text, size);
		has_tabs = false;
	}
	stdout = standard;
	check_err(&err);
	check_file(picture[0]);
	unlink(picture[1]);
}

static int keep_small(void *ctx, const struct query_run *run)
{
	int server = mtu_range_count(&run->info.server_range);
	int peer = mtu_range_count(&run->info.peer_range);
	bool *small = ctx;

	if ((int64_t)server * peer > CELLS_MAX || run->measured > CELLS_MAX / 4)
		*small = false;
	return 0;
}

/* Run the commands whose turn it is: all of them if `turn` is 0. */
static void run_commands(unsigned int turn)
{
	struct err err = ERR_INIT;
	struct query *query;
	bool small = true;

	if (query_open(db, &query, &err) < 0) {
		check_err(&err);
		return;
	}
	query_runs(query, keep_small, &small, NULL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (turn % lines[i].effort == 0 && (small || lines[i].effort == ALWAYS))
			run_line(query, &lines[i]);
	}
	query_close(query);
}

/* --- the page, and a run that continues --- */

static void look_live(void)
{
	const struct page_ask ask = {.pair = {1420, 1400}, .near = true};
	struct live_page page = {.choose = true};
	struct err err = ERR_INIT;
	char *json = NULL;

	if (live_new(db, &page.live, &err) < 0)
		return;
	if (live_page_progress(&page, &ask, NULL, &json, &err) == 0)
		check_text(json, strlen(json));
	free(json);
	json = NULL;
	if (live_page_runs(&page, &json, &err) == 0)
		check_text(json, strlen(json));
	free(json);
	check_err(&err);
	live_free(page.live);
}

static void load_sweep(void)
{
	const struct resume_wish wish = {.db = db, .options = "{}"};
	const struct apply_wish apply = {.db = db};
	struct resumed resumed;
	struct applied applied;
	struct err err = ERR_INIT;

	if (resume_load(&wish, &resumed, &err) < 0)
		check_err(&err);
	resume_release(&resumed);
	if (apply_load(&apply, &applied, &err) < 0)
		check_err(&err);
}

static void go_on(void)
{
	struct err err = ERR_INIT;
	struct store *store;

	if (store_open(db, &store, &err) < 0) {
		check_err(&err);
		return;
	}
	write_one_end(store);
	write_run(store);
	store_close(store, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int turn = 0;

	for (size_t i = 0; i < size; i++)
		turn = turn * 31 + data[i];
	make_folder();
	make_database(data, size);
	run_commands(turn);
	look_live();
	load_sweep();
	go_on();
	return 0;
}
