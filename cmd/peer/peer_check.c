/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/host/progress.h"
#include "engine/pathmodel.h"

/* A line of a plug-in has one of these words, and its performance data after a '|'. */
#define LINE_SIZE 800

static const char *status_word(enum program_status status)
{
	switch (status) {
	case PROGRAM_DONE:
		return "OK";
	case PROGRAM_MISFIT:
		return "CRITICAL";
	case PROGRAM_FAILED:
	case PROGRAM_USAGE:
	case PROGRAM_CHANGED:
		break;
	}
	return "UNKNOWN";
}

/* --- the judgement --- */

/* The largest MTU whose packets all arrive whole; 0: none does. */
static int fitting_mtu(const struct path *path, enum direction dir)
{
	int mtu = path_bands_whole_max(&path->dir[dir]) - path->overhead[dir];

	return mtu < MTU_MIN ? 0 : mtu;
}

/* Find the worst that happens to packets of up to the sender's MTU, and to which sizes:
 * what is known to be bad counts before what is unknown. */
static enum fate worst_fate(const struct path *path, const struct mtu_pair *current,
			    enum direction dir, int ret_sizes[2])
{
	static const enum fate order[] = {FATE_LOST, FATE_FRAGMENTED, FATE_UNKNOWN};
	bool all;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (pathmodel_sizes(path, current, dir, order[i], ret_sizes, &all))
			return order[i];
	}
	return FATE_WHOLE;
}

/* The fate of one direction's packets, unless they arrive whole. */
static enum fate judge_direction(const struct path *path,
				 const struct bandfind_sometimes *sometimes,
				 const struct mtu_pair *current, enum direction dir,
				 char *ret, size_t size)
{
	int sizes[2];
	enum fate fate = worst_fate(path, current, dir, sizes);
	const char *phrase = fate == FATE_LOST && sometimes[dir].low
				     ? "are lost, or pass only sometimes"
				     : fate_phrase(fate, false);

	if (fate == FATE_WHOLE)
		return fate;
	if (sizes[0] == sizes[1])
		snprintf(ret, size, "%s packets of %d bytes %s", direction_name(dir),
			 sizes[0], phrase);
	else
		snprintf(ret, size, "%s packets of %d to %d bytes %s",
			 direction_name(dir), sizes[0], sizes[1], phrase);
	return fate;
}

static enum program_status status_of(enum fate fate)
{
	switch (fate) {
	case FATE_WHOLE:
		return PROGRAM_DONE;
	case FATE_FRAGMENTED:
	case FATE_LOST:
		return PROGRAM_MISFIT;
	case FATE_UNKNOWN:
	case FATE_COUNT:
		break;
	}
	return PROGRAM_FAILED;
}

static enum program_status worse_status(enum program_status a, enum program_status b)
{
	if (a == PROGRAM_MISFIT || b == PROGRAM_MISFIT)
		return PROGRAM_MISFIT;
	return a == PROGRAM_FAILED || b == PROGRAM_FAILED ? PROGRAM_FAILED
							  : PROGRAM_DONE;
}

static const char *status_phrase(enum program_status status, bool doubted)
{
	switch (status) {
	case PROGRAM_DONE:
		return doubted ? "arrives, and fragments cannot be told from whole "
				 "packets"
			       : "fits whole";
	case PROGRAM_MISFIT:
		return "does not fit";
	case PROGRAM_FAILED:
	case PROGRAM_USAGE:
	case PROGRAM_CHANGED:
		break;
	}
	return "cannot be judged";
}

static void judge_known(const struct path *path,
			const struct bandfind_sometimes *sometimes,
			struct peer_check *ret)
{
	bool doubted = path_is_doubted(path, DIR_UPLOAD) ||
		       path_is_doubted(path, DIR_DOWNLOAD);
	char why[DIR_COUNT][96] = {{0}};

	ret->status = PROGRAM_DONE;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		enum fate fate = judge_direction(path, sometimes, &ret->current,
						 (enum direction)dir, why[dir],
						 sizeof(why[dir]));

		ret->status = worse_status(ret->status, status_of(fate));
	}
	snprintf(ret->text, sizeof(ret->text),
		 "current pair: server MTU %d, peer MTU %d: %s%s%s%s%s",
		 ret->current.server, ret->current.peer,
		 status_phrase(ret->status, doubted),
		 why[DIR_UPLOAD][0] || why[DIR_DOWNLOAD][0] ? ": " : "",
		 why[DIR_UPLOAD],
		 why[DIR_UPLOAD][0] && why[DIR_DOWNLOAD][0] ? ", " : "",
		 why[DIR_DOWNLOAD]);
}

void peer_check_pair(const struct path *path,
		     const struct bandfind_sometimes sometimes[DIR_COUNT],
		     const struct mtu_pair *current, struct peer_check *ret)
{
	*ret = (struct peer_check){
		.current = *current,
		.largest = {.server = fitting_mtu(path, DIR_DOWNLOAD),
			    .peer = fitting_mtu(path, DIR_UPLOAD)},
		.status = PROGRAM_FAILED,
	};
	if (current->server && current->peer)
		judge_known(path, sometimes, ret);
	else
		snprintf(ret->text, sizeof(ret->text),
			 "the current pair cannot be judged: the %s does not tell its "
			 "MTU",
			 current->server ? "peer" : "server");
}

/* --- the line --- */

/* The rest of the line after the sentence: what would fit. */
static void name_largest(const struct peer_check *check, char *ret, size_t size)
{
	const struct mtu_pair *largest = &check->largest;

	if (!largest->server || !largest->peer)
		snprintf(ret, size, "no pair fits whole");
	else if (largest->server == check->current.server &&
		 largest->peer == check->current.peer)
		snprintf(ret, size, "no larger pair does");
	else
		snprintf(ret, size, "largest that fits: server MTU %d, peer MTU %d",
			 largest->server, largest->peer);
}

void peer_check_line(const struct peer_check *check, int64_t took_ms, char *ret,
		     size_t size)
{
	char largest[80];

	name_largest(check, largest, sizeof(largest));
	snprintf(ret, size,
		 "MTU %s - %s; %s | server_mtu=%d peer_mtu=%d server_fits=%d "
		 "peer_fits=%d probe=%" PRId64 "ms\n",
		 status_word(check->status), check->text, largest,
		 check->current.server, check->current.peer, check->largest.server,
		 check->largest.peer, took_ms);
}

int peer_check_print(const struct peer_check *check, int64_t took_ms)
{
	char line[LINE_SIZE];

	peer_check_line(check, took_ms, line, sizeof(line));
	return progress_print(line);
}

/* One line: whatever begins performance data, or another line, is replaced. */
void peer_check_failed(const char *why)
{
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "MTU %s - %.700s", status_word(PROGRAM_FAILED),
		 why);
	for (char *c = line; *c; c++) {
		if (*c == '|')
			*c = '/';
		else if ((unsigned char)*c < ' ')
			*c = ' ';
	}
	snprintf(line + strlen(line), 2, "\n");
	progress_print(line);
}
