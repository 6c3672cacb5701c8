/* SPDX-License-Identifier: MIT */
/* The program that keeps an interface's MTU, and its file. */
#include "netctl/confhome.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/types.h"
#include "netctl/conffile.h"

/* Behind the drop-ins of others, which networkd sorts by name. */
#define DROPIN "zz-mtusweep.conf"

#define KEYFILES "etc/NetworkManager/system-connections"

const char *confhome_name(enum confhome_kind kind)
{
	switch (kind) {
	case CONFHOME_WG_QUICK:
		return "wg-quick";
	case CONFHOME_NETWORKD:
		return "networkd";
	case CONFHOME_NETWORKMANAGER:
		return "networkmanager";
	case CONFHOME_NETPLAN:
		return "netplan";
	case CONFHOME_UCI:
		return "uci";
	case CONFHOME_UNKNOWN:
		break;
	}
	return NULL;
}

bool confhome_is_managed(void)
{
	struct stat first;
	struct stat own;

	return stat("/proc/1/ns/net", &first) < 0 ||
	       stat("/proc/self/ns/net", &own) < 0 ||
	       (first.st_dev == own.st_dev && first.st_ino == own.st_ino);
}

/* --- files --- */

/* NULL: it cannot be read. The caller passes it to conffile_wipe(). */
static char *read_text(const char *root, const char *path, size_t *ret_size)
{
	char whole[PATH_MAX];
	cleanup_fd int fd = -1;
	struct stat st;
	char *text;
	ssize_t n;

	if (snprintf(whole, sizeof(whole), "%s/%s", root, path) >= (int)sizeof(whole))
		return NULL;
	fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > CONFFILE_LIMIT)
		return NULL;
	/* Not a buffer that grows: it would leave copies of keys behind. */
	*ret_size = (size_t)st.st_size;
	text = malloc(*ret_size + 1);
	n = text ? read(fd, text, *ret_size) : -1;
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static bool exists(const char *root, const char *path)
{
	char whole[PATH_MAX];

	return snprintf(whole, sizeof(whole), "%s/%s", root, path) <
		       (int)sizeof(whole) &&
	       access(whole, F_OK) == 0;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

static const char *trim_end(const char *begin, const char *end)
{
	while (end > begin && strchr(" \t\r", end[-1]))
		end--;
	return end;
}

static bool is_word(const char *begin, const char *end, const char *word)
{
	return (size_t)(end - begin) == strlen(word) &&
	       memcmp(begin, word, strlen(word)) == 0;
}

int confhome_value(const char *text, const char *section, const char *key, char *ret,
		   size_t size)
{
	bool inside = !section[0];
	int found = 0;

	while (*text) {
		const char *end = strchrnul(text, '\n');
		const char *begin = skip_blanks(text, end);
		const char *stop = trim_end(begin, end);
		const char *equals = memchr(begin, '=', (size_t)(stop - begin));

		text = *end ? end + 1 : end;
		if (begin < stop && *begin == '[')
			inside = is_word(begin, stop, section);
		if (!inside || !equals || *begin == '#' || *begin == ';' ||
		    !is_word(begin, trim_end(begin, equals), key))
			continue;
		begin = skip_blanks(equals + 1, stop);
		if ((size_t)(stop - begin) >= size)
			continue;
		memcpy(ret, begin, (size_t)(stop - begin));
		ret[stop - begin] = '\0';
		found++;
	}
	return found;
}

static bool value_is(const char *text, const char *section, const char *key,
		     const char *wanted)
{
	char value[256];

	return confhome_value(text, section, key, value, sizeof(value)) > 0 &&
	       strcmp(value, wanted) == 0;
}

/* --- networkd --- */

static bool set_dropin(const char *root, const char *name, struct confhome *ret)
{
	ret->kind = CONFHOME_NETWORKD;
	return snprintf(ret->file, sizeof(ret->file),
			"%s/etc/systemd/network/%.200s.d/" DROPIN, root,
			name) < (int)sizeof(ret->file);
}

/* True where the file is for the interface and no other one. */
static bool is_for_one(const char *text, const char *interface)
{
	char name[256];

	return confhome_value(text, "[Match]", "Name", name, sizeof(name)) == 1 &&
	       strcmp(name, interface) == 0;
}

/* True where networkd has a file for the interface; its state has the file's path. */
static bool find_networkd(const char *root, const char *interface, int ifindex,
			  struct confhome *ret)
{
	char path[PATH_MAX];
	char file[PATH_MAX];
	const char *name;
	size_t size;
	char *text;
	bool for_one;

	snprintf(path, sizeof(path), "run/systemd/netif/links/%d", ifindex);
	text = read_text(root, path, &size);
	if (!text || value_is(text, "", "ADMIN_STATE", "unmanaged") ||
	    !confhome_value(text, "", "NETWORK_FILE", file, sizeof(file)))
		file[0] = '\0';
	conffile_wipe(text, text ? size : 0);
	name = strrchr(file, '/');
	if (!name || name[1] == '\0')
		return false;
	name++;
	if (strncmp(file, "/run/", 5) == 0 && strstr(name, "netplan")) {
		ret->kind = CONFHOME_NETPLAN;
		return true;
	}
	text = read_text(root, file, &size);
	for_one = text && is_for_one(text, interface);
	conffile_wipe(text, text ? size : 0);
	if (for_one && set_dropin(root, name, ret))
		return true;
	ret->kind = CONFHOME_NETWORKD;
	ret->file[0] = '\0';
	snprintf(ret->why, sizeof(ret->why),
		 "'%.160s' is not for this interface alone: it has no line Name=%s",
		 file, interface);
	return true;
}

/* --- NetworkManager --- */

/* True where the file is the connection with this uuid, or "" for the interface's. */
static bool is_connection(const char *text, const char *interface, const char *uuid)
{
	return value_is(text, "[connection]", "type", "wireguard") &&
	       value_is(text, "[connection]", "interface-name", interface) &&
	       (!uuid[0] || value_is(text, "[connection]", "uuid", uuid));
}

static bool is_keyfile(const char *name)
{
	return name[0] != '.' && conffile_form(name) == CONFFILE_KEYFILE;
}

/* Find the keyfile in the folder; false: there is none. `ret`: its path below the root. */
static bool find_keyfile(const char *root, const char *folder, const char *interface,
			 const char *uuid, char ret[PATH_MAX])
{
	char whole[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (snprintf(whole, sizeof(whole), "%s/%s", root, folder) >= (int)sizeof(whole))
		return false;
	dir = opendir(whole);
	while (dir && !found && (entry = readdir(dir))) {
		size_t size;
		char *text;

		if (!is_keyfile(entry->d_name))
			continue;
		snprintf(ret, PATH_MAX, "%s/%s", folder, entry->d_name);
		text = read_text(root, ret, &size);
		found = text && is_connection(text, interface, uuid);
		conffile_wipe(text, text ? size : 0);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void read_uuid(const char *root, int ifindex, char ret[64])
{
	char path[PATH_MAX];
	size_t size;
	char *text;

	ret[0] = '\0';
	snprintf(path, sizeof(path), "run/NetworkManager/devices/%d", ifindex);
	text = read_text(root, path, &size);
	if (text && !confhome_value(text, "[device]", "connection-uuid", ret, 64))
		ret[0] = '\0';
	conffile_wipe(text, text ? size : 0);
}

/* The connection that is active now, else one for the interface. */
static bool find_networkmanager(const char *root, const char *interface, int ifindex,
				struct confhome *ret)
{
	static const char run[] = "run/NetworkManager/system-connections";
	char path[PATH_MAX];
	char uuid[64];

	if (!exists(root, "run/NetworkManager"))
		return false;
	read_uuid(root, ifindex, uuid);
	if (find_keyfile(root, KEYFILES, interface, uuid, path) ||
	    (uuid[0] && find_keyfile(root, KEYFILES, interface, "", path))) {
		ret->kind = CONFHOME_NETWORKMANAGER;
		snprintf(ret->file, sizeof(ret->file), "%.1000s/%.2000s", root, path);
		return true;
	}
	if (find_keyfile(root, run, interface, uuid, path) && strstr(path, "netplan")) {
		ret->kind = CONFHOME_NETPLAN;
		return true;
	}
	return false;
}

/* --- the others --- */

static bool find_wg_quick(const char *root, const char *interface, struct confhome *ret)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "etc/wireguard/%s.conf", interface);
	if (!exists(root, path))
		return false;
	*ret = (struct confhome){.kind = CONFHOME_WG_QUICK};
	snprintf(ret->file, sizeof(ret->file), "%.1000s/%.2000s", root, path);
	return true;
}

/* config interface 'wg0', with single, double or no quotes. */
static bool names_section(const char *text, const char *interface)
{
	static const char *const quotes[] = {"'", "\"", ""};

	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		char line[64 + IF_NAME_SIZE];
		const char *at = text;

		snprintf(line, sizeof(line), "config interface %s%.15s%s", quotes[i],
			 interface, quotes[i]);
		for (; (at = strstr(at, line)); at++) {
			char after = at[strlen(line)];

			if ((at == text || at[-1] == '\n') &&
			    (!after || strchr(" \t\r\n", after)))
				return true;
		}
	}
	return false;
}

static bool find_uci(const char *root, const char *interface, struct confhome *ret)
{
	size_t size;
	char *text = read_text(root, "etc/config/network", &size);
	bool found = text && names_section(text, interface);

	conffile_wipe(text, text ? size : 0);
	if (found)
		ret->kind = CONFHOME_UCI;
	return found;
}

void confhome_find(const char *root, const char *interface, int ifindex, bool managed,
		   struct confhome *ret)
{
	struct confhome other = {.kind = CONFHOME_UNKNOWN};

	*ret = (struct confhome){.kind = CONFHOME_UNKNOWN};
	if (managed && find_networkd(root, interface, ifindex, ret) && ret->file[0])
		return;
	if (managed && find_networkmanager(root, interface, ifindex, &other) &&
	    (other.file[0] || !confhome_name(ret->kind)))
		*ret = other;
	if (ret->file[0] || ret->kind == CONFHOME_NETPLAN ||
	    find_wg_quick(root, interface, ret))
		return;
	if (managed && ret->kind == CONFHOME_UNKNOWN)
		find_uci(root, interface, ret);
}
