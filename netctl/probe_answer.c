/* SPDX-License-Identifier: MIT */
/* The server's half of the exchange of probes. */
#include "netctl/probe_answer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/thread.h"

/* The pause between GO and copies that the counters judge: GO must be read first. */
#define APART_US 2000

struct probe_answer {
	struct probehost host;
	int stop_fd; /* eventfd */
	pthread_t thread;
	/* State of the current round. */
	struct probemsg go;
	bool sent;     /* this end's probes were sent */
	bool reported; /* the report was sent at least once */
	struct probemsg report;
};

static void begin_round(struct probe_answer *a, int round)
{
	a->sent = false;
	a->reported = false;
	probehost_begin(&a->host, round);
}

static int send_end(struct probe_answer *a)
{
	struct probemsg end = {.kind = PROBEMSG_END, .round = a->host.round};

	return probehost_send(&a->host, &end);
}

static int send_burst(struct probe_answer *a)
{
	const struct probemsg_list *list = &a->go.list[DIR_DOWNLOAD];
	struct timespec apart = {.tv_nsec = APART_US * 1000};
	int r;

	if (list->count && list->copies > 1)
		nanosleep(&apart, NULL);
	r = probehost_send_probes(&a->host, list, a->host.round, NULL);
	a->sent = true;
	return r < 0 ? r : send_end(a);
}

/* Wait for probes that END may have overtaken. */
static int await_missing(struct probe_answer *a)
{
	struct probemsg m;
	int r = 1;

	while (r > 0 && !probehost_has_all(&a->host, &a->go.list[DIR_UPLOAD])) {
		r = probehost_receive(&a->host, probeorder_deadline_us(&a->host.order),
				      &m);
		if (r > 0 && m.kind == PROBEMSG_PROBE)
			probehost_note(&a->host, &m);
	}
	return r < 0 ? r : 0;
}

/* Judge a round once: later packets must not change a report that was sent. */
static int send_report(struct probe_answer *a)
{
	int r = a->reported ? 0 : await_missing(a);

	if (r < 0)
		return r;
	if (!a->reported) {
		a->report = (struct probemsg){
			.kind = PROBEMSG_REPORT,
			.round = a->host.round,
			.outer_mtu = probehost_outer_mtu(&a->host),
		};
		a->report.list[0] = a->go.list[DIR_UPLOAD];
		probehost_judge(&a->host, &a->report.list[0], a->report.fates,
				a->report.arrived, &a->report.late);
		a->report.unseen = a->host.facts.unseen;
	} else if (send_end(a) < 0) {
		return 0;
	}
	a->reported = true;
	probehost_send(&a->host, &a->report);
	return 0;
}

static int take_message(struct probe_answer *a, const struct probemsg *m)
{
	int r = 0;

	if (m->kind == PROBEMSG_REPORT)
		return 0;
	if (m->round > a->host.round)
		begin_round(a, m->round);
	if (m->kind == PROBEMSG_PROBE)
		probehost_note(&a->host, m);
	if (m->round < a->host.round)
		return 0;
	if (m->kind == PROBEMSG_BYE)
		return -ESHUTDOWN;
	if (m->kind != PROBEMSG_GO && m->kind != PROBEMSG_END)
		return 0;
	a->go = *m;
	if (m->kind == PROBEMSG_END)
		probeorder_ended(&a->host.order, clock_boot_us());
	if (!a->sent)
		r = send_burst(a);
	if (r == 0 && m->kind == PROBEMSG_END)
		r = send_report(a);
	return r;
}

static void *serve_probes(void *ctx)
{
	struct probe_answer *a = ctx;
	int64_t silence_ms = a->host.config.lease_ms;
	struct probemsg m;
	int r;

	if (silence_ms < PROBE_ANSWER_SILENCE_MS)
		silence_ms = PROBE_ANSWER_SILENCE_MS;
	do {
		r = probehost_receive(&a->host, clock_boot_us() + silence_ms * 1000,
				      &m);
		if (r > 0 && take_message(a, &m) < 0)
			r = 0;
	} while (r > 0);
	/* If the restore fails, the guard itself retries it. */
	guard_end_probe(a->host.config.guard, NULL);
	return NULL;
}

static void release_answer(struct probe_answer *a)
{
	probehost_close(&a->host);
	fd_close(&a->stop_fd);
	free(a);
}

static int prepare_answer(struct probe_answer *a, const struct probehost_config *config,
			  int remote_port, struct err *err)
{
	struct probehost_config own = *config;
	int r;

	a->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->stop_fd < 0)
		return err_sys(err, errno, "cannot make an eventfd");
	own.stop_fd = a->stop_fd;
	r = probehost_open(&own, &a->host, err);
	if (r < 0)
		return r;
	r = probehost_set_up(&a->host, remote_port, err);
	if (r == 0) {
		r = thread_start(&a->thread, 0, serve_probes, a);
		if (r < 0)
			err_sys(err, -r, "cannot start a thread for probes");
	}
	if (r < 0)
		guard_end_probe(config->guard, NULL);
	return r;
}

int probe_answer_start(const struct probehost_config *config, int remote_port,
		       struct probe_answer **ret, struct probehost_facts *ret_facts,
		       struct err *err)
{
	struct probe_answer *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return err_set(err, -ENOMEM, "out of memory");
	a->host = PROBEHOST_INIT;
	r = prepare_answer(a, config, remote_port, err);
	if (r < 0) {
		release_answer(a);
		return r;
	}
	*ret_facts = a->host.facts;
	*ret = a;
	return 0;
}

void probe_answer_stop(struct probe_answer *answer)
{
	uint64_t one = 1;

	if (!answer)
		return;
	if (write(answer->stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(answer->thread, NULL);
	release_answer(answer);
}
