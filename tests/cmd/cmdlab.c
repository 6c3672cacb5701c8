/* SPDX-License-Identifier: MIT */
#include "cmdlab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/leave.h"
#include "base/text.h"

/* A run takes less than a second; sanitizers and a busy machine take longer. */
#define LIMIT_MS 50000

/* --- results --- */

static int64_t pair_rate(const struct cmdlab *lab)
{
	return 30000000 + (int64_t)lab->slope * (lab->server.guard.facts.mtu +
						 lab->peer.guard.facts.mtu);
}

static int sender_mtu(const struct cmdlab *lab, enum direction dir)
{
	return dir == DIR_UPLOAD ? lab->peer.guard.facts.mtu
				 : lab->server.guard.facts.mtu;
}

static bool measure(void *ctx, const struct test_spec *spec, struct dir_result *ret)
{
	struct cmdlab *lab = ctx;
	const int *limits = spec->kind == TEST_FULL_SIZE ? lab->full_size_lost_from
							 : lab->lost_from;
	int limit;

	if (lab->before_test && !lab->before_test(lab, lab->peer.runner.measures, spec))
		return false;
	limit = limits[spec->dir];
	fakerunner_fill(ret, pair_rate(lab));
	if (limit && sender_mtu(lab, spec->dir) >= limit)
		dir_result_init(ret, TEST_BLACKHOLE, "no data came through");
	return true;
}

/* --- setup --- */

static int setup_end(struct cmdlab_end *end)
{
	void *files = NULL;

	if (fixture_setup(&files) < 0)
		return -1;
	end->files = files;
	fakeguard_init(&end->guard, CMDLAB_MTU);
	fakerunner_init(&end->runner);
	end->options = (struct host_options){
		.interface = "lo",
		.db = end->files->db,
		.min_given = true,
		.lease_ms = 10000,
	};
	end->host.guard.bounds.range = (struct mtu_range){1280, 1500, 20};
	end->host.usual_min = 1280;
	text_copy(end->host.guard.bounds.conf_file,
		  sizeof(end->host.guard.bounds.conf_file), "/etc/wireguard/lo.conf");
	text_copy(end->host.guard.bounds.interface,
		  sizeof(end->host.guard.bounds.interface), "lo");
	text_copy(end->host.link.name, sizeof(end->host.link.name), "lo");
	end->host.link.mtu = CMDLAB_MTU;
	end->host.link.up = true;
	end->host.backend = BACKEND_KERNEL;
	return 0;
}

int cmdlab_setup(void **state)
{
	struct cmdlab *lab = calloc(1, sizeof(*lab));
	unsigned int pid = (unsigned int)getpid();

	if (!lab || setup_end(&lab->peer) < 0 || setup_end(&lab->server) < 0)
		return -1;
	snprintf(lab->address, sizeof(lab->address), "127.%u.%u.%u",
		 64 + (pid >> 16 & 127), pid >> 8 & 255, pid & 255);
	lab->server.options.range = (struct mtu_range){1380, 1420, 40};
	lab->peer.options.range = (struct mtu_range){1400, 1420, 20};
	lab->slope = 10000;
	lab->peer.runner.measure = measure;
	lab->peer.runner.ctx = lab;
	lab->server_config = (struct server_config){
		.options = &lab->server.options,
		.host = &lab->server.host,
		.port = 5000,
		.iperf_port = 5201,
	};
	text_copy(lab->server_config.address, sizeof(lab->server_config.address),
		  lab->address);
	lab->peer_config = (struct peer_config){
		.options = &lab->peer.options,
		.host = &lab->peer.host,
		.server_ip = lab->address,
		.server_port = 5000,
		.duration_ms = 200,
		.wait_ms = 1000,
		.passes = 1,
		.skip_errors = true,
		.strategy = &strategies[STRATEGY_grid],
		.margin = 5,
		.seed = 1,
		.local = "127.0.0.1",
	};
	*state = lab;
	return 0;
}

void cmdlab_answer_probes(struct cmdlab *lab)
{
	lab->peer.guard.probes = true;
	lab->server.guard.probes = true;
}

static void kill_end(struct cmdlab_end *end)
{
	if (!end->pid)
		return;
	kill(end->pid, SIGKILL);
	waitpid(end->pid, NULL, 0);
	end->pid = 0;
	fd_close(&end->guard.fd);
	fd_close(&end->runner.fd);
}

static int teardown_end(struct cmdlab_end *end)
{
	void *files = end->files;

	kill_end(end);
	return fixture_teardown(&files);
}

int cmdlab_teardown(void **state)
{
	struct cmdlab *lab = *state;
	int r = teardown_end(&lab->peer) | teardown_end(&lab->server);

	free(lab);
	return r;
}

/* --- processes --- */

static void put_path(const struct cmdlab_end *end, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", end->files->folder, name);
}

static void redirect(const struct cmdlab_end *end, const char *name, int fd)
{
	char path[128];
	int file;

	put_path(end, name, path);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0 || dup2(file, fd) < 0)
		_exit(125);
	close(file);
}

static void read_back(const struct cmdlab_end *end, const char *name, char *ret,
		      size_t size)
{
	char path[128];
	cleanup_file FILE *file = NULL;
	size_t n;

	put_path(end, name, path);
	file = fopen(path, "re");
	assert_non_null(file);
	n = fread(ret, 1, size - 1, file);
	ret[n] = '\0';
}

typedef int process_fn(struct cmdlab *lab, int guard_fd, int runner_fd);

static void become_child(struct cmdlab *lab, struct cmdlab_end *end, process_fn *run,
			 const int fds[2])
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* cmocka's handlers would go on with its tests in a child that crashed. */
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		signal(fatal[i], SIG_DFL);
	redirect(end, "stdout", STDOUT_FILENO);
	redirect(end, "stderr", STDERR_FILENO);
	fd_close(&lab->peer.guard.fd);
	fd_close(&lab->peer.runner.fd);
	fd_close(&lab->server.guard.fd);
	fd_close(&lab->server.runner.fd);
	host_options = end->options;
	leave_process(run(lab, fds[0], fds[1]));
}

static void start(struct cmdlab *lab, struct cmdlab_end *end, process_fn *run)
{
	int guard[2];
	int runner[2];

	assert_int_equal(end->pid, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, guard),
			 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, runner),
			 0);
	end->guard.fd = guard[0];
	end->runner.fd = runner[0];
	fflush(NULL);
	end->pid = fork();
	assert_true(end->pid >= 0);
	if (end->pid == 0)
		become_child(lab, end, run, (const int[]){guard[1], runner[1]});
	close(guard[1]);
	close(runner[1]);
}

static void answer(const struct pollfd *polled, struct cmdlab_end *end)
{
	if (polled[0].revents && !fakeguard_answer(&end->guard))
		fd_close(&end->guard.fd);
	if (polled[1].revents && !fakerunner_answer(&end->runner))
		fd_close(&end->runner.fd);
}

/* Wait for requests to any of the fakes and answer them. False: none came. */
static bool answer_some(struct cmdlab *lab, int64_t deadline_ms)
{
	struct pollfd polled[] = {
		{.fd = lab->peer.guard.fd, .events = POLLIN},
		{.fd = lab->peer.runner.fd, .events = POLLIN},
		{.fd = lab->server.guard.fd, .events = POLLIN},
		{.fd = lab->server.runner.fd, .events = POLLIN},
	};

	if (poll(polled, 4, clock_left_ms(deadline_ms)) <= 0)
		return false;
	answer(polled, &lab->peer);
	answer(polled + 2, &lab->server);
	return true;
}

void cmdlab_answer_for(struct cmdlab *lab, int ms)
{
	int64_t deadline_ms = clock_boot_ms() + ms;

	while (answer_some(lab, deadline_ms))
		continue;
}

/* Until this end's process has closed both of its sockets. */
static void serve(struct cmdlab *lab, const struct cmdlab_end *until)
{
	int64_t deadline_ms = clock_boot_ms() + LIMIT_MS;

	while (until->guard.fd >= 0 || until->runner.fd >= 0) {
		if (!answer_some(lab, deadline_ms))
			fail_msg("the process did not end within %d ms", LIMIT_MS);
	}
}

static int finish(struct cmdlab *lab, struct cmdlab_end *end)
{
	int status = 0;

	serve(lab, end);
	assert_int_equal(waitpid(end->pid, &status, 0), end->pid);
	end->pid = 0;
	read_back(end, "stderr", end->said, sizeof(end->said));
	read_back(end, "stdout", end->printed, sizeof(end->printed));
	end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return end->status;
}

/* --- the server --- */

static int run_server(struct cmdlab *lab, int guard_fd, int runner_fd)
{
	return server_main(&lab->server_config, guard_fd, runner_fd);
}

static bool listens(const struct cmdlab *lab)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)lab->server_config.port),
	};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, lab->address, &name.sin_addr);
	return connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0;
}

void cmdlab_start_server_as(struct cmdlab *lab, process_fn *server)
{
	int64_t deadline_ms = clock_boot_ms() + LIMIT_MS;

	start(lab, &lab->server, server);
	while (!listens(lab)) {
		if (clock_boot_ms() >= deadline_ms ||
		    waitpid(lab->server.pid, NULL, WNOHANG) != 0)
			fail_msg("the server does not listen");
		io_wait(-1, -1, clock_boot_ms() + 5);
	}
}

void cmdlab_start_server(struct cmdlab *lab)
{
	cmdlab_start_server_as(lab, run_server);
}

int cmdlab_wait_for_server(struct cmdlab *lab)
{
	return finish(lab, &lab->server);
}

int cmdlab_run_server(struct cmdlab *lab)
{
	start(lab, &lab->server, run_server);
	return finish(lab, &lab->server);
}

int cmdlab_end_server(struct cmdlab *lab)
{
	kill(lab->server.pid, SIGTERM);
	return finish(lab, &lab->server);
}

void cmdlab_kill_server(struct cmdlab *lab)
{
	kill_end(&lab->server);
}

/* --- the peer --- */

static int run_peer(struct cmdlab *lab, int guard_fd, int runner_fd)
{
	return peer_main(&lab->peer_config, guard_fd, runner_fd);
}

int cmdlab_run(struct cmdlab *lab)
{
	start(lab, &lab->peer, run_peer);
	return finish(lab, &lab->peer);
}

static int (*client_body)(struct cmdlab *lab);

static int run_body(struct cmdlab *lab, int guard_fd, int runner_fd)
{
	(void)guard_fd;
	(void)runner_fd;
	return client_body(lab);
}

void cmdlab_run_client(struct cmdlab *lab, int (*client)(struct cmdlab *lab))
{
	client_body = client;
	start(lab, &lab->peer, run_body);
	if (finish(lab, &lab->peer) != 0)
		fail_msg("status %d: %s", lab->peer.status, lab->peer.said);
}

void cmdlab_assert_said(const char *said, const char *text)
{
	if (!strstr(said, text))
		fail_msg("'%s' is not in: %s", text, said);
}

void cmdlab_assert_not_said(const char *said, const char *text)
{
	if (strstr(said, text))
		fail_msg("'%s' is in: %s", text, said);
}
