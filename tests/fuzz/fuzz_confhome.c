/* SPDX-License-Identifier: MIT */
/* The files of the network managers, any bytes, separated by 0x1e: whatever they hold, the
 * file to write to lies below the root. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "netctl/confhome.h"

#define SEPARATOR 0x1e

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {
	"run/systemd/netif/links/7",
	"etc/systemd/network/wg0.network",
	"run/systemd/network/10-netplan-wg0.network",
	"run/NetworkManager/devices/7",
	"etc/NetworkManager/system-connections/wg0.nmconnection",
	"run/NetworkManager/system-connections/netplan-wg0.nmconnection",
	"etc/config/network",
	"etc/wireguard/wg0.conf",
};

static void check_value(const char *text, const char *section, const char *key)
{
	char value[16];

	memset(value, 'x', sizeof(value));
	if (confhome_value(text, section, key, value, sizeof(value)) > 0 &&
	    !memchr(value, '\0', sizeof(value)))
		abort();
}

static void check_home(const char *root, bool managed)
{
	struct confhome home;

	memset(&home, 'x', sizeof(home));
	confhome_find(root, "wg0", 7, managed, &home);
	if (!memchr(home.file, '\0', sizeof(home.file)) ||
	    !memchr(home.why, '\0', sizeof(home.why)))
		abort();
	if (home.file[0] && strncmp(home.file, root, strlen(root)) != 0)
		abort();
	if (home.kind != CONFHOME_UNKNOWN && !confhome_name(home.kind))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *root = folder_make();
	char *text = calloc(1, size + 1);

	if (!text)
		return 0;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const uint8_t *end = size ? memchr(data, SEPARATOR, size) : NULL;
		size_t length = end ? (size_t)(end - data) : size;

		/* An empty one is none. */
		if (length)
			folder_write(files[i], data, length);
		memcpy(text, data, length);
		text[length] = '\0';
		check_value(text, "", "NETWORK_FILE");
		check_value(text, "[Match]", "Name");
		data += length + (end != NULL);
		size -= length + (end != NULL);
	}
	check_home(root, true);
	check_home(root, false);
	folder_empty();
	free(text);
	return 0;
}
