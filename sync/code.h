/* SPDX-License-Identifier: MIT */
#ifndef SYNC_CODE_H
#define SYNC_CODE_H

/*
 * Error numbers on the wire. They go by name, because their values differ between
 * architectures, and each has its HTTP status (docs/protocol.md). What is not in the
 * table is EIO, 500.
 */

/* `code`: a positive errno, or 0. */
int code_http_status(int code);
/* "EBUSY"; "OK" for 0. Static. */
const char *code_name(int code);
/* The reverse; EIO for a name that is not known here. */
int code_from_name(const char *name);

#endif
