/* SPDX-License-Identifier: MIT */
/* Ready text for the systems that mtusweep does not configure itself. */
#include "report/ready.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/types.h"

/* WireGuard for Windows takes names of 32 bytes, Linux of 15. */
#define NAME_MAX_SIZE 32
/* Names of sections. */
#define PLAIN_OF_UCI "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

const char *const ready_names[] = {
#define READY_NAME(format, name, text) name,
	READY_FORMATS(READY_NAME)
#undef READY_NAME
		NULL,
};

static const char *const texts[] = {
#define READY_TEXT(format, name, text) [READY_##format] = (text),
	READY_FORMATS(READY_TEXT)
#undef READY_TEXT
};

bool ready_takes_name(enum ready_format format, const char *interface)
{
	size_t plain = strspn(interface, PLAIN_OF_UCI);

	return strlen(interface) <= NAME_MAX_SIZE && text_is_plain_name(interface) &&
	       (format != READY_UCI || !interface[plain]);
}

/* Both ends take part in an MSS, so the smaller MTU counts. */
static int clamp_mtu(const struct ready *ready)
{
	return ready->far_mtu && ready->far_mtu < ready->mtu ? ready->far_mtu
							     : ready->mtu;
}

static void put_value(FILE *out, const struct ready *ready, const char *name,
		      size_t size)
{
	if (strncmp(name, "interface", size) == 0)
		fputs(ready->interface, out);
	else if (strncmp(name, "mtu", size) == 0)
		fprintf(out, "%d", ready->mtu);
	else if (strncmp(name, "mss4", size) == 0)
		fprintf(out, "%d", clamp_mtu(ready) - IPV4_TCP);
	else
		fprintf(out, "%d", clamp_mtu(ready) - IPV6_TCP);
}

/* Up to `end`, which comes after the end of a line. */
static void put_line(FILE *out, const struct ready *ready, const char *line,
		     const char *end)
{
	while (line < end) {
		const char *mark = memchr(line, '@', (size_t)(end - line));
		const char *close = mark ? strchr(mark + 1, '@') : NULL;

		if (!mark || !close) {
			fwrite(line, 1, (size_t)(end - line), out);
			return;
		}
		fwrite(line, 1, (size_t)(mark - line), out);
		put_value(out, ready, mark + 1, (size_t)(close - mark - 1));
		line = close + 1;
	}
}

static void put_text(FILE *out, const struct ready *ready, const char *text)
{
	bool ipv6 = clamp_mtu(ready) >= MTU_MIN_IPV6;

	for (const char *line = text; *line;) {
		const char *end = strchr(line, '\n') + 1;
		const char *mss6 = strstr(line, "@mss6@");

		if (ipv6 || !mss6 || mss6 > end)
			put_line(out, ready, line, end);
		line = end;
	}
}

static void put_head(FILE *out, const struct ready *ready)
{
	char host[HOST_NAME_SIZE];

	text_copy(host, sizeof(host), ready->host);
	text_printable(host);
	fputs("# mtusweep", out);
	if (ready->run)
		fprintf(out, " run %" PRId64, ready->run);
	fprintf(out, ": MTU %d for the %s", ready->mtu, ready->end);
	if (host[0])
		fprintf(out, ", host %s", host);
	if (ready->proof[0])
		fprintf(out, "; %s", ready->proof);
	fputc('\n', out);
}

static void put_notes(FILE *out, const struct ready *ready, enum ready_format format)
{
	bool clamps = format == READY_NFT || format == READY_IPTABLES;

	if (ready->peers > 1)
		fprintf(out,
			"# This interface has %d WireGuard peers: the MTU was found "
			"for one, and\n"
			"# this text is for all. 'mtusweep-peer --apply' sets routes "
			"to one peer.\n",
			ready->peers);
	if (ready->mtu < MTU_MIN_IPV6 && !clamps)
		fputs("# Below 1280 an interface has no IPv6: remove its IPv6 "
		      "addresses and routes\n"
		      "# first. Some systems raise such an MTU to 1280 while IPv6 is "
		      "enabled.\n",
		      out);
}

void ready_print(FILE *out, enum ready_format format, const struct ready *ready)
{
	put_head(out, ready);
	put_notes(out, ready, format);
	put_text(out, ready, texts[format]);
}

char *ready_text(const char *system, const struct ready *ready)
{
	int format = text_find(ready_names, READY_FORMAT_COUNT, system);
	char *text = NULL;
	size_t size;
	FILE *out;

	if (format < 0 ||
	    !ready_takes_name((enum ready_format)format, ready->interface))
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	ready_print(out, (enum ready_format)format, ready);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
