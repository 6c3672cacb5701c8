#ifndef CMD_SERVER_SERVER_OPTIONS_H
#define CMD_SERVER_SERVER_OPTIONS_H

#include "cmd/server/server.h"

/* The options of mtusweep-server beyond host_options, and their checks. The table in
 * cmd/server.c fills server_options; the functions are host_program's. */

struct server_options {
	struct server_config config; /* what server_main() gets */
	const char *server_ip;       /* NULL: the interface's first IPv4 address */
};

/* The program's one set, with its defaults. */
extern struct server_options server_options;

/* -EINVAL: the ports are the same, or --server-ip is no address. */
int server_options_check(struct err *err);

/* Find the address and complete config. -EADDRNOTAVAIL: it is not the interface's. */
int server_options_ready(struct host *host, struct err *err);

#endif
