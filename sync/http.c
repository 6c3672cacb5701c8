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

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "sync/code.h"
#include "sync/door.h"
#include "sync/msg.h"
#include "sync/places.h"
#include "sync/whole.h"

/* The kernel doubles this, then charges its own packet headers, which take more than
 * the answer itself. Its limit is 208 KiB unless wmem_max is raised. */
#define SEND_BUFFER (HTTP_ANSWER_MAX * 5 / 2)

#define BAD_TARGET "the request's target is not a path"

struct http {
	struct http_config config;
	struct mg_context *mg;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	bool stopping;
	int running; /* handlers */
	struct door *door;
};

const char *http_library_version(void)
{
	return mg_version();
}

/* --- answers --- */

void http_answer(struct http_response *ret, int code, const char *text)
{
	struct msg_answer answer = {.code = code};

	snprintf(answer.text, sizeof(answer.text), "%s", text);
	ret->status = code_http_status(code);
	ret->json = msg_answer_encode(&answer, NULL);
}

static void refuse_request(struct http_response *ret, int status, int code,
			   const char *text)
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

/* The user data of a connection that has got its last answer. */
static char done;

/* The request's end may still be under way, or what its client sends behind it. */
static void send_last(struct mg_connection *conn, struct http_response *response)
{
	send_response(conn, response);
	mg_set_user_connection_data(conn, &done);
}

/* False: *ret is the refusal, which says nothing else to an outsider. `place`: the
 * connection's at the door. */
static bool admit_caller(const struct http *http, int place, struct http_response *ret)
{
	const struct http_config *config = &http->config;
	int r = 0;

	if (config->admit)
		r = config->admit(config->ctx, door_address(http->door, place),
				  door_zone(http->door, place));
	if (r == -EAGAIN)
		refuse_request(ret, 503, EAGAIN,
			       "cannot look up the caller's route now: try again");
	else if (r < 0)
		refuse_request(ret, 403, EPERM, "not permitted from here");
	return r == 0;
}

static void refuse_broken(struct mg_connection *conn, const char *text)
{
	struct http *http = mg_get_user_data(mg_get_context(conn));
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct http_response response = {0};

	/* Nobody reads from a connection that was ended. */
	if (!door_asked(http->door, info->remote_port))
		return;
	if (admit_caller(http, info->remote_port, &response))
		refuse_request(&response, 400, EBADMSG, text);
	send_last(conn, &response);
}

/* Broken requests, which civetweb refuses before begin_request(). */
static int http_error(struct mg_connection *conn, int status, const char *text)
{
	(void)status;
	refuse_broken(conn, text);
	return 0;
}

/* civetweb silently drops a request for '*' or for another server's URI, which has a
 * target but no path. */
static bool is_dropped(const struct mg_connection *conn,
		       const struct mg_request_info *info)
{
	return mg_get_user_connection_data(conn) != &done && info->request_uri &&
	       !info->local_uri_raw;
}

static void connection_close(const struct mg_connection *conn)
{
	struct http *http = mg_get_user_data(mg_get_context(conn));
	const struct mg_request_info *info = mg_get_request_info(conn);

	if (is_dropped(conn, info))
		refuse_broken((struct mg_connection *)conn, BAD_TARGET);
	door_left(http->door, info->remote_port,
		  mg_get_user_connection_data(conn) == &done);
}

static int log_message(const struct mg_connection *conn, const char *message)
{
	(void)conn;
	(void)message;
	return 1;
}

/* --- requests --- */

static bool is_port(const char *text)
{
	return *text == '\0' ||
	       (*text == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

/* An IPv6 address has several spellings, and some clients add their own zone. */
static bool is_our_address(const struct http_config *config, const char *text,
			   size_t length)
{
	struct sockaddr_storage ours;
	struct sockaddr_storage named;
	char address[ADDRESS_SIZE];

	length = strcspn(text, "%]") < length ? strcspn(text, "%]") : length;
	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	return address_parse(config->address, 0, &ours) == 0 &&
	       address_parse(address, 0, &named) == 0 &&
	       address_same_host(&ours, &named);
}

static bool names_us(const struct http_config *config, const char *host)
{
	const char *end = strchr(host, ']');

	if (host[0] == '[')
		return end && is_port(end + 1) &&
		       is_our_address(config, host + 1, (size_t)(end - host - 1));
	for (int i = 0; i < 3 && config->names[i]; i++) {
		size_t length = strlen(config->names[i]);

		if (strncasecmp(host, config->names[i], length) == 0 &&
		    is_port(host + length))
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

static bool is_write(const char *method)
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

/* civetweb takes the first of several headers, ignores text after a number, and ignores
 * headers beyond its limit. */
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
	bool change = is_write(info->request_method);

	if (flaw) {
		refuse_request(ret, 400, EBADMSG, flaw);
	} else if (!host || !names_us(config, host)) {
		/* A page whose name was made to resolve to this address is not our
		 * caller. */
		refuse_request(
			ret, 421, EPERM,
			"misdirected request: 'Host' is not this endpoint's address");
	} else if (mg_get_header(conn, "Transfer-Encoding")) {
		refuse_request(ret, 411, EBADMSG,
			       "the request has no 'Content-Length'");
	} else if (!change && strcmp(info->request_method, "GET") != 0) {
		refuse_request(ret, 405, EOPNOTSUPP, "method not allowed here");
		ret->allow = config->read_only ? "GET" : "GET, POST, PUT";
	} else if (change && config->read_only) {
		refuse_request(
			ret, 403, EPERM,
			"read-only: changes are accepted only through the tunnel");
	} else if (change && !is_json(mg_get_header(conn, "Content-Type"))) {
		/* A browser asks before it sends this type to another site. */
		refuse_request(ret, 415, EMEDIUMTYPE,
			       "'Content-Type' is not application/json");
	} else if (change && info->content_length < 0) {
		refuse_request(ret, 411, EBADMSG,
			       "the request has no 'Content-Length'");
	} else if (info->content_length > (long long)config->body_limit) {
		refuse_request(ret, 413, EMSGSIZE, "the request's body is too large");
	} else if (mg_get_header(conn, "Expect")) {
		refuse_request(ret, 417, EBADMSG,
			       "'Expect' is not supported: send the body");
	} else {
		return true;
	}
	return false;
}

/*
 * `size` bytes of the body, all of them or false. Byte by byte (from civetweb's buffer,
 * as a rule): civetweb's own loop restarts its timeout with each byte, so one sender
 * could hold a worker for an hour.
 */
static bool read_body(struct mg_connection *conn, char *into, size_t size)
{
	int64_t deadline_ms = clock_boot_ms() + PLACES_REST_MS;

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
		.address = door_address(http->door, info->remote_port),
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

static bool enter_call(struct http *http)
{
	bool in;

	pthread_mutex_lock(&http->lock);
	in = !http->stopping;
	http->running += in;
	pthread_mutex_unlock(&http->lock);
	return in;
}

static void leave_call(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	http->running--;
	pthread_cond_broadcast(&http->idle);
	pthread_mutex_unlock(&http->lock);
}

/* A request that is here as a whole, to the end of its answer. */
static void serve_request(struct http *http, struct mg_connection *conn,
			  const struct mg_request_info *info, const char *body)
{
	struct http_response response = {0};
	bool sent;

	if (!enter_call(http)) {
		refuse_request(&response, 503, ESHUTDOWN,
			       "the server is shutting down");
		send_response(conn, &response);
		return;
	}
	call_handler(http, info, body, &response);
	response.keep = response.keep && wants_keep(conn, info);
	sent = send_response(conn, &response);
	if (!sent || !response.keep)
		mg_set_user_connection_data(conn, &done);
	else if (response.spare)
		door_spared(http->door, info->remote_port);
	else
		door_kept(http->door, info->remote_port);
	leave_call(http);
}

/* A request that is served: its body, then its answer. */
static void take_request(struct http *http, struct mg_connection *conn,
			 const struct mg_request_info *info)
{
	size_t size = info->content_length > 0 ? (size_t)info->content_length : 0;
	struct http_response response = {0};
	char *body = calloc(1, size + 1);
	bool whole;

	whole = body && (size == 0 || (door_lacks(http->door, info->remote_port) &&
				       read_body(conn, body, size)));
	if (!door_complete(http->door, info->remote_port)) {
		mg_disable_connection_keep_alive(conn);
	} else if (whole) {
		serve_request(http, conn, info, body);
	} else {
		refuse_request(&response, 408, EBADMSG,
			       "the request's body did not arrive");
		send_last(conn, &response);
	}
	free(body);
}

/* Never 0: civetweb is not to look at any request itself. */
static int begin_request(struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct http *http = info->user_data;
	struct http_response response = {0};

	if (!door_asked(http->door, info->remote_port))
		mg_disable_connection_keep_alive(conn);
	else if (admit_caller(http, info->remote_port, &response) &&
		 is_served(&http->config, conn, info, &response))
		take_request(http, conn, info);
	else
		send_last(conn, &response);
	return 1;
}

/* --- start and stop --- */

/* The address for civetweb's own port. A network namespace may have its loopback interface
 * down, so it is the server's address, if that is IPv4: not every civetweb knows IPv6. */
static const char *civetweb_address(const struct http *http)
{
	return strchr(http->config.address, ':') ? "127.0.0.1" : http->config.address;
}

/* Start civetweb on a port of its own choice, where it never gets a connection. */
static int start_civetweb(struct http *http, struct err *err)
{
	static const struct mg_callbacks callbacks = {
		.begin_request = begin_request,
		.connection_close = connection_close,
		.http_error = http_error,
		.log_message = log_message,
	};
	const char *address = civetweb_address(http);
	struct mg_server_port port = {0};
	char listen[ADDRESS_SIZE + 2];
	char workers[12];
	char timeout_ms[12];
	char head_max[12];
	const char *options[] = {
		"listening_ports",
		listen,
		"num_threads",
		workers,
		"request_timeout_ms",
		timeout_ms,
		"enable_keep_alive",
		"yes",
		"keep_alive_timeout_ms",
		"30000",
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

	snprintf(listen, sizeof(listen), "%s:0", address);
	snprintf(workers, sizeof(workers), "%d", http->config.workers);
	snprintf(timeout_ms, sizeof(timeout_ms), "%d", PLACES_PATIENCE_MS);
	snprintf(head_max, sizeof(head_max), "%d", WHOLE_HEAD_MAX);
	mg_init_library(MG_FEATURES_DEFAULT);
	http->mg = mg_start(&callbacks, http, options);
	if (!http->mg)
		mg_exit_library();
	if (!http->mg || mg_get_server_ports(http->mg, 1, &port) != 1)
		return err_set(err, -EIO,
			       "cannot start the web server: no port of %s is free, or "
			       "its interface is down",
			       address);
	return door_install(http->door, address, port.port, err);
}

static int start_server(struct http *http, struct err *err)
{
	const struct http_config *config = &http->config;
	struct door_config door = {
		.address = config->address,
		.interface = config->interface,
		.port = config->port,
		.workers = config->workers,
		.send_buffer = SEND_BUFFER,
	};
	int r = door_new(&door, &http->door, err);

	return r < 0 ? r : start_civetweb(http, err);
}

int http_new(const struct http_config *config, struct http **ret, struct err *err)
{
	struct http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return err_set(err, -ENOMEM, "out of memory for the web server");
	http->config = *config;
	pthread_mutex_init(&http->lock, NULL);
	pthread_cond_init(&http->idle, NULL);
	r = start_server(http, err);
	if (r < 0) {
		http_free(http);
		return r;
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
	pthread_mutex_unlock(&http->lock);
	door_end(http->door);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (http->mg) {
		wake_threads(http);
		mg_stop(http->mg);
		mg_exit_library();
	}
	door_free(http->door);
	pthread_cond_destroy(&http->idle);
	pthread_mutex_destroy(&http->lock);
	free(http);
}
