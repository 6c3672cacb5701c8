/* SPDX-License-Identifier: MIT */
/* The names and HTTP statuses of error numbers. */

#include "sync/code.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct code {
	const char *name;
	int code;
	int http_status;
};

static const struct code codes[] = {
	{"OK", 0, 200},
	{"EIO", EIO, 500},
	{"EBADMSG", EBADMSG, 400},
	{"EINVAL", EINVAL, 400},
	{"ERANGE", ERANGE, 400},
	{"EPERM", EPERM, 403},
	{"EACCES", EACCES, 403},
	{"ENOENT", ENOENT, 404},
	{"EOPNOTSUPP", EOPNOTSUPP, 405},
	{"EBUSY", EBUSY, 409},
	{"ENODATA", ENODATA, 409},
	{"ESTALE", ESTALE, 410},
	{"EMSGSIZE", EMSGSIZE, 413},
	{"EMEDIUMTYPE", EMEDIUMTYPE, 415},
	{"EPROTO", EPROTO, 426},
	{"ENOMEM", ENOMEM, 500},
	{"EPIPE", EPIPE, 500},
	{"EROFS", EROFS, 500},
	{"EMFILE", EMFILE, 500},
	{"ENFILE", ENFILE, 500},
	{"ENOBUFS", ENOBUFS, 500},
	{"EADDRINUSE", EADDRINUSE, 500},
	{"EADDRNOTAVAIL", EADDRNOTAVAIL, 500},
	{"EAGAIN", EAGAIN, 503},
	{"EINTR", EINTR, 503},
	{"ECANCELED", ECANCELED, 503},
	{"ESHUTDOWN", ESHUTDOWN, 503},
	{"ENODEV", ENODEV, 503},
	{"ENETDOWN", ENETDOWN, 503},
	{"ENETUNREACH", ENETUNREACH, 503},
	{"ENOTCONN", ENOTCONN, 503},
	{"EHOSTDOWN", EHOSTDOWN, 503},
	{"EHOSTUNREACH", EHOSTUNREACH, 503},
	{"ETIMEDOUT", ETIMEDOUT, 504},
	{"EDQUOT", EDQUOT, 429},
	{"ENOSPC", ENOSPC, 507},
};

#define CODE_COUNT   (sizeof(codes) / sizeof(codes[0]))
#define CODE_UNKNOWN (&codes[1])

static const struct code *find_code(int code)
{
	for (size_t i = 0; i < CODE_COUNT; i++) {
		if (codes[i].code == code)
			return &codes[i];
	}
	return CODE_UNKNOWN;
}

int code_http_status(int code)
{
	return find_code(code)->http_status;
}

const char *code_name(int code)
{
	return find_code(code)->name;
}

int code_from_name(const char *name)
{
	for (size_t i = 0; i < CODE_COUNT; i++) {
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	}
	return CODE_UNKNOWN->code;
}
