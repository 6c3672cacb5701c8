/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_GUARDLAB_H
#define TESTS_NETCTL_GUARDLAB_H

/*
 * A guard in a process of its own, as in the programs, on a veth in a fresh network
 * namespace, with a conf file in a folder of its own. Mounts are private.
 */

#include <sys/types.h>

#include "netctl/guard.h"
#include "netctl/hoststate.h"

#define LINK     "mtg0"
#define ORIGINAL 1420
#define CONF     CONF_WITH("1420")
#define CONF_WITH(mtu) \
	"[Interface]\r\nPrivateKey = abc=\r\n# MTU = 1\r\nMTU = " mtu "\r\n[Peer]\r\n"

/* The guard's own reports. */
struct guardlab_said {
	_Atomic int count;
	char last[512];
};

struct guardlab {
	struct guard *guard;
	pid_t pid;
	int keeper_fd;
	/* wireguard-go of use_wireguard(), on a kernel without WireGuard */
	pid_t daemon;
	const char *remote;            /* the next guard's config */
	const struct outside *outside; /* likewise */
	enum scope scope;              /* likewise; SCOPE_LINK at the start of a test */
	char folder[32];
	char conf[64];
	char beside[96]; /* path of the original */
	struct guardlab_said *said;
};

extern struct guardlab t;

int guardlab_set_up(void **state);
int guardlab_tear_down(void **state);
#define GUARD_TEST(f) \
	cmocka_unit_test_setup_teardown(f, guardlab_set_up, guardlab_tear_down)

/*
 * Make LINK a WireGuard interface, the kernel's if it has that: 10.9.0.1/24, with the
 * peers 10.9.0.2 and 10.9.0.7, whose endpoint is 127.0.0.9, and 10.9.0.3 without one.
 */
void use_wireguard(void);
/* Another address for that endpoint. */
void use_endpoint(const char *address);

void start_guard(enum persist persist);
/* Close main's socket as main's exit does; return the guard's exit status. */
int end_guard(void);
/* Kill the guard with SIGKILL. */
void kill_guard(void);

/* The guard's own work, without its process. */
void guardlab_init(struct hoststate *state, enum persist persist, const char *conf);
int guardlab_change(struct hoststate *state, int mtu);

int mtu_now(void);
void assert_mtu_within(int mtu, int ms);
void assert_said_within(int count, int ms);
void wait_ms(int ms);
void write_file(const char *path, const char *text);
void assert_file(const char *path, const char *text);

/* Assert that `text` says, after `prefix`, that link and conf file are restored. */
void assert_both_back(const char *prefix, const char *text);

/* Make the conf file a mount point, so that nothing can be renamed onto it. */
void block_conf(void);
void unblock_conf(void);

#endif
