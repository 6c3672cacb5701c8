/* SPDX-License-Identifier: MIT */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <signal.h>
#include <stdbool.h>

/*
 * SIGINT, SIGTERM and SIGHUP as an event. After stop_install() they only make stop_fd()
 * readable, permanently. A SIGINT or SIGHUP that was ignored at the start (nohup; a
 * background job of a script) stays ignored. SIGPIPE is ignored: on a terminal that is
 * gone, writes fail with EPIPE or EIO. SIGXCPU, the soft limit of processor time, is
 * handled like SIGTERM. Call it once per process, before threads start.
 */

int stop_install(void);
/* A descriptor for poll(); never read from it. -1 before stop_install(). */
int stop_fd(void);
bool stop_requested(void);
/* The first signal that came, 0 for none (or stop_request()). */
int stop_signal(void);
/* One process of this program sends it to another: a process died, so the run ends. */
#define STOP_SIGNAL_DEATH SIGUSR1
/* "stopped by Interrupt", or a sentence that another process died. Static. */
const char *stop_reason(void);
/* Request a stop from any thread of this process. */
void stop_request(void);

#endif
