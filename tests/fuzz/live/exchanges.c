/* SPDX-License-Identifier: MIT */
/*
 * exchanges SEED COUNT STATE HOST PEER NEIGHBOUR NAMESPACE
 *
 * Send requests of odd.h to the server at HOST: from the address PEER, with and without
 * its session; from NEIGHBOUR, another spoke's; and to 127.0.0.1 in the server's network
 * NAMESPACE. Each is made from SEED and its number, up to COUNT. Print what is wrong with
 * an answer, with the number, and at the end one line. The file STATE holds what was done:
 * with one of the same seed, go on behind it.
 *
 * An answer is due within a second after the last byte that was sent, also where more of
 * its request was announced; on a busy machine so much later as LATES pauses end too late
 * there: this program and the server's threads wait for a processor in turn.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/random.h"
#include "base/text.h"
#include "odd.h"
#include "state.h"

#define PORT       5000
#define DUE_US     1000000
#define LATES      10
#define GIVE_UP_MS 10000
#define ANSWER_MAX 100000
#define HELD_MAX   6
/* The owner's session is opened anew after so many of its requests. */
#define SESSION_REQUESTS 200
#define STATUS_MAX       600

enum role {
	ROLE_OWNER,     /* the session's peer */
	ROLE_LOCAL,     /* another program of its host */
	ROLE_NEIGHBOUR, /* another spoke */
	ROLE_READER,    /* on the server's host */
	ROLE_COUNT,
};

static const char *const role_names[] = {"owner", "local", "neighbour", "reader"};

/* The state file. */
struct tally {
	struct state state;
	_Atomic uint64_t next; /* number of a request */
	_Atomic uint64_t status[STATUS_MAX];
	_Atomic uint64_t unanswered; /* whole requests only */
	_Atomic uint64_t wrong;
	_Atomic int64_t longest_us;
	_Atomic int64_t held_longest_us;
	_Atomic int64_t late_us; /* the machine's, in the last seconds */
	_Atomic int64_t latest_us;
	_Atomic uint64_t sessions;
};

static struct tally *tally;
static uint64_t limit;
static const char *host;
static const char *addresses[ROLE_COUNT];
static const char *namespace;

/* A connection whose request does not end. */
struct held {
	int fd;
	uint64_t number;
	int64_t since_us;
};

struct worker {
	enum role role;
	uint64_t number;
	struct odd odd;
	struct odd_session session;
	bool open;
	int requests; /* in this session */
	struct held held[HELD_MAX];
};

struct answer {
	char text[ANSWER_MAX + 1];
	size_t size;
};

static struct answer first_answer;
static struct answer held_answer;

/* --- findings --- */

static void tell_wrong(const struct worker *w, uint64_t number, const char *what)
{
	tally->wrong++;
	printf("request %llu of the %s: %s\n", (unsigned long long)number,
	       role_names[w->role], what);
	fflush(stdout);
}

static void note_longest(_Atomic int64_t *longest, int64_t us)
{
	int64_t was = *longest;

	while (us > was && !atomic_compare_exchange_weak(longest, &was, us))
		continue;
}

/* True if an answer that took so long is overdue. */
static bool is_overdue(int64_t took_us)
{
	return took_us > DUE_US + LATES * tally->late_us;
}

/* Measure how long after its end this process goes on behind a pause: the longest time of
 * the last 2 to 4 s. */
static void keep_pace(void)
{
	const int64_t pause_us = 5000;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int64_t before_us = 0;;) {
		int64_t until_us = clock_boot_us() + 2000000;
		int64_t late_us = 0;

		while (clock_boot_us() < until_us) {
			int64_t began_us = clock_boot_us();
			int64_t over_us;

			clock_pause_us(pause_us);
			over_us = clock_boot_us() - began_us - pause_us;
			late_us = over_us > late_us ? over_us : late_us;
			if (late_us > before_us)
				tally->late_us = late_us;
			note_longest(&tally->latest_us, late_us);
		}
		tally->late_us = before_us = late_us;
	}
}

/* --- connections --- */

static int dial(const char *from, const char *to)
{
	struct sockaddr_storage own;
	struct sockaddr_storage name;
	struct timeval patience = {.tv_sec = GIVE_UP_MS / 1000};
	int on = 1;
	int fd;

	if (address_parse(from, 0, &own) < 0 || address_parse(to, PORT, &name) < 0)
		return -1;
	fd = socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
	/* Ports of closed connections must not run out. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&own, address_size(&own)) < 0 ||
	    connect(fd, (struct sockaddr *)&name, address_size(&name)) < 0)
		fd_close(&fd);
	return fd;
}

static void send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		size -= (size_t)n;
	}
}

static void send_pieces(const struct odd *odd, int fd, uint64_t *random)
{
	size_t most = odd->way == ODD_DRIPPING ? 1 : odd->size;
	size_t drips = 0;

	for (size_t at = 0; at < odd->size;) {
		size_t size = 1 + random_below(random, most);

		/* The rest of a long one at once. */
		if (size > odd->size - at || ++drips > 60)
			size = odd->size - at;
		send_all(fd, odd->bytes + at, size);
		at += size;
		clock_pause_us((int64_t)random_below(random, 1500));
	}
}

static void send_odd(const struct odd *odd, int fd, uint64_t seed)
{
	if (odd->way == ODD_IN_PIECES || odd->way == ODD_DRIPPING)
		send_pieces(odd, fd, &seed);
	else
		send_all(fd, odd->bytes, odd->size);
	if (odd->way == ODD_CUT)
		shutdown(fd, SHUT_WR);
}

static void reset(int fd)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* --- answers --- */

/* The size of the first answer; 0: it is not there as a whole. */
static size_t answer_size(const char *answer, size_t size)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *end = strstr(answer, "\r\n\r\n");
	const char *length = strstr(answer, name);
	size_t whole;

	if (!end || !length || length > end)
		return 0;
	whole = (size_t)(end - answer) + 4 + strtoul(length + strlen(name), NULL, 10);
	return whole <= size ? whole : 0;
}

static void look_at_held(struct worker *w, int fd, int wait_ms);

/* True once the first answer is there. */
static bool read_answer(struct worker *w, int fd, struct answer *ret)
{
	ret->size = 0;
	ret->text[0] = '\0';
	while (ret->size < ANSWER_MAX && !answer_size(ret->text, ret->size)) {
		ssize_t n;

		if (ret == &first_answer)
			look_at_held(w, fd, GIVE_UP_MS);
		n = recv(fd, ret->text + ret->size, ANSWER_MAX - ret->size, 0);
		if (n <= 0)
			break;
		ret->size += (size_t)n;
		ret->text[ret->size] = '\0';
	}
	return answer_size(ret->text, ret->size) > 0;
}

static bool is_documented(int status)
{
	static const int statuses[] = {200, 400, 403, 404, 405, 408, 409, 410, 411,
				       413, 415, 417, 421, 426, 429, 503, 504};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

static void print_begin(const char *what, const char *bytes, size_t size)
{
	char text[400];

	snprintf(text, sizeof(text), "%.*s", (int)size, bytes);
	text_printable(text);
	printf("    %s: %s\n", what, text);
}

/* With the begin of the answer, and of the last request. */
static void tell_answer(const struct worker *w, uint64_t number, const struct answer *a,
			const char *what)
{
	static const char *const ways[] = {"at once", "in pieces", "dripping",
					   "cut",     "left open", "reset"};

	tell_wrong(w, number, what);
	print_begin("answer", a->text, a->size);
	if (number == w->number)
		print_begin(ways[w->odd.way], w->odd.bytes, w->odd.size);
	fflush(stdout);
}

static int check_answer(const struct worker *w, uint64_t number, struct answer *a,
			bool valid)
{
	int status = strncmp(a->text, "HTTP/1.1 ", 9) == 0 ? atoi(a->text + 9) : 0;
	const char *body = strstr(a->text, "\r\n\r\n");
	struct msg_answer m;

	if (status < 100 || status >= STATUS_MAX || !body) {
		tell_answer(w, number, a, "the answer is not HTTP");
		return 0;
	}
	tally->status[status]++;
	a->text[answer_size(a->text, a->size)] = '\0';
	if (!is_documented(status))
		tell_answer(w, number, a, "the status is not documented");
	else if (valid && status != 200)
		tell_answer(w, number, a, "a valid request is refused");
	else if (status != 200 &&
		 msg_answer_decode(body + 4, strlen(body + 4), &m, NULL) < 0)
		tell_answer(w, number, a, "the refusal is not JSON");
	return status;
}

/* --- connections that are left open --- */

static void end_held(struct worker *w, struct held *held)
{
	int64_t took_us = clock_boot_us() - held->since_us;

	if (read_answer(w, held->fd, &held_answer))
		check_answer(w, held->number, &held_answer, false);
	note_longest(&tally->held_longest_us, took_us);
	if (is_overdue(took_us)) {
		printf("%lld ms: ", (long long)took_us / 1000);
		tell_answer(w, held->number, &held_answer,
			    "a request without an end is held too long");
	}
	fd_close(&held->fd);
}

/* Wait until `fd` is readable, or -1 for any of them, and see to them meanwhile. */
static void look_at_held(struct worker *w, int fd, int wait_ms)
{
	int64_t until_ms = clock_boot_ms() + wait_ms;
	struct pollfd fds[HELD_MAX + 1];
	bool any = false;

	do {
		for (int i = 0; i < HELD_MAX; i++)
			fds[i] = (struct pollfd){.fd = w->held[i].fd, .events = POLLIN};
		fds[HELD_MAX] = (struct pollfd){.fd = fd, .events = POLLIN};
		poll(fds, HELD_MAX + 1, clock_left_ms(until_ms));
		for (int i = 0; i < HELD_MAX; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			end_held(w, &w->held[i]);
			any = true;
		}
	} while (clock_left_ms(until_ms) > 0 &&
		 !(fd < 0 ? any : fds[HELD_MAX].revents));
}

static bool holds_any(const struct worker *w)
{
	for (int i = 0; i < HELD_MAX; i++)
		if (w->held[i].fd >= 0)
			return true;
	return false;
}

/* Takes the descriptor. */
static void hold(struct worker *w, int fd)
{
	for (;;) {
		for (int i = 0; i < HELD_MAX; i++) {
			if (w->held[i].fd < 0) {
				w->held[i] =
					(struct held){fd, w->number, clock_boot_us()};
				return;
			}
		}
		look_at_held(w, -1, GIVE_UP_MS);
	}
}

/* --- requests --- */

static void take_session(struct worker *w)
{
	const char *id = strstr(first_answer.text, "{\"session\":\"");

	if (!id || strlen(id) < 12 + TOKEN_SIZE)
		return;
	text_copy(w->session.id, sizeof(w->session.id), id + 12);
}

/* Return the status, 0: none was due, -1: none came. */
static int exchange(struct worker *w)
{
	int64_t began_us = clock_boot_us();
	int fd = dial(addresses[w->role],
		      w->role == ROLE_READER ? addresses[w->role] : host);
	int64_t took_us;
	int status = -1;

	errno = 0;
	if (fd < 0) {
		tell_wrong(w, w->number, strerror(errno));
		return -1;
	}
	send_odd(&w->odd, fd, w->number);
	if (w->odd.way == ODD_RESET) {
		reset(fd);
		return 0;
	}
	if (w->odd.way == ODD_LEFT_OPEN) {
		hold(w, fd);
		return 0;
	}
	if (w->odd.way != ODD_AT_ONCE)
		began_us = clock_boot_us();
	if (read_answer(w, fd, &first_answer))
		status = check_answer(w, w->number, &first_answer, w->odd.valid);
	took_us = clock_boot_us() - began_us;
	close(fd);
	if (status < 0) {
		tally->unanswered++;
		if (w->odd.way == ODD_AT_ONCE) {
			printf("%lld ms, %s: ", (long long)took_us / 1000,
			       strerror(errno));
			tell_answer(w, w->number, &first_answer, "no answer");
		}
		return status;
	}
	note_longest(&tally->longest_us, took_us);
	if (is_overdue(took_us)) {
		printf("%lld ms: ", (long long)took_us / 1000);
		tell_answer(w, w->number, &first_answer,
			    "the answer took longer than a second");
	}
	return status;
}

static void new_session(struct worker *w)
{
	uint64_t random = tally->state.seed ^ (w->number << 8);

	snprintf(w->session.run, sizeof(w->session.run),
		 "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)random_next(&random),
		 (unsigned)random_below(&random, 65536),
		 (unsigned)random_below(&random, 4096),
		 (unsigned)random_below(&random, 4096),
		 (unsigned long long)random_below(&random, UINT64_C(1) << 48));
	snprintf(w->session.secret, sizeof(w->session.secret), "%016llx%016llx",
		 (unsigned long long)random_next(&random),
		 (unsigned long long)random_next(&random));
	/* The owner gets another one. */
	text_copy(w->session.id, sizeof(w->session.id), w->session.secret);
	w->requests = 0;
}

/* Have a session, if the server gives one. */
static void keep_session(struct worker *w)
{
	if (w->open && ++w->requests > SESSION_REQUESTS) {
		odd_close(&w->odd, host, &w->session);
		exchange(w);
		w->open = false;
		new_session(w);
	}
	if (w->open)
		return;
	odd_open(&w->odd, host, &w->session);
	w->open = exchange(w) == 200;
	if (!w->open) {
		/* Its database may know the run by another peer's secret. */
		new_session(w);
		return;
	}
	take_session(w);
	tally->sessions++;
}

static bool next_request(struct worker *w)
{
	uint64_t random;
	int status;

	w->number = tally->next++;
	if (w->number >= limit)
		return false;
	if (w->role == ROLE_OWNER)
		keep_session(w);
	random = tally->state.seed ^ (w->number * UINT64_C(0x9e3779b97f4a7c15));
	odd_make(&w->odd, random_next(&random),
		 w->role == ROLE_READER ? addresses[w->role] : host, true, &w->session);
	status = exchange(w);
	if (status == 200)
		take_session(w);
	if (status == 410)
		w->open = false;
	look_at_held(w, -1, 0);
	return true;
}

static void enter_namespace(void)
{
	cleanup_fd int fd = open(namespace, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
		perror(namespace);
		exit(1);
	}
}

static void work(enum role role)
{
	static struct worker w;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w.role = role;
	w.number = tally->next;
	for (int i = 0; i < HELD_MAX; i++)
		w.held[i].fd = -1;
	new_session(&w);
	if (role == ROLE_READER)
		enter_namespace();
	while (next_request(&w))
		continue;
	while (holds_any(&w))
		look_at_held(&w, -1, GIVE_UP_MS);
	if (w.open) {
		odd_close(&w.odd, host, &w.session);
		exchange(&w);
	}
	exit(0);
}

/* --- the campaign --- */

static void print_tally(void)
{
	printf("%llu requests, %llu sessions, answers",
	       (unsigned long long)(tally->next < limit ? tally->next : limit),
	       (unsigned long long)tally->sessions);
	for (int i = 0; i < STATUS_MAX; i++)
		if (tally->status[i])
			printf(" %d: %llu,", i, (unsigned long long)tally->status[i]);
	printf(" none: %llu; longest answer %lld ms, to a request without an end %lld "
	       "ms, latest pause %lld ms; wrong %llu",
	       (unsigned long long)tally->unanswered,
	       (long long)tally->longest_us / 1000,
	       (long long)tally->held_longest_us / 1000,
	       (long long)tally->latest_us / 1000, (unsigned long long)tally->wrong);
	puts("");
}

int main(int argc, char **argv)
{
	bool failed = false;
	pid_t pace;
	int status;

	if (argc != 8) {
		fputs("usage: exchanges SEED COUNT STATE HOST PEER NEIGHBOUR "
		      "NAMESPACE\n",
		      stderr);
		return 2;
	}
	limit = strtoull(argv[2], NULL, 10);
	tally = state_open(argv[3], sizeof(*tally), strtoull(argv[1], NULL, 10));
	host = argv[4];
	addresses[ROLE_OWNER] = addresses[ROLE_LOCAL] = argv[5];
	addresses[ROLE_NEIGHBOUR] = argv[6];
	addresses[ROLE_READER] = "127.0.0.1";
	namespace = argv[7];
	pace = fork();
	if (pace == 0)
		keep_pace();
	for (int i = 0; i < ROLE_COUNT; i++)
		if (fork() == 0)
			work((enum role)i);
	for (int i = 0; i < ROLE_COUNT; i++)
		failed |= wait(&status) < 0 || status != 0;
	kill(pace, SIGKILL);
	/* Those that asked for one beyond the last. */
	if (tally->next > limit)
		tally->next = limit;
	print_tally();
	return failed || tally->wrong ? 1 : 0;
}
