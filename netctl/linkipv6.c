/* SPDX-License-Identifier: MIT */
#include "netctl/linkipv6.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "netctl/sysctl.h"

/* A note is 1, plus this where disable_ipv6 is on, plus twice addr_gen_mode, 0 to 3. */
#define NOTE_OFF 1

#define MODE_NONE 1 /* IN6_ADDR_GEN_MODE_NONE: no link-local address by itself */

#define FOLDER "/proc/sys/net/ipv6/conf"
/* A setting may have any name that a file can have. */
#define NAME_SIZE 320

static void setting_name(const char *interface, const char *setting,
			 char ret[NAME_SIZE])
{
	snprintf(ret, NAME_SIZE, "net/ipv6/conf/%s/%s", interface, setting);
}

static int read_setting(const char *interface, const char *setting)
{
	char name[NAME_SIZE];
	int value;

	setting_name(interface, setting, name);
	return sysctl_read_int(name, &value, NULL) < 0 ? -1 : value;
}

static int write_setting(const char *interface, const char *setting, int value,
			 struct err *err)
{
	char name[NAME_SIZE];

	setting_name(interface, setting, name);
	return sysctl_write_int(name, value, err);
}

static int read_note(const char *interface)
{
	int off = read_setting(interface, "disable_ipv6");
	int mode = read_setting(interface, "addr_gen_mode");

	if (off < 0 || mode < 0)
		return LINKIPV6_NOTHING;
	return 1 + (off ? NOTE_OFF : 0) + 2 * mode;
}

static bool is_off(int note)
{
	return (note - 1) & NOTE_OFF;
}

static int mode_of(int note)
{
	return (note - 1) / 2;
}

int linkipv6_note(const struct rtlink *link)
{
	return link->has_ipv6 || link->mtu < MTU_MIN_IPV6 ? LINKIPV6_NOTHING
							  : read_note(link->name);
}

/* The kernel's own routes are of link-local and multicast addresses. True also if that
 * cannot be told. */
static bool has_route(const char *interface)
{
	cleanup_file FILE *file = fopen("/proc/net/ipv6_route", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		const char *name = strrchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (name && strcmp(name + 1, interface) == 0 &&
		    strncmp(line, "fe80", 4) != 0 && strncmp(line, "ff00", 4) != 0)
			return true;
	}
	return !file;
}

/* True with an address that the kernel does not give by itself. */
static bool has_own_address(const char *interface)
{
	cleanup_file FILE *file = fopen("/proc/net/if_inet6", "re");
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		char name[32];

		if (sscanf(line, "%*s %*s %*s %*s %*s %31s", name) == 1 &&
		    strcmp(name, interface) == 0 && strncmp(line, "fe80", 4) != 0)
			return true;
	}
	return false;
}

/* The MTU, the two that are restored, and a secret that is unreadable without a value. */
static bool is_left_out(const char *setting)
{
	static const char *const names[] = {"disable_ipv6", "addr_gen_mode", "mtu",
					    "stable_secret"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(setting, names[i]) == 0)
			return true;
	}
	return setting[0] == '.';
}

/* -1: the kernel turns it off on links of that kind, now as after the fall. */
static bool is_default(const char *interface, const char *setting)
{
	char name[NAME_SIZE];
	char value[SYSCTL_SIZE];
	char usual[SYSCTL_SIZE];

	setting_name("default", setting, name);
	if (sysctl_read(name, usual, NULL) < 0)
		return false;
	setting_name(interface, setting, name);
	return sysctl_read(name, value, NULL) == 0 &&
	       (strcmp(value, usual) == 0 || strcmp(value, "-1") == 0);
}

/* False also if that cannot be told. */
static bool has_defaults(const char *interface)
{
	const struct dirent *entry;
	char path[NAME_SIZE];
	bool same = true;
	DIR *folder;

	snprintf(path, sizeof(path), FOLDER "/%s", interface);
	folder = opendir(path);
	while (folder && same && (entry = readdir(folder)))
		same = is_left_out(entry->d_name) ||
		       is_default(interface, entry->d_name);
	if (folder)
		closedir(folder);
	return folder && same;
}

static bool is_writable(const char *interface)
{
	char name[NAME_SIZE];
	char path[NAME_SIZE + 16];

	setting_name(interface, "disable_ipv6", name);
	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return access(path, W_OK) == 0;
}

bool linkipv6_may_fall(const struct rtlink *link)
{
	int note = read_note(link->name);

	if (link->mtu < MTU_MIN_IPV6 || access(FOLDER, F_OK) < 0)
		return true;
	/* With another mode it would have an address, unless somebody removed that. */
	if (link->has_ipv6 || note == LINKIPV6_NOTHING ||
	    (!is_off(note) && mode_of(note) != MODE_NONE))
		return false;
	return !has_route(link->name) && has_defaults(link->name) &&
	       is_writable(link->name);
}

/* Addresses go when IPv6 is turned off, and with MODE_NONE none comes when it is turned on
 * again. */
static int write_note(const char *interface, int note, struct err *err)
{
	int r = write_setting(interface, "disable_ipv6", 1, err);

	if (r == 0)
		r = write_setting(interface, "addr_gen_mode", mode_of(note), err);
	if (r == 0 && !is_off(note))
		r = write_setting(interface, "disable_ipv6", 0, err);
	return r;
}

int linkipv6_restore(const char *interface, int note, struct err *err)
{
	if (note == LINKIPV6_NOTHING || read_note(interface) == note)
		return 0;
	if (has_own_address(interface))
		return err_set(
			err, -ESTALE,
			"somebody else gave '%s' an IPv6 address, so its "
			"disable_ipv6 and addr_gen_mode are left as they are (%d "
			"and %d before the run)",
			interface, is_off(note), mode_of(note));
	return write_note(interface, note, err);
}
