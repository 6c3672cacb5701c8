/* SPDX-License-Identifier: MIT */
/* One libiperf test, in a process of its own. */
#include "engine/iperf_test.h"

/* iperf_api.h uses the integer types but does not include this header. */
#include <stdint.h>

/* From 3.17 on iperf_api.h looks for a word of its own configure, and warns without it. The
 * type that it declares is of the same size either way. */
#define HAVE_STDATOMIC_H 1

#include <errno.h>
#include <getopt.h>
#include <iperf_api.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/leave.h"
#include "base/text.h"
#include "base/thread.h"
#include "engine/callfilter.h"
#include "engine/idle.h"
#include "engine/report.h"
#include "engine/tcp.h"
#include "engine/watch.h"

#define RETRY_MIN_MS 5
#define RETRY_MAX_MS 50
#define ARGS_MAX     20
/* From 3.16 on libiperf moves the data in a thread of its own and counts it only by whole
 * blocks, of 128 KiB unless told otherwise. A test cannot end before the first, which on a
 * slow path takes longer than the test. This one fits into the send buffer of a new
 * connection (tcp(7), tcp_wmem). The client's libiperf tells the server. */
#define BLOCK "--length=16K"
/* The peer connects as soon as it knows that the test listens. */
#define CALLER_PATIENCE_MS 500
/* The result of iperf_run_server() when it cannot listen. */
#define SERVER_NOT_STARTED (-2)

struct run {
	const struct test_spec *spec;
	int report_fd;
	int go_fd; /* readable once a held test is released */
	int64_t began_at_ms;
	int64_t began_ms;
	int64_t deadline_ms;
	pthread_t thread;
	struct iperf_test *test;
	/* shortage on this host that made the client's test fail; or 0 */
	int shortage;
	struct idle_figures idle; /* client: before the test's data */
	pthread_t idle_thread;
	bool idle_beside;   /* that thread measures it during the setup */
	int64_t stalled_ms; /* client: the longest pause in the flow of data */
	bool busy;          /* client: the server has refused it for another test */
};

static void end_process(const struct run *run, int code,
			const struct dir_result *result) __attribute__((noreturn));

static void end_process(const struct run *run, int code,
			const struct dir_result *result)
{
	struct test_report report;

	memset(&report, 0, sizeof(report));
	report.code = code;
	report.stalled_ms = run->stalled_ms;
	report.result = *result;
	if (report.result.started_at_ms == 0)
		report.result.started_at_ms = run->began_at_ms;
	/* Send the report first, so that this end knows the reason when the other end
	 * asks. */
	io_write_all(run->report_fd, &report, sizeof(report));
	tcp_reset_all();
	leave_process(0);
}

/* Hooks of the watcher, in its thread. */

static int hook_control(void *ctx)
{
	const struct run *run = ctx;
	int fd = iperf_get_control_socket(run->test);

	callfilter_meet();
	return fd;
}

static void hook_finish(void *ctx)
{
	const struct run *run = ctx;

	iperf_set_test_bytes(run->test, 1);
	/* libiperf sees the flag when its select() returns: perhaps never while the path
	 * is stalled, or, from 3.16 on, at the next message of the other end. */
	pthread_kill(run->thread, SIGUSR1);
}

static void hook_armed(void *ctx)
{
	const struct run *run = ctx;
	struct test_report report;

	memset(&report, 0, sizeof(report));
	report.armed = true;
	io_write_all(run->report_fd, &report, sizeof(report));
}

static void hook_flowing(void *ctx)
{
	const struct run *run = ctx;
	struct test_report report;

	if (!run->spec->followed || (run->spec->role == ROLE_SERVER &&
				     !callfilter_end_listening(run->spec->port)))
		return;
	memset(&report, 0, sizeof(report));
	report.flowing = true;
	io_write_all(run->report_fd, &report, sizeof(report));
}

static bool hook_released(void *ctx)
{
	const struct run *run = ctx;
	struct pollfd go = {.fd = run->go_fd, .events = POLLIN};

	return poll(&go, 1, 0) > 0;
}

static void hook_give_up(void *ctx, int code, const struct dir_result *result)
	__attribute__((noreturn));

static void hook_give_up(void *ctx, int code, const struct dir_result *result)
{
	end_process(ctx, code, result);
}

static void on_terminate(int sig)
{
	(void)sig;
	tcp_reset_all();
	_exit(0);
}

static void on_wake(int sig)
{
	(void)sig;
}

static void install_signals(void)
{
	struct sigaction terminate = {.sa_handler = on_terminate};
	/* A signal always interrupts select() (signal(7)); SA_RESTART covers the
	 * blocking reads and writes, which libiperf cannot continue after a signal. */
	struct sigaction wake = {.sa_handler = on_wake, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t both;

	sigaction(SIGTERM, &terminate, NULL);
	sigaction(SIGUSR1, &wake, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &both, NULL);
}

/* libiperf's argument vector: some options have no portable setter. */
struct args {
	int count;
	char *list[ARGS_MAX + 1];
	char port[8];
	char seconds[24];
	/* With zones, as getaddrinfo() needs them. */
	char local[ADDRESS_ON_SIZE];
	char remote[ADDRESS_ON_SIZE];
	struct test_spec spec; /* libiperf writes into the words */
};

static void args_add(struct args *args, const char *word)
{
	if (args->count < ARGS_MAX)
		args->list[args->count++] = (char *)word;
}

static void args_add_two(struct args *args, const char *option, char *value)
{
	args_add(args, option);
	args_add(args, value);
}

static void args_build(struct args *args, const struct test_spec *spec)
{
	memset(args, 0, sizeof(*args));
	args->spec = *spec;
	snprintf(args->port, sizeof(args->port), "%d", spec->port);
	address_text_on(spec->local, spec->interface, args->local);
	address_text_on(spec->remote, spec->interface, args->remote);
	/* A backstop, in whole seconds: the watcher ends the test earlier. A backstop
	 * before the deadline could end a test in a dead zone before the watcher
	 * recognises the black hole. */
	snprintf(args->seconds, sizeof(args->seconds), "%lld",
		 (long long)testspec_deadline_ms(spec) / 1000 + 1);
	args_add(args, "iperf3");
	if (spec->role == ROLE_CLIENT) {
		args_add_two(args, "--client", args->remote);
		args_add_two(args, "--time", args->seconds);
		args_add(args, "--json");
		args_add(args, BLOCK);
		if (spec->dir == DIR_DOWNLOAD)
			args_add(args, "--reverse");
		/* The client's libiperf sends the choice to the server, which sets it
		 * too. */
		if (spec->congestion[0] != '\0')
			args_add_two(args, "--congestion", args->spec.congestion);
	} else {
		args_add(args, "--server");
	}
	args_add_two(args, "--port", args->port);
	args_add(args, "--interval=0");
	if (spec->local[0] != '\0')
		args_add_two(args, "--bind", args->local);
	if (spec->interface[0] != '\0')
		args_add_two(args, "--bind-dev", args->spec.interface);
}

/* Prepare a libiperf test, or end the process. */
static void prepare_test(struct run *run, struct args *args)
{
	struct dir_result result;

	args_build(args, run->spec);
	i_errno = 0;
	run->test = iperf_new_test();
	if (run->test && iperf_defaults(run->test) == 0) {
		optind = 0;
		if (iperf_parse_arguments(run->test, args->count, args->list) == 0) {
			/* Do not use TMPDIR: it may name a folder that only root may
			 * write to. */
			iperf_set_test_template(run->test, "/tmp/iperf3.XXXXXX");
			return;
		}
	}
	dir_result_init(&result, TEST_ERROR, "libiperf: %s", iperf_strerror(i_errno));
	end_process(run, -EINVAL, &result);
}

static void start_watch(struct run *run, struct watch *watch)
{
	static struct watch_hooks hooks = {
		.control = hook_control,
		.finish = hook_finish,
		.armed = hook_armed,
		.flowing = hook_flowing,
		.released = hook_released,
		.give_up = hook_give_up,
	};
	struct dir_result result;
	int r;

	hooks.ctx = run;
	r = watch_start(watch, run->spec, &hooks, run->deadline_ms);
	if (r == 0)
		return;
	dir_result_init(&result, TEST_ERROR, "cannot start a thread: %s", strerror(-r));
	end_process(run, r, &result);
}

/* Return the time since the start until which a retry may help; 0 if none can. */
static int64_t retry_until_ms(const struct run *run, int error)
{
	switch (-error) {
	case ECONNREFUSED:
		return run->began_ms + testspec_refused_ms(run->spec);
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
		return run->began_ms + testspec_reach_ms(run->spec);
	default:
		return 0;
	}
}

/* The connection failed for a shortage on this host: no evidence about the path. */
static int shortage_or_0(int error)
{
	return err_is_shortage(error) ? error : 0;
}

static void describe_connect(const struct run *run, int error, struct dir_result *ret)
{
	const struct test_spec *spec = run->spec;
	enum test_status status = TEST_UNREACHABLE;

	if (error == -ECONNREFUSED)
		status = TEST_REFUSED;
	else if (error != -ETIMEDOUT && retry_until_ms(run, error) == 0)
		status = TEST_ERROR;
	dir_result_init(ret, status, "cannot connect to '%s' port %d: %s", spec->remote,
			spec->port, strerror(-error));
}

static void describe_busy(const struct run *run, struct dir_result *ret)
{
	dir_result_init(ret, TEST_REFUSED, "'%s' port %d was busy with another test",
			run->spec->remote, run->spec->port);
}

/* Sleep longer after each failure; return false if the sleep would pass `limit_ms`. */
static bool pause_before_retry(int *pause_ms, int64_t limit_ms)
{
	struct timespec pause = {.tv_nsec = *pause_ms * 1000000L};

	if (clock_boot_ms() + *pause_ms >= limit_ms)
		return false;
	nanosleep(&pause, NULL);
	*pause_ms = *pause_ms * 2 < RETRY_MAX_MS ? *pause_ms * 2 : RETRY_MAX_MS;
	return true;
}

/* Return the control connection, or end the process. */
static int connect_control(const struct run *run, int *pause_ms)
{
	int64_t limit_ms = run->spec->first
				   ? run->began_ms + testspec_reach_ms(run->spec)
				   : run->deadline_ms;
	struct dir_result result;
	int refusal = 0;

	for (;;) {
		int fd = tcp_connect(run->spec, limit_ms);

		if (fd >= 0)
			return fd;
		/* A firewall may reject few packets a second, and drop others. */
		if (fd == -ETIMEDOUT && refusal)
			fd = refusal;
		if (!pause_before_retry(pause_ms, retry_until_ms(run, fd)) ||
		    clock_left_ms(limit_ms) == 0) {
			/* The last connect to a busy server has little time left. */
			if (fd == -ETIMEDOUT && run->busy)
				describe_busy(run, &result);
			else
				describe_connect(run, fd, &result);
			end_process(run, shortage_or_0(fd), &result);
		}
		refusal = fd;
	}
}

static void take_figures(const struct watch_figures *figures, struct dir_result *ret)
{
	ret->goodput_bps = figures->goodput.goodput_bps;
	ret->goodput_low_bps = figures->goodput.low_bps;
	ret->goodput_high_bps = figures->goodput.high_bps;
	ret->rtt_us = figures->rtt_us;
	ret->packet_bytes = figures->packet_bytes;
	ret->latency_us = figures->latency_us;
	ret->latency_p95_us = figures->latency_p95_us;
}

/* shortage_or_0() for an errno that libiperf left: any of its sockets may have set
 * EAGAIN in normal operation. */
static int lasting_shortage(int error)
{
	return error == EAGAIN ? 0 : shortage_or_0(-error);
}

/* Name a data connection that was refused, as by a firewall that limits new connections.
 * `failure`: the errno that libiperf left. */
static void describe_failure(const struct run *run, int error, int failure,
			     struct dir_result *ret)
{
	if (error == IESTREAMCONNECT && failure == ECONNREFUSED)
		dir_result_init(ret, TEST_REFUSED,
				"data connection to '%s' port %d: %s",
				run->spec->remote, run->spec->port, strerror(failure));
	else if (error == IEAUTHTEST)
		dir_result_init(ret, TEST_ERROR,
				"the server asks for a user and a password, and "
				"mtusweep sends none");
}

static void *measure_idle(void *ctx)
{
	struct run *run = ctx;

	idle_ask(run->spec, &run->idle);
	return NULL;
}

/* Measure the idle path: beside the setup where that takes longer, else before it. */
static void begin_idle(struct run *run)
{
	const struct test_spec *spec = run->spec;

	run->idle = IDLE_UNKNOWN;
	if (spec->lost)
		return;
	run->idle_beside = idle_goes_beside(spec->rtt_us) &&
			   thread_start(&run->idle_thread, 0, measure_idle, run) == 0;
	if (!run->idle_beside)
		measure_idle(run);
}

static void take_idle(struct run *run, struct dir_result *ret)
{
	if (run->idle_beside)
		pthread_join(run->idle_thread, NULL);
	run->idle_beside = false;
	ret->latency_idle_us = run->idle.median_us;
	ret->latency_idle_p95_us = run->idle.p95_us;
}

/* Run the client once over `control`; return true if the server was busy. */
static bool try_client(struct run *run, int control, struct dir_result *ret)
{
	static struct watch watch;
	struct watch_figures figures;
	const char *json;
	struct args args;
	int error, failure;

	prepare_test(run, &args);
	iperf_set_control_socket(run->test, control);
	start_watch(run, &watch);
	errno = 0;
	iperf_run_client(run->test);
	failure = errno;
	run->shortage = lasting_shortage(failure);
	error = i_errno;
	watch_stop(&watch, &figures);
	run->stalled_ms = figures.stalled_ms;
	dir_result_init(ret, TEST_ERROR, "libiperf: %s", iperf_strerror(error));
	json = iperf_get_test_json_output_string(run->test);
	if (json)
		report_parse(json, run->spec->dir, figures.arrived_bytes, ret);
	describe_failure(run, error, failure, ret);
	ret->started_at_ms = figures.started_at_ms;
	ret->packet_bytes = figures.packet_bytes;
	if (ret->status != TEST_OK)
		return error == IEACCESSDENIED;
	run->shortage = 0;
	take_figures(&figures, ret);
	take_idle(run, ret);
	return false;
}

static void run_client(struct run *run) __attribute__((noreturn));

static void run_client(struct run *run)
{
	int pause_ms = RETRY_MIN_MS;
	struct dir_result result;

	while (try_client(run, connect_control(run, &pause_ms), &result)) {
		run->busy = true;
		iperf_free_test(run->test);
		if (pause_before_retry(&pause_ms,
				       run->began_ms + testspec_refused_ms(run->spec)))
			continue;
		describe_busy(run, &result);
		break;
	}
	end_process(run, run->shortage, &result);
}

/* How long the expected caller is waited for, in ms. */
static int caller_patience(const struct test_spec *spec)
{
	int64_t ms = CALLER_PATIENCE_MS + spec->rtt_us * 2 / 1000;

	if (spec->echo_port && !idle_goes_beside(spec->rtt_us))
		ms += idle_longest_ms(spec->rtt_us);
	return (int)ms;
}

static void run_server(struct run *run) __attribute__((noreturn));

static void run_server(struct run *run)
{
	static struct watch watch;
	struct watch_figures figures;
	struct dir_result result;
	struct args args;
	int error;
	int r;
	int code = 0;

	callfilter_set(run->spec->remote, run->spec->client_port,
		       caller_patience(run->spec));
	if (run->spec->held)
		callfilter_hold(run->go_fd);
	idle_answer(run->spec);
	prepare_test(run, &args);
	start_watch(run, &watch);
	dir_result_init(&result, TEST_OK, "%s", "");
	errno = 0;
	r = iperf_run_server(run->test);
	error = errno;
	watch_stop(&watch, &figures);
	if (r < 0) {
		/* Any of libiperf's sockets may have set EAGAIN in normal operation. */
		code = error > 0 && error != EAGAIN ? -error : -EIO;
		/* The test listened. On any path, the peer's own test gets as far as a
		 * data connection. */
		if (r != SERVER_NOT_STARTED && i_errno != IELISTEN && !figures.called)
			code = -ECONNABORTED;
		dir_result_init(&result, TEST_ERROR, "libiperf: %s",
				iperf_strerror(i_errno));
	}
	if (r == 0)
		take_figures(&figures, &result);
	/* The peer ends a test whose data does not arrive, and asks for the size that was
	 * lost. */
	result.packet_bytes = figures.packet_bytes;
	result.started_at_ms = figures.started_at_ms;
	end_process(run, code, &result);
}

void iperf_test_run(const struct test_spec *spec, int report_fd, int go_fd)
{
	static struct run run;

	install_signals();
	run.spec = spec;
	run.report_fd = report_fd;
	run.go_fd = go_fd;
	run.deadline_ms = clock_boot_ms() + testspec_deadline_ms(spec);
	/* The test before it may take as long. */
	if (spec->held)
		run.deadline_ms += testspec_deadline_ms(spec);
	if (spec->role == ROLE_CLIENT)
		begin_idle(&run);
	run.began_at_ms = clock_wall_ms();
	run.began_ms = clock_boot_ms();
	run.thread = pthread_self();
	if (spec->role == ROLE_CLIENT)
		run_client(&run);
	run.deadline_ms += IPERF_SERVER_GRACE_MS;
	run_server(&run);
}

const char *iperf_test_version(void)
{
	return iperf_get_iperf_version();
}
