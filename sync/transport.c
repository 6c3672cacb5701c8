/* SPDX-License-Identifier: MIT */
/* One HTTP request after the other to one server. */

#include "sync/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/types.h"
#include "sync/msg.h"

/* Headers of all sorts; a server that sends more is not ours. */
#define HEADER_LIMIT 4096
/* Tries of a request whose connection is reset. */
#define ATTEMPTS         3
#define ATTEMPT_AGAIN_MS 20

struct transport {
	CURL *easy;
	CURLM *multi;
	struct curl_slist *headers;
	char interface[IF_NAME_SIZE];
	long scope; /* the interface's index, for a link-local address; else 0 */
	char where[ADDRESS_SIZE + 16];
	int stop_fd;
	int64_t rtt_us;
	bool begun;          /* by transport_begin() */
	uint32_t sent_again; /* segments of the connection, as of the last answer */
	bool clean;

	curl_socket_t socket; /* the newest connection's, while it is open */
	size_t header_size;
	size_t size;
	char body[MSG_BODY_LIMIT];
};

/* --- libcurl's callbacks --- */

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	struct transport *transport = ctx;

	(void)purpose;
	transport->socket = fd;
	transport->sent_again = 0;
	return CURL_SOCKOPT_OK;
}

/* Its number may be another's from here on. */
static int on_close(void *ctx, curl_socket_t fd)
{
	struct transport *transport = ctx;

	if (transport->socket == fd)
		transport->socket = CURL_SOCKET_BAD;
	return close(fd);
}

static size_t on_header(char *data, size_t one, size_t size, void *ctx)
{
	struct transport *transport = ctx;
	struct tcp_info info;
	socklen_t length = sizeof(info);

	(void)data;
	(void)one;
	/* Here the connection is certainly there; after the answer it may be closed. */
	if (transport->header_size == 0 &&
	    getsockopt(transport->socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
		transport->rtt_us = info.tcpi_rtt;
		transport->clean = info.tcpi_total_retrans == transport->sent_again;
		transport->sent_again = info.tcpi_total_retrans;
	}
	transport->header_size += size;
	return transport->header_size <= HEADER_LIMIT ? size : 0;
}

static size_t on_body(char *data, size_t one, size_t size, void *ctx)
{
	struct transport *transport = ctx;

	(void)one;
	if (size > sizeof(transport->body) - transport->size)
		return 0;
	memcpy(transport->body + transport->size, data, size);
	transport->size += size;
	return size;
}

/* --- making one --- */

static void global_init(void)
{
	/* Plain HTTP only: no need to load what TLS needs. */
	curl_global_init(CURL_GLOBAL_NOTHING);
}

static bool set_callbacks(struct transport *transport)
{
	CURL *easy = transport->easy;
	CURLcode rc = CURLE_OK;

	rc |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	rc |= curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, transport);
	rc |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	rc |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transport);
	rc |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	rc |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, transport);
	rc |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	rc |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transport);
	return rc == CURLE_OK;
}

/* Nothing from the environment or from what a server says may lead elsewhere. */
static bool set_options(struct transport *transport)
{
	CURL *easy = transport->easy;
	char interface[IF_NAME_SIZE + 3];
	CURLcode rc = CURLE_OK;

	rc |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	rc |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	rc |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	rc |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	rc |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	rc |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	rc |= curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	rc |= curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 1L);
	rc |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transport->headers);
	if (transport->scope)
		rc |= curl_easy_setopt(easy, CURLOPT_ADDRESS_SCOPE, transport->scope);
	if (transport->interface[0]) {
		snprintf(interface, sizeof(interface), "if!%s", transport->interface);
		rc |= curl_easy_setopt(easy, CURLOPT_INTERFACE, interface);
	}
	return rc == CURLE_OK;
}

/* Only what the server looks at: a message has to stay small. */
static bool set_headers(struct transport *transport)
{
	static const char *const lines[] = {
		"Content-Type: application/json",
		"Accept:",
		"Expect:",
		"User-Agent:",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct curl_slist *longer =
			curl_slist_append(transport->headers, lines[i]);

		if (!longer)
			return false;
		transport->headers = longer;
	}
	return true;
}

int transport_new(const struct transport_config *config, struct transport **ret,
		  struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct transport *transport = calloc(1, sizeof(*transport));
	bool ipv6 = strchr(config->address, ':') != NULL;

	pthread_once(&once, global_init);
	if (!transport)
		return err_set(err, -ENOMEM, "out of memory for the HTTP client");
	transport->stop_fd = config->stop_fd;
	transport->socket = CURL_SOCKET_BAD;
	snprintf(transport->interface, sizeof(transport->interface), "%s",
		 config->interface);
	if (address_is_link_local(config->address))
		transport->scope = if_nametoindex(config->interface);
	snprintf(transport->where, sizeof(transport->where), "%s%s%s:%d",
		 ipv6 ? "[" : "", config->address, ipv6 ? "]" : "", config->port);
	transport->easy = curl_easy_init();
	transport->multi = curl_multi_init();
	if (!transport->easy || !transport->multi || !set_headers(transport) ||
	    !set_callbacks(transport) || !set_options(transport)) {
		transport_free(transport);
		return err_set(err, -ENOMEM, "cannot set up the HTTP client");
	}
	*ret = transport;
	return 0;
}

void transport_free(struct transport *transport)
{
	if (!transport)
		return;
	if (transport->begun)
		curl_multi_remove_handle(transport->multi, transport->easy);
	curl_easy_cleanup(transport->easy);
	curl_multi_cleanup(transport->multi);
	curl_slist_free_all(transport->headers);
	free(transport);
}

void transport_ignore_stop(struct transport *transport)
{
	transport->stop_fd = -1;
}

int64_t transport_rtt_us(const struct transport *transport)
{
	return transport->rtt_us;
}

bool transport_was_clean(const struct transport *transport)
{
	return transport->clean;
}

const char *transport_where(const struct transport *transport)
{
	return transport->where;
}

/* --- one exchange --- */

static bool prepare_transfer(struct transport *transport,
			     const struct transport_exchange *x)
{
	char url[sizeof(transport->where) + 128];
	CURL *easy = transport->easy;
	CURLcode rc = CURLE_OK;

	transport->size = 0;
	transport->header_size = 0;
	snprintf(url, sizeof(url), "http://%s%s", transport->where, x->path);
	rc |= curl_easy_setopt(easy, CURLOPT_URL, url);
	if (x->body) {
		rc |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
		rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE,
				       (long)strlen(x->body));
		rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, x->body);
	} else {
		rc |= curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	rc |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, x->method);
	return rc == CURLE_OK;
}

/* The CURLcode as an errno. CURLE_OUT_OF_MEMORY is not ENOMEM: it is what a header line
 * beyond libcurl's own limit gives. */
static int translate_code(CURL *easy, CURLcode code)
{
	long os_error = 0;

	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return ETIMEDOUT;
	if (code == CURLE_INTERFACE_FAILED)
		return ENODEV;
	if (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
	    code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE)
		return ECONNRESET;
	if (code != CURLE_COULDNT_CONNECT)
		return EPROTO;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
	if (os_error == ECONNREFUSED || os_error == ETIMEDOUT || os_error == ECONNRESET)
		return (int)os_error;
	return EHOSTUNREACH;
}

/* Until the transfer is over: 0 or a positive errno. */
static int drive_transfer(struct transport *transport, int64_t deadline_ms)
{
	struct curl_waitfd stop = {.fd = transport->stop_fd,
				   .events = CURL_WAIT_POLLIN};
	unsigned int extra = transport->stop_fd >= 0;
	int running = 1;
	int queued;
	CURLMsg *done;

	for (;;) {
		if (curl_multi_perform(transport->multi, &running) != CURLM_OK)
			return EIO;
		if (running == 0)
			break;
		if (clock_left_ms(deadline_ms) == 0)
			return ETIMEDOUT;
		stop.revents = 0;
		if (curl_multi_poll(transport->multi, &stop, extra,
				    clock_left_ms(deadline_ms), NULL) != CURLM_OK)
			return EIO;
		if (stop.revents)
			return EINTR;
	}
	done = curl_multi_info_read(transport->multi, &queued);
	return done ? translate_code(transport->easy, done->data.result) : EIO;
}

/*
 * A request that is given up must not arrive later, after those that follow it: it would
 * set another pair, or end their test. The kernel sends what it has of a closed connection
 * again and again, but nothing of one that is reset.
 */
static void reset_when_closed(const struct transport *transport)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (transport->socket != CURL_SOCKET_BAD)
		setsockopt(transport->socket, SOL_SOCKET, SO_LINGER, &at_once,
			   sizeof(at_once));
}

/* 0 or a positive errno. */
static int begin_transfer(struct transport *transport,
			  const struct transport_exchange *x)
{
	if (!prepare_transfer(transport, x))
		return ENOMEM;
	if (curl_multi_add_handle(transport->multi, transport->easy) != CURLM_OK)
		return EIO;
	transport->clean = false;
	return 0;
}

void transport_begin(struct transport *transport, const struct transport_exchange *x)
{
	int running;

	if (transport->begun || begin_transfer(transport, x) != 0)
		return;
	transport->begun = true;
	debug_log("request", "%s %s to %s: begun", x->method, x->path,
		  transport->where);
	/* Whatever comes of it is seen when it goes on. */
	curl_multi_perform(transport->multi, &running);
}

/* 0 or a positive errno. */
static int attempt_exchange(struct transport *transport,
			    const struct transport_exchange *x)
{
	int code = transport->begun ? 0 : begin_transfer(transport, x);

	if (code != 0)
		return code;
	transport->begun = false;
	code = drive_transfer(transport, x->deadline_ms);
	if (code == ETIMEDOUT || code == EINTR)
		reset_when_closed(transport);
	/* This aborts an unfinished request and closes its connection. */
	curl_multi_remove_handle(transport->multi, transport->easy);
	return code;
}

static int fail_exchange(const struct transport *transport, int code, struct err *err)
{
	if (code == EINTR)
		return err_set(err, -EINTR, "request to server '%s' was stopped",
			       transport->where);
	if (code == EPROTO)
		return err_set(err, -EPROTO,
			       "the service at '%s' is not an mtusweep server",
			       transport->where);
	if (code == ENODEV)
		return err_set(err, -ENODEV,
			       "cannot reach server '%s': no interface '%s'",
			       transport->where, transport->interface);
	return err_sys(err, code, "no answer from server '%s'", transport->where);
}

static int run_exchange(struct transport *transport,
			const struct transport_exchange *exchange,
			struct transport_answer *ret, struct err *err)
{
	int64_t begin_ms = 0;
	long status = 0;
	int code = ECONNRESET;

	/* A server with too many callers may end one before it has heard it out. */
	for (int i = 0; i < ATTEMPTS && code == ECONNRESET; i++) {
		/* A stop that is there already ends the request before it is sent. */
		if (io_wait(-1, transport->stop_fd, begin_ms) != 0)
			return fail_exchange(transport, EINTR, err);
		if (i > 0 && clock_left_ms(exchange->deadline_ms) == 0)
			break;
		code = attempt_exchange(transport, exchange);
		begin_ms = clock_boot_ms() + ATTEMPT_AGAIN_MS;
		if (transport->header_size > 0)
			break;
	}
	if (code != 0)
		return fail_exchange(transport, code, err);
	curl_easy_getinfo(transport->easy, CURLINFO_RESPONSE_CODE, &status);
	ret->status = (int)status;
	ret->body = transport->body;
	ret->size = transport->size;
	return 0;
}

int transport_run(struct transport *transport,
		  const struct transport_exchange *exchange,
		  struct transport_answer *ret, struct err *err)
{
	struct err why = ERR_INIT;
	int64_t began_us = clock_boot_us();
	int r = run_exchange(transport, exchange, ret, &why);

	debug_log("request", "%s %s to %s: %s%.*d (%.1f ms, round trip %.1f ms)",
		  exchange->method, exchange->path, transport->where,
		  r < 0 ? why.text : "status ", r == 0, r == 0 ? ret->status : 0,
		  debug_ms_since(began_us), (double)transport->rtt_us / 1000);
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}

const char *transport_library_version(void)
{
	return curl_version_info(CURLVERSION_NOW)->version;
}
