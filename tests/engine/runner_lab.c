/* SPDX-License-Identifier: MIT */
/* Namespaces, a veth pair and two runner processes for the runner's tests. */
#include "runner_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/leave.h"
#include "base/text.h"

/* A limit; waits end as soon as they can. */
#define WAIT_MS 300

void lab_sleep_ms(int ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&pause, NULL);
}

static void enter(int netns)
{
	assert_int_equal(setns(netns, CLONE_NEWNET), 0);
}

void lab_run(const struct lab_end *end, const char *program, const char *const *args)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setns(end->netns, CLONE_NEWNET) < 0)
			_exit(126);
		putenv(path);
		execvp(program, (char *const *)args);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("'%s %s ...' failed", program, args[1]);
}

static void ip_up(const struct lab_end *end, const char *link, const char *address)
{
	const char *const up[] = {"ip", "link", "set", link, "up", NULL};
	const char *const add[] = {"ip", "address", "add", address, "dev", link, NULL};

	if (address)
		lab_run(end, "ip", add);
	lab_run(end, "ip", up);
}

static void add_rule(const struct lab_end *end, const char *expression,
		     const char *verdict)
{
	char script[256];
	const char *const args[] = {"nft", script, NULL};

	snprintf(script, sizeof(script),
		 "add table inet lab; "
		 "add chain inet lab in { type filter hook input priority 0; }; "
		 "flush chain inet lab in; add rule inet lab in %s %s",
		 expression, verdict);
	lab_run(end, "nft", args);
}

void lab_drop(const struct lab_end *end, const char *expression)
{
	add_rule(end, expression, "drop");
}

void lab_reject(const struct lab_end *end, const char *expression)
{
	add_rule(end, expression, "reject");
}

static int new_netns(void)
{
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void join_by_veth(const struct lab *lab)
{
	char netns[64];
	const char *const add[] = {"ip",   "link", "add", "v0",    "type", "veth",
				   "peer", "name", "v1",  "netns", netns,  NULL};

	snprintf(netns, sizeof(netns), "/proc/%d/fd/%d", (int)getpid(),
		 lab->peer.netns);
	lab_run(&lab->server, "ip", add);
	ip_up(&lab->server, "v0", LAB_SERVER "/24");
	ip_up(&lab->peer, "v1", LAB_PEER "/24");
}

/* A new link may lose its first ARP request, and the next is sent a second later: wait
 * until the server's host refuses a connection. */
static void await_path(const struct lab *lab)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(9)};
	int error = 0;

	inet_pton(AF_INET, LAB_SERVER, &server.sin_addr);
	enter(lab->peer.netns);
	for (int i = 0; i < 3 && error != ECONNREFUSED; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		error = connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0
				? errno
				: 0;
		close(fd);
	}
	assert_int_equal(error, ECONNREFUSED);
}

static void start_runner(struct lab_end *end)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
	pid_t parent = getpid();
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
			 0);
	enter(end->netns);
	end->pid = fork();
	assert_true(end->pid >= 0);
	if (end->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		/* The keeper's fork does the same. */
		signal(SIGTERM, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
		/* cmocka's handlers would continue with its tests in a child that
		 * crashed. */
		for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
			signal(fatal[i], SIG_DFL);
		close(pair[0]);
		leave_process(runner_serve(pair[1]));
	}
	close(pair[1]);
	assert_int_equal(runner_new(pair[0], &end->runner, NULL), 0);
}

void lab_setup(struct lab *lab, enum lab_kind kind, int64_t duration_ms)
{
	struct test_spec spec = {.port = LAB_PORT, .duration_ms = duration_ms};
	bool veth = kind == LAB_VETH;

	memset(lab, 0, sizeof(*lab));
	lab->server.netns = new_netns();
	ip_up(&lab->server, "lo", NULL);
	lab->peer.netns = veth ? new_netns() : dup(lab->server.netns);
	if (veth) {
		join_by_veth(lab);
		await_path(lab);
	}
	start_runner(&lab->server);
	start_runner(&lab->peer);
	spec.rtt_us = 100;
	lab->arm = spec;
	lab->arm.role = ROLE_SERVER;
	text_copy(lab->arm.interface, sizeof(lab->arm.interface), veth ? "v0" : "lo");
	text_copy(lab->arm.local, sizeof(lab->arm.local),
		  veth ? LAB_SERVER : "127.0.0.1");
	text_copy(lab->arm.remote, sizeof(lab->arm.remote),
		  veth ? LAB_PEER : "127.0.0.1");
	lab->call = spec;
	lab->call.role = ROLE_CLIENT;
	text_copy(lab->call.interface, sizeof(lab->call.interface), veth ? "v1" : "lo");
	text_copy(lab->call.local, sizeof(lab->call.local), lab->arm.remote);
	text_copy(lab->call.remote, sizeof(lab->call.remote), lab->arm.local);
}

static void end_teardown(struct lab_end *end)
{
	int status = 0;

	runner_free(end->runner);
	if (end->pid > 0)
		waitpid(end->pid, &status, 0);
	close(end->netns);
}

void lab_teardown(struct lab *lab)
{
	/* The second runner was forked while the first one's socket was open. */
	end_teardown(&lab->peer);
	end_teardown(&lab->server);
}

static int read_children(const struct lab_end *end, pid_t *ret_last)
{
	char path[64];
	char list[1024] = "";
	char *next = list;
	FILE *file;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)end->pid,
		 (int)end->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	if (!fgets(list, sizeof(list), file))
		list[0] = '\0';
	fclose(file);
	for (;;) {
		char *word = next;
		long pid = strtol(word, &next, 10);

		if (next == word)
			return count;
		*ret_last = (pid_t)pid;
		count++;
	}
}

pid_t lab_await_child(const struct lab_end *end)
{
	int64_t deadline_ms = clock_boot_ms() + 2000;
	pid_t pid = 0;

	while (clock_boot_ms() < deadline_ms) {
		if (read_children(end, &pid) > 0)
			return pid;
		lab_sleep_ms(1);
	}
	fail_msg("no child of the runner came up");
	return 0;
}

void lab_await_no_child(const struct lab_end *end)
{
	for (int i = 0; lab_count_children(end) > 0 && i < WAIT_MS; i++)
		lab_sleep_ms(1);
	assert_int_equal(lab_count_children(end), 0);
}

static bool is_alive(pid_t pid)
{
	char path[64];
	char state = 'X';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d %*s %c", &state) != 1)
		state = 'X';
	fclose(file);
	return state != 'X' && state != 'Z';
}

void lab_await_death(pid_t pid)
{
	for (int i = 0; is_alive(pid) && i < WAIT_MS; i++)
		lab_sleep_ms(1);
	assert_false(is_alive(pid));
}

void lab_signal_later(pid_t pid, int sig, int ms)
{
	pid_t middle = fork();

	assert_true(middle >= 0);
	if (middle > 0) {
		assert_int_equal(waitpid(middle, NULL, 0), middle);
		return;
	}
	/* Fork twice, so that nobody must wait for the sleeping process. */
	if (fork() == 0) {
		lab_sleep_ms(ms);
		kill(pid, sig);
	}
	_exit(0);
}

int lab_count_children(const struct lab_end *end)
{
	pid_t last;

	return read_children(end, &last);
}

int lab_count_descriptors(const struct lab_end *end)
{
	char path[64];
	DIR *dir;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)end->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int count_busy_sockets(const struct lab_end *end)
{
	static const char *const quiet[] = {" 0A ", " 06 "}; /* LISTEN, TIME_WAIT */
	char path[64];
	char line[256];
	FILE *file;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/net/tcp", (int)end->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file)); /* skip the head */
	while (fgets(line, sizeof(line), file))
		count += !strstr(line, quiet[0]) && !strstr(line, quiet[1]);
	fclose(file);
	return count;
}

void lab_await_silence(const struct lab_end *end)
{
	for (int i = 0; count_busy_sockets(end) > 0 && i < WAIT_MS; i++)
		lab_sleep_ms(1);
	assert_int_equal(count_busy_sockets(end), 0);
}
