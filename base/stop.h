#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <signal.h>
#include <stdbool.h>

/*
 * SIGINT, SIGTERM and SIGHUP as an event: after stop_install() they make stop_fd()
 * readable, for ever, and do nothing else. A SIGINT or SIGHUP that was ignored at the
 * start (nohup; a background job of a script) stays ignored. SIGPIPE is ignored: a
 * terminal that is gone shows as EPIPE or EIO where it is written to. SIGXCPU, the soft
 * limit of processor time, is taken like SIGTERM. One per process; call it before threads.
 */

int stop_install(void);
/* A descriptor to put into poll(); never read from it. -1 before stop_install(). */
int stop_fd(void);
bool stop_requested(void);
/* The first signal that came, 0 for none (or stop_request()). */
int stop_signal(void);
/* Sent by a process of this program to another: one of them died, so the run ends. */
#define STOP_SIGNAL_DEATH SIGUSR1
/* "stopped by Interrupt", or that another process died. Static. */
const char *stop_reason(void);
/* Ask for the same thing from within, from any thread. */
void stop_request(void);

#endif
