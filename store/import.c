/* SPDX-License-Identifier: MIT */
/* The import of a log as a run. */
#include "store/import.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/random.h"
#include "base/text.h"
#include "store/row.h"
#include "store/store.h"

/* A million lines take about 50 MB. */
#define FILE_LIMIT (256 << 20)

struct import {
	const char *file;
	int64_t written_at_ms;
	struct csv_log log;
	struct store *store;
	int64_t run;
};

int import_read(const char *file, struct csv_log *ret, int64_t *ret_written_at_ms,
		struct err *err)
{
	cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	struct err why = ERR_INIT;
	struct stat st;
	size_t size;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", file);
	r = io_read_file(fd, FILE_LIMIT, &text, &size);
	if (r == -EFBIG)
		return err_set(err, r, "cannot read '%s': it has more than %d bytes",
			       file, FILE_LIMIT);
	if (r < 0)
		return err_sys(err, -r, "cannot read '%s'", file);
	r = csvread_parse(text, size, ret, &why);
	if (r < 0)
		return err_set(err, r, "nothing imported: '%s', %s", file, why.text);
	if (!ret->count)
		return err_set(
			err, -ENODATA,
			"nothing imported: '%s' has no whole line below its header",
			file);
	*ret_written_at_ms =
		(int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return 0;
}

static void describe_run(const struct import *in, struct run_info *ret)
{
	*ret = (struct run_info){.started_at_ms = in->written_at_ms};
	uuid_make(ret->uuid);
	text_copy(ret->strategy, sizeof(ret->strategy), STRATEGY_IMPORTED);
	csvread_ranges(&in->log, &ret->server_range, &ret->peer_range);
	for (size_t i = 0; i < in->log.count; i++) {
		if (in->log.m[i].pass > ret->passes)
			ret->passes = in->log.m[i].pass;
	}
}

static int begin_run(struct import *in, struct err *err)
{
	json_t *object = json_pack("{so}", "file", row_text_json(in->file));
	cleanup_free char *options = object ? json_dumps(object, 0) : NULL;
	struct run_info info;

	json_decref(object);
	if (!options)
		return err_set(err, -ENOMEM, "out of memory");
	describe_run(in, &info);
	return store_begin_record(in->store, &info, options, &in->run, err);
}

static int warn_imported(struct import *in, struct err *err)
{
	struct warning w = {.kind = WARNING_IMPORTED, .detail = in->file};

	return store_warn(in->store, in->run, &w, err);
}

static int end_run(struct import *in, struct err *err)
{
	enum run_outcome outcome = RUN_DONE;
	char text[96] = "";

	if (in->log.cut_line) {
		outcome = RUN_INTERRUPTED;
		snprintf(text, sizeof(text),
			 "the log's last line, %zu, is half written and left out",
			 in->log.cut_line);
	}
	return store_end_run_at(in->store, in->run, in->written_at_ms, outcome, text,
				err);
}

static int write_all(void *ctx, struct err *err)
{
	struct import *in = ctx;
	int r = begin_run(in, err);

	if (r == 0)
		r = warn_imported(in, err);
	for (size_t i = 0; r == 0 && i < in->log.count; i++)
		r = store_record(in->store, in->run, &in->log.m[i], err);
	return r < 0 ? r : end_run(in, err);
}

static void sum_up(const struct import *in, struct import_result *ret)
{
	*ret = (struct import_result){
		.run = in->run,
		.visits = (int)in->log.count,
		.cut_line = (int)in->log.cut_line,
	};
	for (size_t i = 0; i < in->log.count; i++)
		ret->failed += measurement_status(&in->log.m[i]) != TEST_OK;
}

static int write_run(struct import *in, const char *db, struct import_result *ret,
		     struct err *err)
{
	int r = store_open(db, &in->store, err);

	if (r < 0)
		return r;
	r = store_transact(in->store, write_all, in, err);
	if (r < 0) {
		store_close(in->store, NULL);
		return r;
	}
	sum_up(in, ret);
	r = store_close(in->store, err);
	/* A program that writes a sweep into the database checkpoints it at its own
	 * end. */
	return r == -EBUSY ? 0 : r;
}

int import_csv(const char *file, const char *db, struct import_result *ret,
	       struct err *err)
{
	struct import in = {.file = file};
	int r = import_read(file, &in.log, &in.written_at_ms, err);

	if (r == 0)
		r = write_run(&in, db, ret, err);
	csvread_release(&in.log);
	return r;
}
