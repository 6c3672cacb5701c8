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

int sysctl_read(const char *name, char ret[SYSCTL_SIZE], struct err *err)
{
	char path[256];
	ssize_t n;
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	n = read(fd, ret, SYSCTL_SIZE - 1);
	if (n < 0)
		return err_sys(err, errno, "cannot read '%s'", path);
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

int sysctl_read_int(const char *name, int *ret, struct err *err)
{
	char text[SYSCTL_SIZE];
	int64_t value;
	int r = sysctl_read(name, text, err);

	if (r < 0)
		return r;
	if (text_to_int(text, INT_MIN, INT_MAX, &value) < 0)
		return err_set(err, -EINVAL, "'/proc/sys/%s' is not a whole number",
			       name);
	*ret = (int)value;
	return 0;
}

int sysctl_write_int(const char *name, int value, struct err *err)
{
	char path[256];
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", value);
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	if (write(fd, text, (size_t)length) != length)
		return err_sys(err, errno, "cannot write '%s'", path);
	return 0;
}

static const struct {
	const char *name;
	int when;
	enum warning_kind kind;
} settings[] = {
	{"net/ipv4/tcp_mtu_probing", 2, WARNING_MTU_PROBING},
	{"net/ipv4/tcp_mtu_probing", 1, WARNING_MTU_PROBING_LATE},
	{"net/ipv4/tcp_no_ssthresh_metrics_save", 0, WARNING_SSTHRESH_KEPT},
};

bool sysctl_warning(int i, struct warning *ret)
{
	for (size_t s = 0; s < sizeof(settings) / sizeof(settings[0]); s++) {
		int value;

		/* A kernel without the setting does not have the behaviour. */
		if (sysctl_read_int(settings[s].name, &value, NULL) < 0 ||
		    value != settings[s].when)
			continue;
		if (i-- > 0)
			continue;
		*ret = (struct warning){.kind = settings[s].kind, .value = value};
		return true;
	}
	return false;
}
