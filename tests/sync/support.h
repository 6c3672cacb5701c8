/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SYNC_SUPPORT_H
#define TESTS_SYNC_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include "sync/endpoint.h"

/* The parts that the tests of sync/ share: a network of their own, raw HTTP, a real
 * endpoint over operations that only count. */

/* For a group's setup: enter a network namespace that has only its loopback. */
int support_own_network(void **state);
/* Drop every packet on the loopback, or none. 0, or not. */
int support_cut(bool cut);

/* A TCP connection from `from` (NULL: any) to `to`; -1 on failure. */
int support_connect(const char *from, const char *to, int port);
/* A listening TCP socket; -1 on failure. */
int support_listen(const char *address, int port, int backlog);

/* Send `request` and read until the other end closes, 5 s at most. Returns the HTTP
 * status, -1 without an answer; `ret` has the whole answer. */
int support_http(int fd, const char *request, char *ret, size_t size);

/* The number of calls of each operation, and settings for the next one. */
struct support_ops {
	int opened;
	int resumed;
	int paired;
	_Atomic int arming; /* arm was called */
	int armed;          /* and returned */
	int rows;
	int renewed;
	_Atomic int renew_ms; /* duration of a renewal */
	int committed;
	int closed;
	int expired;
	int stopping;
	_Atomic int lookup; /* 0, or the errno that admit returns for everybody */
	int fail;           /* 0, or the errno the operations return */
	const char *text;   /* text of the operations, failing or not */
	const struct warning *warning; /* of a pair's answer; or NULL */
	/* -1, or a descriptor from which arm reads a byte before it returns */
	int arm_gate;
	int page_gate;     /* the same for the page's request */
	_Atomic int asked; /* number of the page's requests */
	struct page_ask ask;
	int page_size; /* size of the answer, padded with spaces */
	char address[ADDRESS_SIZE];
	struct msg_open open;
	struct msg_pair pair;
	struct msg_arm arm;
	struct msg_probe probe;
	struct measurement row;
	struct msg_path path;
	struct msg_recommendation recommendation;
	enum run_outcome outcome;
};

/* An address that the operations do not admit. */
#define SUPPORT_OUTSIDER "127.0.0.66"

void support_ops_init(struct support_ops *ops);
extern const struct endpoint_ops support_endpoint_ops;

/* Messages with every field at its usual value. */
struct msg_open support_open(const char *uuid, int64_t lease_ms);
struct measurement support_row(uint32_t seq);
struct end_facts support_facts(const char *host);

#define SUPPORT_RUN    "11111111-2222-4333-8444-555555555555"
#define SUPPORT_SECRET "0123456789abcdef0123456789abcdef"
#define SUPPORT_OTHER  "99999999-2222-4333-8444-555555555555"

#endif
