/* The connections of a web server, and who of them has to go. */

#include "sync/callers.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/text.h"

/* While all workers are taken and nobody can be ended: they are just being served. */
#define LOOK_AGAIN_MS 2
/* While all workers are taken, a request has to have come after so long. */
#define PATIENCE_MS 100
#define STACK_SIZE  (128 * 1024)

enum state {
	STATE_WAITING, /* for its first request, or the rest of it */
	STATE_BUSY,
	STATE_KEPT,
	STATE_REFUSED, /* it has its answer, and may still send the rest of its request */
	STATE_GOING,
};

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

static enum state state_of(const struct callers *c, int fd)
{
	const struct caller *caller = &c->list[fd];

	return caller->cookie == cookie_of(fd) ? (enum state)caller->state
					       : STATE_WAITING;
}

static void set_state(struct callers *c, int fd, enum state state)
{
	c->list[fd].cookie = cookie_of(fd);
	c->list[fd].state = (int)state;
}

static bool is_ours(const struct callers *c, int fd)
{
	return sockets_is_connection(fd, c->address, c->port);
}

static int find(const struct callers *c, const char *remote, int remote_port)
{
	return sockets_find_connection(c->address, c->port, remote, remote_port);
}

static int count_kept(const struct callers *c)
{
	int kept = 0;

	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++)
		kept += c->list[fd].state == STATE_KEPT && is_ours(c, fd) &&
			state_of(c, fd) == STATE_KEPT;
	return kept;
}

/* For how long it has been there without an answer; -1: it is not to be ended. */
static int64_t waited_ms(const struct callers *c, int fd, bool spare_kept)
{
	enum state state = state_of(c, fd);
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	int unread = 0;

	if (state == STATE_BUSY || state == STATE_GOING ||
	    (state == STATE_KEPT && spare_kept))
		return -1;
	/* What is there to be read may be the request. */
	if (ioctl(fd, FIONREAD, &unread) < 0 || (unread > 0 && state != STATE_REFUSED))
		return -1;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return -1;
	/* Nothing was sent yet: since it was set up. */
	return info.tcpi_last_data_sent;
}

static void end_caller(struct callers *c, int fd)
{
	set_state(c, fd, STATE_GOING);
	shutdown(fd, SHUT_RDWR);
}

static bool has_had_time(const struct callers *c, int fd, int64_t ms)
{
	enum state state = state_of(c, fd);

	return (state == STATE_WAITING && ms >= (c->ending ? 0 : PATIENCE_MS)) ||
	       (state == STATE_REFUSED && ms >= 0);
}

/* All that had time enough, else the oldest. With the lock, so that none of them is closed
 * meanwhile. */
static void end_some(struct callers *c)
{
	bool spare_kept = !c->ending && count_kept(c) <= c->workers / 2;
	int64_t longest_ms = -1;
	int oldest = -1;
	bool ended = false;

	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++) {
		int64_t ms = is_ours(c, fd) ? waited_ms(c, fd, spare_kept) : -1;

		if (has_had_time(c, fd, ms)) {
			end_caller(c, fd);
			ended = true;
		} else if (ms > longest_ms) {
			longest_ms = ms;
			oldest = fd;
		}
	}
	if (oldest >= 0 && !ended)
		end_caller(c, oldest);
}

static void wait_changed(struct callers *c, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_clockwait(&c->changed, &c->lock, CLOCK_MONOTONIC, &until);
}

static void *make_room(void *arg)
{
	struct callers *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		if (c->taken < c->workers && !c->ending) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		end_some(c);
		/* Until its worker has noticed, or somebody can be ended. */
		wait_changed(c, LOOK_AGAIN_MS);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void release(struct callers *c)
{
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
}

int callers_start(struct callers *c, const char *address, int port, int workers,
		  struct err *err)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	int rc;

	memset(c, 0, sizeof(*c));
	text_copy(c->address, sizeof(c->address), address);
	c->port = port;
	c->workers = workers;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, &attributes, make_room, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (rc == 0)
		return 0;
	release(c);
	return err_sys(err, rc, "cannot start a thread of the web server");
}

void callers_end_all(struct callers *c)
{
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void callers_stop(struct callers *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	release(c);
}

/* --- what happens to one --- */

void callers_arrived(struct callers *c)
{
	pthread_mutex_lock(&c->lock);
	c->taken++;
	if (c->taken >= c->workers)
		pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

bool callers_asked(struct callers *c, const char *remote, int remote_port, int *ret_fd)
{
	bool ended;
	int fd;

	pthread_mutex_lock(&c->lock);
	fd = find(c, remote, remote_port);
	ended = fd >= 0 && state_of(c, fd) == STATE_GOING;
	if (fd >= 0 && !ended)
		set_state(c, fd, STATE_BUSY);
	pthread_mutex_unlock(&c->lock);
	*ret_fd = fd;
	return !ended;
}

void callers_answered(struct callers *c, int fd, bool keep)
{
	if (fd < 0)
		return;
	pthread_mutex_lock(&c->lock);
	set_state(c, fd, keep ? STATE_KEPT : STATE_GOING);
	pthread_mutex_unlock(&c->lock);
}

int callers_refused(struct callers *c, const char *remote, int remote_port)
{
	int fd;

	pthread_mutex_lock(&c->lock);
	fd = find(c, remote, remote_port);
	if (fd >= 0 && state_of(c, fd) != STATE_GOING)
		set_state(c, fd, STATE_REFUSED);
	pthread_mutex_unlock(&c->lock);
	return fd;
}

void callers_left(struct callers *c, const char *remote, int remote_port)
{
	int fd;

	pthread_mutex_lock(&c->lock);
	fd = find(c, remote, remote_port);
	if (fd >= 0)
		set_state(c, fd, STATE_GOING);
	c->taken--;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}
