/* SPDX-License-Identifier: MIT */
/* A small web server on one address. */

#include "sync/http.h"

#include <civetweb.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "sync/callers.h"
#include "sync/code.h"
#include "sync/msg.h"
#include "sync/sockets.h"

/* A connection that says nothing, or not all, gives its worker back after this, if it
 * was not ended before for another's sake. */
#define REQUEST_TIMEOUT_MS 3000
/* The rest of a refused request is still read, up to here: closing over unread bytes
 * resets the connection, and the answer is lost. */
#define DRAIN_LIMIT 65536
#define DRAIN_MS    1000

/* The kernel doubles it, then counts its own headers of packets in, more than the answer
 * itself; beyond 208 KiB it does not go unless told to (wmem_max). */
#define SEND_BUFFER (HTTP_ANSWER_MAX * 5 / 2)

#define BAD_TARGET "the request's target is not a path"

struct http {
	struct http_config config;
	struct mg_context *mg;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	bool stopping;
	int running; /* handlers */
	int listener;
	struct callers callers;
};

const char *http_library_version(void)
{
	return mg_version();
}

/* --- connections --- */

/* Count the connection; its owner is not yet known. */
static int connection_open(const struct mg_connection *conn, void **ret_data)
{
	struct http *http = mg_get_user_data(mg_get_context(conn));

	(void)ret_data;
	callers_arrived(&http->callers);
	return 0;
}

/* --- answers --- */

void http_answer(struct http_response *ret, int code, const char *text)
{
	struct msg_answer answer = {.code = code};

	snprintf(answer.text, sizeof(answer.text), "%s", text);
	ret->status = code_http_status(code);
	ret->json = msg_answer_encode(&answer, NULL);
}

static void refuse(struct http_response *ret, int status, int code, const char *text)
{
	http_answer(ret, code, text);
	ret->status = status;
	ret->keep = false;
}

/* Headers and body leave in one write: as one segment where they fit one. */
static int write_whole(const struct http_response *response, const char *reason,
		       const char *body, char **ret)
{
	const char *allow = response->allow;

	return asprintf(ret,
			"HTTP/1.1 %d %s\r\n"
			"Content-Type: %s\r\n"
			"Content-Length: %zu\r\n"
			"Cache-Control: no-store\r\n"
			"%s%s%s%s"
			"Connection: %s\r\n\r\n%s",
			response->status, reason,
			response->type ? response->type : "application/json",
			body ? strlen(body) : 0, allow ? "Allow: " : "",
			allow ? allow : "", allow ? "\r\n" : "",
			response->headers ? response->headers : "",
			response->keep ? "keep-alive" : "close", body ? body : "");
}

/* False: not all of it was sent, and the connection ends. */
static bool send_response(struct mg_connection *conn, struct http_response *response)
{
	cleanup_free char *json = response->json;
	cleanup_free char *whole = NULL;
	int length;

	if (!response->keep)
		mg_disable_connection_keep_alive(conn);
	length = write_whole(response,
			     mg_get_response_code_text(conn, response->status),
			     response->document ? response->document : json, &whole);
	if (length < 0)
		whole = NULL;
	else if (mg_write(conn, whole, (size_t)length) == length)
		return true;
	mg_disable_connection_keep_alive(conn);
	return false;
}

/* --- refusals --- */

/* The user data of a connection whose last request was refused, perhaps unread. */
static char refused;

/* The request's end may still be under way. */
static void send_refusal(struct mg_connection *conn, struct http_response *response)
{
	send_response(conn, response);
	mg_set_user_connection_data(conn, &refused);
}

/* False: *ret is the refusal, which says nothing else to an outsider. */
static bool admit(const struct http *http, const char *address,
		  struct http_response *ret)
{
	const struct http_config *config = &http->config;
	int r = config->admit ? config->admit(config->ctx, address) : 0;

	if (r == -EAGAIN)
		refuse(ret, 503, EAGAIN,
		       "cannot look up the caller's route now: try again");
	else if (r < 0)
		refuse(ret, 403, EPERM, "not permitted from here");
	return r == 0;
}

static void refuse_broken(struct mg_connection *conn, const char *text)
{
	struct http *http = mg_get_user_data(mg_get_context(conn));
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct http_response response = {0};
	int fd;

	/* One that was ended has nobody who reads. */
	if (!callers_asked(&http->callers, info->remote_addr, info->remote_port, &fd))
		return;
	if (admit(http, info->remote_addr, &response))
		refuse(&response, 400, EBADMSG, text);
	send_refusal(conn, &response);
}

/* Broken requests, which civetweb refuses before begin_request(). */
static int http_error(struct mg_connection *conn, int status, const char *text)
{
	(void)status;
	refuse_broken(conn, text);
	return 0;
}

static void drain(int fd)
{
	int64_t deadline_ms = clock_boot_ms() + DRAIN_MS;
	char rest[1024];
	size_t left = DRAIN_LIMIT;
	ssize_t n = 1;

	shutdown(fd, SHUT_WR);
	while (n > 0 && left >= sizeof(rest) && io_wait(fd, -1, deadline_ms) == 1) {
		n = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);
		left -= n > 0 ? (size_t)n : 0;
	}
}

/* civetweb drops a request for '*' or for another server's URI without a word: there is a
 * target, but no path of it. */
static bool is_dropped(const struct mg_connection *conn,
		       const struct mg_request_info *info)
{
	return mg_get_user_connection_data(conn) != &refused && info->request_uri &&
	       !info->local_uri_raw;
}

static void connection_close(const struct mg_connection *conn)
{
	struct http *http = mg_get_user_data(mg_get_context(conn));
	const struct mg_request_info *info = mg_get_request_info(conn);
	int fd;

	if (is_dropped(conn, info))
		refuse_broken((struct mg_connection *)conn, BAD_TARGET);
	if (mg_get_user_connection_data(conn) == &refused) {
		fd = callers_refused(&http->callers, info->remote_addr,
				     info->remote_port);
		if (fd >= 0)
			drain(fd);
	}
	callers_left(&http->callers, info->remote_addr, info->remote_port);
}

static int log_message(const struct mg_connection *conn, const char *message)
{
	(void)conn;
	(void)message;
	return 1;
}

/* --- requests --- */

static bool names_us(const struct http_config *config, const char *host)
{
	for (int i = 0; i < 3 && config->names[i]; i++) {
		size_t length = strlen(config->names[i]);
		const char *port;

		if (strncasecmp(host, config->names[i], length) != 0)
			continue;
		port = host + length;
		if (*port == '\0')
			return true;
		if (*port == ':' && strspn(port + 1, "0123456789") == strlen(port + 1))
			return true;
	}
	return false;
}

static bool is_json(const char *type)
{
	static const char json[] = "application/json";

	return type && strncasecmp(type, json, strlen(json)) == 0 &&
	       strchr("; \t", type[strlen(json)]) != NULL;
}

static bool writes(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
}

static int count_headers(const struct mg_request_info *info, const char *name)
{
	int count = 0;

	for (int i = 0; i < info->num_headers; i++)
		count += strcasecmp(info->http_headers[i].name, name) == 0;
	return count;
}

/* civetweb takes the first of several headers, a number for what follows it, and what
 * comes behind its last header for none. */
static const char *find_flaw(struct mg_connection *conn,
			     const struct mg_request_info *info)
{
	const char *length = mg_get_header(conn, "Content-Length");

	if (info->request_uri[0] != '/')
		return BAD_TARGET;
	if (info->num_headers >= MG_MAX_HEADERS)
		return "the request has too many headers";
	if (count_headers(info, "Host") > 1)
		return "the request has several 'Host'";
	if (count_headers(info, "Content-Length") > 1)
		return "the request has several 'Content-Length'";
	if (length && (!length[0] || length[strspn(length, "0123456789")]))
		return "'Content-Length' is not a number";
	return NULL;
}

/* False: *ret is the refusal. */
static bool is_served(const struct http_config *config, struct mg_connection *conn,
		      const struct mg_request_info *info, struct http_response *ret)
{
	const char *host = mg_get_header(conn, "Host");
	const char *flaw = find_flaw(conn, info);
	bool change = writes(info->request_method);

	if (flaw) {
		refuse(ret, 400, EBADMSG, flaw);
	} else if (!host || !names_us(config, host)) {
		/* A page whose name was made to resolve to this address is not our
		 * caller. */
		refuse(ret, 421, EPERM,
		       "misdirected request: 'Host' is not this endpoint's address");
	} else if (mg_get_header(conn, "Transfer-Encoding")) {
		refuse(ret, 411, EBADMSG, "the request has no 'Content-Length'");
	} else if (!change && strcmp(info->request_method, "GET") != 0) {
		refuse(ret, 405, EOPNOTSUPP, "method not served here");
		ret->allow = config->read_only ? "GET" : "GET, POST, PUT";
	} else if (change && config->read_only) {
		refuse(ret, 403, EPERM,
		       "read-only: changes are taken over the tunnel alone");
	} else if (change && !is_json(mg_get_header(conn, "Content-Type"))) {
		/* A browser asks before it sends this type to another site. */
		refuse(ret, 415, EMEDIUMTYPE, "'Content-Type' is not application/json");
	} else if (change && info->content_length < 0) {
		refuse(ret, 411, EBADMSG, "the request has no 'Content-Length'");
	} else if (info->content_length > (long long)config->body_limit) {
		refuse(ret, 413, EMSGSIZE, "the request's body is too large");
	} else if (mg_get_header(conn, "Expect")) {
		refuse(ret, 417, EBADMSG, "'Expect' is not served: send the body");
	} else {
		return true;
	}
	return false;
}

/*
 * `size` bytes of the body, all of them or false. Byte by byte (from civetweb's buffer,
 * as a rule): its own loop waits anew for each byte, and one sender could hold a worker
 * for an hour.
 */
static bool read_body(struct mg_connection *conn, char *into, size_t size)
{
	int64_t deadline_ms = clock_boot_ms() + REQUEST_TIMEOUT_MS;

	for (size_t i = 0; i < size; i++) {
		if (mg_read(conn, into + i, 1) != 1)
			return false;
		if (clock_left_ms(deadline_ms) == 0)
			return false;
	}
	return true;
}

static void call_handler(struct http *http, const struct mg_request_info *info,
			 const char *body, struct http_response *ret)
{
	struct http_request request = {
		.method = info->request_method,
		.path = info->local_uri_raw,
		.query = info->query_string ? info->query_string : "",
		.address = info->remote_addr,
		.body = body,
		.size = info->content_length > 0 ? (size_t)info->content_length : 0,
	};

	http->config.handle(http->config.ctx, &request, ret);
}

/* True if the client can reuse its connection. */
static bool wants_keep(struct mg_connection *conn, const struct mg_request_info *info)
{
	const char *connection = mg_get_header(conn, "Connection");

	if (connection)
		return strcasecmp(connection, "keep-alive") == 0;
	return strcmp(info->http_version, "1.1") == 0;
}

static bool enter(struct http *http)
{
	bool in;

	pthread_mutex_lock(&http->lock);
	in = !http->stopping;
	http->running += in;
	pthread_mutex_unlock(&http->lock);
	return in;
}

static void leave(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	http->running--;
	pthread_cond_broadcast(&http->idle);
	pthread_mutex_unlock(&http->lock);
}

/* A caller that does not read must not keep the worker. */
static void take_whole_answer(int fd)
{
	int size = SEND_BUFFER;

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* A request that is here as a whole, to the end of its answer. */
static void serve(struct http *http, struct mg_connection *conn, int fd,
		  const struct mg_request_info *info, const char *body)
{
	struct http_response response = {0};
	bool sent;

	if (!enter(http)) {
		refuse(&response, 503, ESHUTDOWN, "the server is ending");
		send_response(conn, &response);
		return;
	}
	call_handler(http, info, body, &response);
	response.keep = response.keep && wants_keep(conn, info);
	take_whole_answer(fd);
	sent = send_response(conn, &response);
	callers_answered(&http->callers, fd, sent && response.keep);
	leave(http);
}

/* A request that is served: its body, then its answer. */
static void take(struct http *http, struct mg_connection *conn, int fd,
		 const struct mg_request_info *info)
{
	size_t size = info->content_length > 0 ? (size_t)info->content_length : 0;
	struct http_response response = {0};
	char *body = calloc(1, size + 1);
	bool whole;

	if (size > 0)
		callers_lacks(&http->callers, fd);
	whole = body && read_body(conn, body, size);
	if (!callers_complete(&http->callers, fd)) {
		mg_disable_connection_keep_alive(conn);
	} else if (whole) {
		serve(http, conn, fd, info, body);
	} else {
		refuse(&response, 408, EBADMSG, "the request's body did not come");
		send_refusal(conn, &response);
	}
	free(body);
}

/* Never 0: civetweb is not to look at any request itself. */
static int begin_request(struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct http *http = info->user_data;
	struct http_response response = {0};
	int fd;

	if (!callers_asked(&http->callers, info->remote_addr, info->remote_port, &fd))
		mg_disable_connection_keep_alive(conn);
	else if (admit(http, info->remote_addr, &response) &&
		 is_served(&http->config, conn, info, &response))
		take(http, conn, fd, info);
	else
		send_refusal(conn, &response);
	return 1;
}

/* --- start and stop --- */

static int start(struct http *http, struct err *err)
{
	static const struct mg_callbacks callbacks = {
		.init_connection = connection_open,
		.begin_request = begin_request,
		.connection_close = connection_close,
		.http_error = http_error,
		.log_message = log_message,
	};
	const struct http_config *config = &http->config;
	bool v6 = strchr(config->address, ':') != NULL;
	char port[80];
	char workers[12];
	char timeout_ms[12];
	char head_max[12];
	int rc;
	const char *options[] = {
		"listening_ports",
		port,
		"num_threads",
		workers,
		"request_timeout_ms",
		timeout_ms,
		"enable_keep_alive",
		"yes",
		"keep_alive_timeout_ms",
		"30000",
		"listen_backlog",
		"1000",
		"tcp_nodelay",
		"1",
		"max_request_size",
		head_max,
		"decode_url",
		"no",
		"enable_directory_listing",
		"no",
		"access_control_allow_methods",
		"",
		NULL,
	};

	snprintf(port, sizeof(port), v6 ? "[%s]:%d" : "%s:%d", config->address,
		 config->port);
	snprintf(workers, sizeof(workers), "%d", config->workers);
	snprintf(timeout_ms, sizeof(timeout_ms), "%d", REQUEST_TIMEOUT_MS);
	snprintf(head_max, sizeof(head_max), "%d", CALLERS_HEAD_MAX);
	rc = callers_start(&http->callers, config->address, config->port,
			   config->workers, err);
	if (rc < 0)
		return rc;
	mg_init_library(MG_FEATURES_DEFAULT);
	http->mg = mg_start(&callbacks, http, options);
	if (http->mg) {
		http->listener = sockets_find_listener(&http->callers.local);
		return 0;
	}
	mg_exit_library();
	callers_stop(&http->callers);
	return err_set(err, -EIO, "cannot start the web server on '%s' port %d",
		       config->address, config->port);
}

int http_new(const struct http_config *config, struct http **ret, struct err *err)
{
	struct http *http;
	bool v6 = mg_check_feature(MG_FEATURES_IPV6) != 0;
	int rc = sockets_try_listen(config->address, config->port, v6, err);

	if (rc < 0)
		return rc;
	http = calloc(1, sizeof(*http));
	if (!http)
		return err_set(err, -ENOMEM, "out of memory for the web server");
	http->config = *config;
	pthread_mutex_init(&http->lock, NULL);
	pthread_cond_init(&http->idle, NULL);
	rc = start(http, err);
	if (rc < 0) {
		http_free(http);
		return rc;
	}
	*ret = http;
	return 0;
}

static void wake_threads(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	http->stopping = true;
	while (http->running > 0)
		pthread_cond_wait(&http->idle, &http->lock);
	if (http->listener >= 0)
		shutdown(http->listener, SHUT_RDWR);
	pthread_mutex_unlock(&http->lock);
	callers_end_all(&http->callers);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (http->mg) {
		wake_threads(http);
		mg_stop(http->mg);
		mg_exit_library();
		callers_stop(&http->callers);
	}
	pthread_cond_destroy(&http->idle);
	pthread_mutex_destroy(&http->lock);
	free(http);
}
