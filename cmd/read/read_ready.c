/* SPDX-License-Identifier: MIT */
#include "cmd/read/read_ready.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/one_end_tests.h"
#include "report/ready.h"

enum ready_end {
	READY_SERVER,
	READY_PEER,
};

static int as;
static bool as_given;
static int end = READY_PEER;
static bool end_given;
static const char *interface;

/* In the order of enum ready_end. */
static const char *const end_names[] = {"server", "peer", NULL};

const struct option_spec read_ready_options[] = {
	{.name = "as",
	 .kind = OPTION_CHOICE,
	 .into = &as,
	 .seen = &as_given,
	 .choices = ready_names,
	 .help = "print text that sets the recommended MTU of one\n"
		 "end on such a system; nft and iptables clamp the\n"
		 "MSS of TCP instead"},
	{.name = "end",
	 .kind = OPTION_CHOICE,
	 .into = &end,
	 .seen = &end_given,
	 .choices = end_names,
	 .help = "the end that the text of --as is for (default\n"
		 "peer)"},
	{.name = "interface",
	 .value = "NAME",
	 .kind = OPTION_STRING,
	 .into = &interface,
	 .help = "the interface's name in the text of --as\n"
		 "(default: the run's, or wg0 if unknown)"},
	{.name = NULL, .more = read_json_result_options},
};

bool read_ready_asked(void)
{
	return as_given;
}

int read_ready_check(struct err *err)
{
	if (!as_given && (end_given || interface))
		return err_set(err, -EINVAL, "--%s needs --as: it is about its text",
			       end_given ? "end" : "interface");
	if (as_given && read_given.json)
		return err_set(err, -EINVAL,
			       "--as and --json exclude each other: give one of them");
	return 0;
}

static const char *why_no_pair(const struct query_run *run)
{
	if (strcmp(run->info.strategy, STRATEGY_APPLY) == 0)
		return "it applied the pair of another run";
	if (strcmp(run->info.strategy, "imported") == 0)
		return "it is a log, which says nothing of the path";
	if (run->outcome == RUN_RUNNING)
		return "it has not ended";
	if (run->outcome != RUN_DONE)
		return "it ended early";
	return "it stored none";
}

/* -ENODATA: the run recommends no pair, or one whose packets are lost. */
static int find_pair(struct query *query, const struct query_run *run,
		     struct evidence *ret, struct err *err)
{
	struct query_recommendation found = {0};
	char words[PAIR_WORDS_SIZE];
	int r = query_recommended(query, run->id, &found, err);

	if (r == -ENODATA)
		return err_set(err, r, "run %lld recommends no pair: %s",
			       (long long)run->id, why_no_pair(run));
	if (r < 0)
		return r;
	free(found.text);
	*ret = found.evidence;
	if (ret->reason.kind == REASON_NONE_ARRIVES ||
	    (!ret->mtu.server && !ret->mtu.peer))
		return err_set(err, -ENODATA, "run %lld has no MTU to set: %s",
			       (long long)run->id, reason_sentence(ret->reason.kind));
	if (one_end_is_contradicted(ret))
		return err_set(err, -ENODATA,
			       "run %lld has no MTU to set: tests contradict the "
			       "probes, by which %s fits",
			       (long long)run->id, mtu_pair_words(&ret->mtu, words));
	return 0;
}

/* The number of peers of this end's interface, if the run found it to be a hub's. */
static int note_hub(void *ctx, const struct query_warning *w)
{
	struct ready *ready = ctx;

	if ((w->facts.kind == WARNING_HUB_ROUTES ||
	     w->facts.kind == WARNING_HUB_LINK) &&
	    strcmp(warning_end_name(w->facts.at_end), ready->end) == 0)
		ready->peers = (int)w->facts.value;
	return 0;
}

static int check_name(const char *name, struct err *err)
{
	if (ready_takes_name((enum ready_format)as, name))
		return 0;
	if (as == READY_UCI && ready_takes_name(READY_WG_QUICK, name))
		return err_set(err, -EINVAL,
			       "OpenWrt has no section named '%s': name that of the "
			       "tunnel with --interface, in letters, digits and '_'",
			       name);
	return err_set(
		err, -EINVAL,
		"the interface's name '%s' cannot be written in such text: name "
		"another with --interface, of up to 32 letters, digits and '_.=-'",
		name);
}

static const char *choose_name(const struct end_facts *facts)
{
	if (interface)
		return interface;
	return facts->interface[0] ? facts->interface : "wg0";
}

/* The far end has the largest MTU that is known to fit; the MSS fits both ways. */
static void use_one_end(const struct evidence *e, enum direction sends,
			struct ready *ready)
{
	if (sends != e->one_end.own) {
		ready->mtu = e->one_end.far_mtu;
		ready->proof = e->one_end.far_is_limit
				       ? "known to fit, and a larger one may; leave "
					 "one that works"
				       : "the largest that the other end alone knows "
					 "to fit";
	}
	ready->far_mtu = one_end_clamp_mtu(&e->one_end);
}

int read_ready_print(struct query *query, const struct query_run *run, struct err *err)
{
	enum direction sends = end == READY_SERVER ? DIR_DOWNLOAD : DIR_UPLOAD;
	const struct end_facts *facts = end == READY_SERVER ? &run->info.server
							    : &run->info.peer;
	struct ready ready = {
		.run = run->id,
		.end = end_names[end],
		.host = facts->host,
		.interface = choose_name(facts),
	};
	struct evidence e;
	int r = find_pair(query, run, &e, err);

	if (r == 0)
		r = check_name(ready.interface, err);
	if (r == 0)
		r = query_warnings(query, run->id, "run", note_hub, &ready, err);
	if (r < 0)
		return r;
	ready.mtu = mtu_pair_sender(&e.mtu, sends);
	ready.far_mtu = mtu_pair_sender(&e.mtu, direction_back(sends));
	ready.proof = evidence_proof(&e, false);
	if (e.one_ended)
		use_one_end(&e, sends, &ready);
	if (!ready.mtu)
		return err_set(err, -ENODATA, "run %lld recommends no MTU for the %s",
			       (long long)run->id, ready.end);
	ready_print(stdout, (enum ready_format)as, &ready);
	return 0;
}
