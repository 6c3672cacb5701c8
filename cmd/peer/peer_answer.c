/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/io.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/run/conclude.h"
#include "report/runjson.h"
#include "store/query.h"

int peer_print(const struct peer *peer, const char *text)
{
	return peer->config->json ? 0 : progress_print(text);
}

static void print_probes(FILE *out, const struct peer_findings *findings)
{
	const struct path_survey *survey = &findings->survey;

	fprintf(out, "probes: %d size%s up, %d down, %d round%s, %" PRId64 " ms\n",
		survey->probes[DIR_UPLOAD], text_plural(survey->probes[DIR_UPLOAD]),
		survey->probes[DIR_DOWNLOAD], findings->rounds,
		text_plural(findings->rounds), survey->probe_ms);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (findings->counters[dir])
			fprintf(out,
				"the %s was judged by the kernel's counters, because "
				"outer packets cannot be captured\n",
				direction_name((enum direction)dir));
	}
}

/* No tests follow. */
static int print_result(struct peer *peer, struct err *err)
{
	cleanup_free char *answer = NULL;
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out;
	int r = evidence_text(&peer->predicted, &answer, err);

	if (r < 0)
		return r;
	out = open_memstream(&text, &size);
	if (out) {
		fprintf(out, "%s%s\n", answer, peer->check.text);
		print_probes(out, &peer->findings);
	}
	if (!out || fclose(out) == EOF)
		return err_set(err, -ENOMEM, "out of memory");
	peer->printed = peer_print(peer, text);
	return 0;
}

static int print_prediction(const struct peer *peer, struct err *err)
{
	cleanup_free char *text = NULL;
	int r;

	if (!peer->predicted.mtu.server)
		return 0;
	r = evidence_prediction_text(&peer->predicted, &text, err);
	/* The database has it too, so do not wait for a reader that does not read. */
	if (r == 0)
		peer_print(peer, text);
	return r;
}

static void check_current(struct peer *peer)
{
	const struct run_info *run = &peer->run.info;
	const struct mtu_pair current = {run->server.link_mtu, run->peer.link_mtu};

	peer_check_pair(&peer->findings.survey.path, peer->findings.sometimes, &current,
			&peer->check);
}

static int predict(struct peer *peer, struct err *err)
{
	return conclude_path(&peer->run.info, &peer->findings.survey,
			     peer->config->margin, &peer->predicted, err);
}

int peer_answer_again(struct peer *peer, struct err *err)
{
	int r = predict(peer, err);

	return r < 0 ? r : print_prediction(peer, err);
}

int peer_answer(struct peer *peer, struct err *err)
{
	const struct peer_config *config = peer->config;
	const struct path_survey *survey = &peer->findings.survey;
	int r;

	if (!peer_survey_wanted(config) || config->resume)
		return 0;
	if (!config->strategy->make_plan)
		check_current(peer);
	if (config->check) {
		if (peer->check.status != PROGRAM_FAILED)
			peer->printed =
				peer_check_print(&peer->check, survey->probe_ms);
		return 0;
	}
	r = predict(peer, err);
	if (r < 0)
		return r;
	return config->strategy->make_plan ? print_prediction(peer, err)
					   : print_result(peer, err);
}

int peer_answer_status(const struct peer *peer, struct err *err)
{
	const struct peer_run *run = &peer->run;
	const char *why = peer->printed == -EAGAIN ? "nobody reads it"
						   : err_reason(-peer->printed);

	if (peer->printed < 0 && !run->id)
		return err_set(err, -EIO,
			       "cannot write the result of the probe to standard "
			       "output (%s), and it is stored nowhere: probe again",
			       why);
	if (peer->printed < 0)
		return err_set(err, -EIO,
			       "cannot write the result of the probe to standard "
			       "output (%s): 'mtusweep show %lld' prints it from '%s'",
			       why, (long long)run->id, run->db);
	if (peer->check.status == PROGRAM_FAILED)
		return err_set(err, -ENODATA, "%s", peer->check.text);
	return (int)peer->check.status;
}

int peer_answer_json(const struct peer *peer, struct err *err)
{
	cleanup_free char *text = NULL;
	int r = runjson_text(peer->run.db, peer->run.id, &text, err);

	return r < 0 ? r : progress_print_run(text, peer->run.id, peer->run.db, err);
}
