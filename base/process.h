#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>

/*
 * Whether a process that once wrote down who it is still lives. A pid alone does not say
 * that: it may be another process's by now. The text names the host, the boot, the pid
 * namespace, the pid and when the process started (proc(5): random/boot_id, ns/pid,
 * pid/stat), all of which any user may read.
 */

#define PROCESS_ID_SIZE 160

/* The id of this boot of the host; "" and false where /proc does not tell. */
#define PROCESS_BOOT_SIZE 37
bool process_boot(char ret[PROCESS_BOOT_SIZE]);

/* Of the calling process; "" where /proc does not tell. */
void process_identify(char ret[PROCESS_ID_SIZE]);

enum process_life {
	PROCESS_LIVES,
	PROCESS_GONE,
	PROCESS_UNKNOWN, /* another host's, another container's, or no identity */
};

/* `identity`: what process_identify() said. */
enum process_life process_life(const char *identity);

#endif
