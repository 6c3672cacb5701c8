/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_IDLE_H
#define ENGINE_IDLE_H

#include <stdbool.h>

#include "engine/testspec.h"

/*
 * The round trip of the idle path: IDLE_ECHOES small echoes, IDLE_GAP_US apart, before a
 * throughput test. Between mtusweep's two ends they are UDP datagrams of 16 bytes to
 * spec->echo_port of the server, whose process of the armed test answers them.
 */

#define IDLE_ECHOES 20
#define IDLE_GAP_US 2000
/* of libiperf's setup */
#define SETUP_TRIPS 5

struct idle_figures {
	/* NO_FIGURE where fewer than half of the echoes were answered */
	int64_t median_us;
	int64_t p95_us;
};

#define IDLE_UNKNOWN ((struct idle_figures){NO_FIGURE, NO_FIGURE})

struct idle_way {
	void *ctx;
	int fd; /* readable when an answer has come */
	/* 0; or -ECONNREFUSED, which ends the measurement: nobody answers there */
	int (*send)(void *ctx, uint16_t number);
	/* 1 and the number of an answer; 0 none for now; -ECONNREFUSED */
	int (*receive)(void *ctx, uint16_t *ret_number);
};

/* Send the echoes, numbered from 0, and wait for their answers. `rtt_us` is about the
 * round trip: an answer may take twice as long and 20 ms. `stop_fd` (or -1) ends it. */
void idle_measure(const struct idle_way *way, int64_t rtt_us, int stop_fd,
		  struct idle_figures *ret);
/* The longest time that idle_measure() takes. */
int64_t idle_longest_ms(int64_t rtt_us);
/* True if the setup of a test, SETUP_TRIPS round trips without data, takes longer: the
 * client measures beside it, else before. */
bool idle_goes_beside(int64_t rtt_us);

/* Measure over UDP, for a client. Without spec->echo_port, or where the server does not
 * answer, nothing is known. */
void idle_ask(const struct test_spec *spec, struct idle_figures *ret);

/* Start a thread that answers the other end's idle_ask() until the process ends. The test
 * goes on without it where the port is not free. */
void idle_answer(const struct test_spec *spec);

#endif
