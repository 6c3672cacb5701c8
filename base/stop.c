/* SPDX-License-Identifier: MIT */
/* Signals that end the program, as an event. */
#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int event_fd = -1;
static volatile sig_atomic_t first_signal;

static void raise_event(void)
{
	uint64_t one = 1;

	/* An eventfd write of 1 cannot block before 2^64 of them. */
	if (write(event_fd, &one, sizeof(one)) < 0)
		return;
}

static void on_signal(int sig)
{
	int keep = errno;

	if (!first_signal)
		first_signal = sig;
	raise_event();
	errno = keep;
}

/* The keeper ignores SIGXCPU for every process but main. SIGTERM must end a program
 * that was told to survive the other signals. */
static bool stays_ignored(int sig)
{
	struct sigaction now;

	return sig != SIGTERM && sig != SIGXCPU && sig != STOP_SIGNAL_DEATH &&
	       sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

int stop_install(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU,
				      STOP_SIGNAL_DEATH};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigset_t unblock;

	if (event_fd < 0)
		event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event_fd < 0)
		return -errno;
	sigemptyset(&action.sa_mask);
	sigemptyset(&unblock);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (stays_ignored(signals[i]))
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&unblock, signals[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &unblock, NULL);
	return 0;
}

int stop_fd(void)
{
	return event_fd;
}

bool stop_requested(void)
{
	struct pollfd polled = {.fd = event_fd, .events = POLLIN};

	return event_fd >= 0 && poll(&polled, 1, 0) > 0;
}

int stop_signal(void)
{
	return first_signal;
}

void stop_request(void)
{
	raise_event();
}

const char *stop_reason(void)
{
	static char text[64];

	if (first_signal == STOP_SIGNAL_DEATH)
		return "another process of this program died";
	snprintf(text, sizeof(text), "stopped by %s",
		 first_signal ? strsignal(first_signal) : "request");
	return text;
}
