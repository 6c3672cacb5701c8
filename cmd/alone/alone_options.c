/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_options.h"

#include <errno.h>

#include "cmd/alone/alone_iperf.h"

static int check_iperf_server(const struct alone_config *config, struct err *err)
{
	char address[ADDRESS_SIZE];
	int port;

	if (!config->iperf_server)
		return 0;
	if (config->duration_ms > ALONE_IPERF_DURATION_MAX_MS)
		return err_set(err, -EINVAL,
			       "--duration is at most %d with --iperf-server",
			       ALONE_IPERF_DURATION_MAX_MS / 1000);
	return alone_targets_parse("iperf-server", config->iperf_server, address, &port,
				   err);
}

int alone_options_check(const struct alone_config *config, struct err *err)
{
	for (int i = 0; i < config->named.count; i++) {
		char address[ADDRESS_SIZE];
		int port;
		int r = alone_targets_parse(config->option, config->named.words[i],
					    address, &port, err);

		if (r < 0)
			return r;
	}
	return check_iperf_server(config, err);
}

/* The rates of one peer say nothing of another's MTU. */
static int check_one_peer(const struct alone_config *config, const struct host *host,
			  struct err *err)
{
	const char *server = config->iperf.address;
	const struct alone_targets *targets = &config->targets;

	if (!server[0] || host->peers < 2)
		return 0;
	for (int i = 0; i < targets->count; i++) {
		if (!alone_targets_are_of_one_peer(host, server,
						   targets->list[i].address))
			return err_set(err, -EINVAL,
				       "--iperf-server %s is behind another WireGuard "
				       "peer than --%s %s",
				       server, config->option,
				       targets->list[i].address);
	}
	return 0;
}

int alone_options_ready(struct alone_config *config, struct host *host, struct err *err)
{
	int r = 0;

	if (host->by_route && host->peers > 1 && config->named.count != 1)
		return err_set(err, -EINVAL,
			       "'%s' has %d peers: name the address of one with --%s",
			       host->link.name, host->peers, config->option);
	host_options_use_range(&host->guard.bounds.range, host->usual_min);
	config->options = &host_options;
	config->host = host;
	host->guard.bounds.alone = true;
	if (config->iperf_server)
		r = alone_targets_find_one(host, "iperf-server", config->iperf_server,
					   &config->iperf, err);
	if (r == 0)
		r = alone_targets_find(host, config->option, &config->named,
				       &config->targets, err);
	if (r < 0)
		return r;
	if (host->by_route)
		host->route_mtu = config->targets.list[0].route_mtu;
	return check_one_peer(config, host, err);
}
