/* SPDX-License-Identifier: MIT */
/* The lines that make an applied MTU last. */
#include "cmd/alone/alone_lines.h"

#include "base/io.h"
#include "cmd/host/host_conf.h"
#include "report/ready.h"

void alone_tell_lines(const struct host *host, const char *end, bool by_route, int mtu)
{
	const struct ready ready = {
		.end = end,
		.host = "",
		.interface = host->link.name,
		.mtu = mtu,
		.proof = "",
	};
	const char *system = host_conf_system(host);
	cleanup_free char *text = NULL;

	if (!system || by_route)
		return;
	text = ready_text(system, &ready);
	if (!text)
		return;
	host_tell("the MTU of '%s' lasts until the interface's next start, unless you "
		  "add it there:",
		  host->link.name);
	host_tell_text(text);
}
