/* SPDX-License-Identifier: MIT */
/* The kernel's counters of reassembled packets. */
#include "netctl/reasm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define FILE_MAX ((size_t)64 << 10)
#define TRACKED  "/proc/sys/net/netfilter/nf_conntrack_frag6_timeout"

/* Read the number after `count` blanks. */
static int take_column(const char *line, int count, uint64_t *ret)
{
	char *end;

	for (int i = 0; i < count; i++) {
		line += strcspn(line, " \n");
		if (*line++ != ' ')
			return -EBADMSG;
	}
	*ret = strtoull(line, &end, 10);
	return end == line ? -EBADMSG : 0;
}

/* "Ip: Forwarding ... ReasmOKs ...", and in the next line the numbers in the same
 * order. */
static int parse_ipv4(const char *text, const char *name, uint64_t *ret)
{
	const char *names = strncmp(text, "Ip: ", 4) == 0 ? text
							  : strstr(text, "\nIp: ");
	const char *end;
	const char *at;
	int column = 0;

	if (!names)
		return -EBADMSG;
	names += *names == '\n';
	end = strchr(names, '\n');
	at = strstr(names, name);
	if (!end || !at || at > end || strncmp(end, "\nIp: ", 5) != 0)
		return -EBADMSG;
	for (const char *c = names; c <= at; c++)
		column += *c == ' ';
	return take_column(end + 1, column, ret);
}

/* "Ip6ReasmOKs                     	0" */
static int parse_ipv6(const char *text, const char *name, uint64_t *ret)
{
	const char *line = strstr(text, name);
	char *end;

	if (!line)
		return -EBADMSG;
	line += strlen(name);
	line += strspn(line, " \t");
	*ret = strtoull(line, &end, 10);
	return end == line ? -EBADMSG : 0;
}

int reasm_parse(int family, const char *text, uint64_t *ret)
{
	return family == 4 ? parse_ipv4(text, " ReasmOKs", ret)
			   : parse_ipv6(text, "Ip6ReasmOKs", ret);
}

static int parse_fragments(int family, const char *text, uint64_t *ret)
{
	return family == 4 ? parse_ipv4(text, " FragCreates", ret)
			   : parse_ipv6(text, "Ip6FragCreates", ret);
}

static const char *file_of(int family)
{
	return family == 4 ? "/proc/net/snmp" : "/proc/net/snmp6";
}

static int read_count(int family,
		      int (*parse)(int family, const char *text, uint64_t *ret),
		      uint64_t *ret, struct err *err)
{
	const char *path = file_of(family);
	cleanup_free char *text = NULL;
	cleanup_fd int fd = -1;
	size_t size;
	int r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	r = io_read_file(fd, FILE_MAX, &text, &size);
	if (r == 0)
		r = parse(family, text, ret);
	if (r < 0)
		return err_sys(err, -r, "cannot read '%s'", path);
	return 0;
}

int reasm_count(int family, uint64_t *ret, struct err *err)
{
	if (family == 6 && access(TRACKED, F_OK) == 0)
		return err_set(err, -EOPNOTSUPP,
			       "connection tracking hides IPv6 fragments from '%s'",
			       file_of(family));
	return read_count(family, reasm_parse, ret, err);
}

int reasm_fragments(int family, uint64_t *ret, struct err *err)
{
	return read_count(family, parse_fragments, ret, err);
}
