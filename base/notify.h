/* SPDX-License-Identifier: MIT */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/*
 * Messages to a service manager, by systemd's protocol (sd_notify(3), "Notes"): each is a
 * datagram to the Unix socket that NOTIFY_SOCKET names. Without that variable nothing is
 * sent. A message that cannot be sent is lost: no program depends on its manager.
 */

/* `state`: lines NAME=VALUE of sd_notify(3), such as "READY=1". */
void notify_send(const char *state);

/* How often at least to send "WATCHDOG=1", in ms: twice in the manager's WATCHDOG_USEC, as
 * sd_watchdog_enabled(3) advises. -1: this program is not watched. WATCHDOG_PID names the
 * process that the manager has started: this one, or its parent. */
int notify_watchdog_ms(void);

#endif
