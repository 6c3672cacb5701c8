/* SPDX-License-Identifier: MIT */
/* Checks of a test's description, and its deadlines. */
#include "engine/testspec.h"

#include <errno.h>
#include <string.h>

#include "base/address.h"

#define DURATION_MIN_MS 100
#define DURATION_MAX_MS 3600000
#define RTT_MAX_US      60000000
#define PRECISION_MAX   50

static int check_texts(const struct test_spec *spec, struct err *err)
{
	bool any_local = spec->role == ROLE_CLIENT && spec->local[0] == '\0';
	struct sockaddr_storage address;

	if (!memchr(spec->interface, '\0', sizeof(spec->interface)) ||
	    !memchr(spec->local, '\0', sizeof(spec->local)) ||
	    !memchr(spec->remote, '\0', sizeof(spec->remote)) ||
	    !memchr(spec->congestion, '\0', sizeof(spec->congestion)))
		return err_set(err, -EINVAL, "the test's description is damaged");
	if (!any_local && address_parse(spec->local, spec->port, &address) < 0)
		return err_set(err, -EINVAL, "invalid address '%s' of this end",
			       spec->local);
	if (address_parse(spec->remote, spec->port, &address) < 0)
		return err_set(err, -EINVAL, "invalid address '%s' of the other end",
			       spec->remote);
	return 0;
}

int testspec_check(const struct test_spec *spec, struct err *err)
{
	if (spec->role != ROLE_CLIENT && spec->role != ROLE_SERVER)
		return err_set(err, -EINVAL, "invalid role '%d' of a test",
			       (int)spec->role);
	if (spec->kind != TEST_THROUGHPUT && spec->kind != TEST_FULL_SIZE)
		return err_set(err, -EINVAL, "invalid kind '%d' of a test",
			       (int)spec->kind);
	if (spec->kind == TEST_FULL_SIZE &&
	    (spec->packet_size < MTU_MIN || spec->packet_size > MTU_MAX))
		return err_set(err, -EINVAL, "invalid full size '%d' of a packet",
			       spec->packet_size);
	if (spec->kind == TEST_FULL_SIZE && spec->role == ROLE_CLIENT &&
	    (spec->their_size < MTU_MIN || spec->their_size > MTU_MAX))
		return err_set(err, -EINVAL, "invalid full size '%d' of a packet",
			       spec->their_size);
	if (spec->dir != DIR_UPLOAD && spec->dir != DIR_DOWNLOAD)
		return err_set(err, -EINVAL, "invalid direction '%d' of a test",
			       (int)spec->dir);
	if (spec->port < 1 || spec->port > 65535)
		return err_set(err, -EINVAL, "invalid port '%d'", spec->port);
	if (spec->client_port < 0 || spec->client_port > 65535)
		return err_set(err, -EINVAL, "invalid client port '%d'",
			       spec->client_port);
	if (spec->echo_port < 0 || spec->echo_port > 65535)
		return err_set(err, -EINVAL, "invalid echo port '%d'", spec->echo_port);
	if (spec->duration_ms < DURATION_MIN_MS || spec->duration_ms > DURATION_MAX_MS)
		return err_set(err, -EINVAL,
			       "invalid test length '%lld' ms: expected %d to %d",
			       (long long)spec->duration_ms, DURATION_MIN_MS,
			       DURATION_MAX_MS);
	if (spec->rtt_us < 0 || spec->rtt_us > RTT_MAX_US)
		return err_set(err, -EINVAL, "invalid round trip '%lld' us",
			       (long long)spec->rtt_us);
	if (spec->precision < 0 || spec->precision > PRECISION_MAX)
		return err_set(err, -EINVAL,
			       "invalid precision '%d' %%: expected 1 to %d",
			       spec->precision, PRECISION_MAX);
	return check_texts(spec, err);
}

static int64_t round_trips_ms(const struct test_spec *spec, int count)
{
	return (spec->rtt_us * count + 999) / 1000;
}

static int64_t at_least(int64_t least_ms, int64_t ms)
{
	return ms > least_ms ? ms : least_ms;
}

static int64_t silence_ms(const struct test_spec *spec)
{
	return at_least(1500, round_trips_ms(spec, 8));
}

int64_t testspec_blackhole_ms(const struct test_spec *spec)
{
	return spec->lost ? at_least(500, round_trips_ms(spec, 4)) : silence_ms(spec);
}

int64_t testspec_connect_ms(const struct test_spec *spec)
{
	return silence_ms(spec);
}

int64_t testspec_reach_ms(const struct test_spec *spec)
{
	/* The second SYN goes out after 1 s. */
	return spec->first ? at_least(1200, round_trips_ms(spec, 8)) : silence_ms(spec);
}

int64_t testspec_stall_ms(const struct test_spec *spec)
{
	return at_least(5000, round_trips_ms(spec, 4));
}

static int64_t busy_ms(const struct test_spec *spec)
{
	return spec->duration_ms + round_trips_ms(spec, 10) + 5000;
}

int64_t testspec_refused_ms(const struct test_spec *spec)
{
	return spec->first ? testspec_reach_ms(spec) : busy_ms(spec);
}

int64_t testspec_deadline_ms(const struct test_spec *spec)
{
	return busy_ms(spec) + 5000;
}
