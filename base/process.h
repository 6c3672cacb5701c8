/* SPDX-License-Identifier: MIT */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>

/*
 * The identity of a process, as text that it stores, and a check whether that process
 * still lives. A pid is not enough: another process may have it by now. The text names
 * the host, the boot, the pid namespace, the pid and the start time (proc(5):
 * random/boot_id, ns/pid, pid/stat). Every user may read these.
 */

#define PROCESS_ID_SIZE 160

/* The id of this boot of the host; "" and false if /proc does not show it. */
#define PROCESS_BOOT_SIZE 37
bool process_boot(char ret[PROCESS_BOOT_SIZE]);

/* The calling process's identity; "" if /proc does not show it. */
void process_identify(char ret[PROCESS_ID_SIZE]);

enum process_life {
	PROCESS_LIVES,
	PROCESS_GONE,
	/* another host's, another container's, or no identity at all */
	PROCESS_UNKNOWN,
};

/* `identity`: a text from process_identify(). */
enum process_life process_life(const char *identity);

#endif
