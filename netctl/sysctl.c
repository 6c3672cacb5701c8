/* SPDX-License-Identifier: MIT */
/* Kernel settings that distort a test's result. */
#include "netctl/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

int sysctl_read_int(const char *name, int *ret, struct err *err)
{
	char path[256];
	char text[32];
	int64_t value;
	ssize_t n;
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_sys(err, errno, "cannot read '%s'", path);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (text_to_int(text, INT_MIN, INT_MAX, &value) < 0)
		return err_set(err, -EINVAL, "'%s' is not a whole number", path);
	*ret = (int)value;
	return 0;
}

static const struct warning {
	const char *name;
	int when;
	const char *text;
} warnings[] = {
	{"net/ipv4/tcp_mtu_probing", 2,
	 "TCP finds its own way around a black hole on this host and hides it: set "
	 "'net.ipv4.tcp_mtu_probing' to 0 for the sweep (it is 2)"},
	{"net/ipv4/tcp_mtu_probing", 1,
	 "TCP lowers its segments after a black hole on this host and may hide it: set "
	 "'net.ipv4.tcp_mtu_probing' to 0 for the sweep (it is 1)"},
	{"net/ipv4/tcp_no_ssthresh_metrics_save", 0,
	 "this host carries one test's slow start threshold into the next: set "
	 "'net.ipv4.tcp_no_ssthresh_metrics_save' to 1 for the sweep (it is 0)"},
};

bool sysctl_warning(int i, char *ret, size_t size)
{
	for (size_t w = 0; w < sizeof(warnings) / sizeof(warnings[0]); w++) {
		int value;

		/* A kernel without the setting does not have the behaviour. */
		if (sysctl_read_int(warnings[w].name, &value, NULL) < 0 ||
		    value != warnings[w].when)
			continue;
		if (i-- > 0)
			continue;
		text_copy(ret, size, warnings[w].text);
		return true;
	}
	return false;
}
