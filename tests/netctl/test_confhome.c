/* SPDX-License-Identifier: MIT */
/* The program that keeps an interface's MTU, found in trees of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "netctl/confhome.h"

#define NM      "etc/NetworkManager/system-connections/"
#define STATE   "run/systemd/netif/links/7"
#define DEVICE  "run/NetworkManager/devices/7"
#define NETWORK "etc/systemd/network/50-wg0.network"
#define CONF    "etc/wireguard/wg0.conf"

#define KEYFILE(uuid)                                                             \
	"[connection]\nid=tunnel\nuuid=" uuid "\ntype=wireguard\ninterface-name=" \
	"wg0\n\n[wireguard]\nprivate-key=k=\n"

/* A file of a tree. */
struct file {
	const char *path;
	const char *text;
};

struct home_case {
	const char *name;
	struct file files[5];
	bool elsewhere; /* the interface is in another namespace than the managers */
	enum confhome_kind kind;
	const char *file; /* "": none */
};

#define MANAGED "ADMIN_STATE=configured\nNETWORK_FILE=/" NETWORK "\n"

static const struct home_case cases[] = {
	{"nothing", {{0}}, false, CONFHOME_UNKNOWN, ""},
	{"wg-quick", {{CONF, "[Interface]\n"}}, false, CONFHOME_WG_QUICK, CONF},
	{"networkd",
	 {{STATE, MANAGED}, {NETWORK, "[Match]\nName=wg0\n"}},
	 false,
	 CONFHOME_NETWORKD,
	 "etc/systemd/network/50-wg0.network.d/zz-mtusweep.conf"},
	{"networkd beside wg-quick's file",
	 {{STATE, MANAGED},
	  {NETWORK, "[Match]\nName = wg0\n"},
	  {CONF, "[Interface]\n"}},
	 false,
	 CONFHOME_NETWORKD,
	 "etc/systemd/network/50-wg0.network.d/zz-mtusweep.conf"},
	{"networkd's file in /usr",
	 {{STATE, "NETWORK_FILE=/usr/lib/systemd/network/a.network\n"},
	  {"usr/lib/systemd/network/a.network", "[Match]\nName=wg0\n"}},
	 false,
	 CONFHOME_NETWORKD,
	 "etc/systemd/network/a.network.d/zz-mtusweep.conf"},
	{"networkd's file for several",
	 {{STATE, MANAGED}, {NETWORK, "[Match]\nName=wg*\n"}},
	 false,
	 CONFHOME_NETWORKD,
	 ""},
	{"networkd's file with two names",
	 {{STATE, MANAGED}, {NETWORK, "[Match]\nName=wg1\nName=wg0\n"}},
	 false,
	 CONFHOME_NETWORKD,
	 ""},
	{"networkd's file for several, and wg-quick's",
	 {{STATE, MANAGED}, {NETWORK, "[Match]\nName=*\n"}, {CONF, "[Interface]\n"}},
	 false,
	 CONFHOME_WG_QUICK,
	 CONF},
	{"networkd leaves it alone",
	 {{STATE, "ADMIN_STATE=unmanaged\nNETWORK_FILE=/" NETWORK "\n"},
	  {NETWORK, "[Match]\nName=wg0\n"},
	  {CONF, "[Interface]\n"}},
	 false,
	 CONFHOME_WG_QUICK,
	 CONF},
	{"in another namespace",
	 {{STATE, MANAGED}, {NETWORK, "[Match]\nName=wg0\n"}, {CONF, "[Interface]\n"}},
	 true,
	 CONFHOME_WG_QUICK,
	 CONF},
	{"netplan with networkd",
	 {{STATE, "NETWORK_FILE=/run/systemd/network/10-netplan-wg0.network\n"},
	  {"run/systemd/network/10-netplan-wg0.network", "[Match]\nName=wg0\n"}},
	 false,
	 CONFHOME_NETPLAN,
	 ""},
	{"NetworkManager",
	 {{DEVICE, "[device]\nconnection-uuid=1-2\n"},
	  {NM "wg0.nmconnection", KEYFILE("1-2")},
	  {CONF, "[Interface]\n"}},
	 false,
	 CONFHOME_NETWORKMANAGER,
	 NM "wg0.nmconnection"},
	{"NetworkManager, the active one of two",
	 {{DEVICE, "[device]\nconnection-uuid=1-2\n"},
	  {NM "a.nmconnection", KEYFILE("1-1")},
	  {NM "b.nmconnection", KEYFILE("1-2")},
	  {NM "c.nmconnection", KEYFILE("1-3")}},
	 false,
	 CONFHOME_NETWORKMANAGER,
	 NM "b.nmconnection"},
	{"NetworkManager without a state",
	 {{"run/NetworkManager/no", ""}, {NM "a.nmconnection", KEYFILE("1-1")}},
	 false,
	 CONFHOME_NETWORKMANAGER,
	 NM "a.nmconnection"},
	{"NetworkManager does not run",
	 {{NM "a.nmconnection", KEYFILE("1-1")}, {CONF, "[Interface]\n"}},
	 false,
	 CONFHOME_WG_QUICK,
	 CONF},
	{"NetworkManager's other connections",
	 {{"run/NetworkManager/no", ""},
	  {NM "a.nmconnection", "[connection]\ntype=ethernet\ninterface-name=wg0\n"},
	  {NM "b.nmconnection", "[connection]\ntype=wireguard\ninterface-name=wg1\n"},
	  {NM "c.nmconnection~", KEYFILE("1-1")}},
	 false,
	 CONFHOME_UNKNOWN,
	 ""},
	{"netplan with NetworkManager",
	 {{DEVICE, "[device]\nconnection-uuid=1-2\n"},
	  {"run/NetworkManager/system-connections/netplan-wg0.nmconnection",
	   KEYFILE("1-2")}},
	 false,
	 CONFHOME_NETPLAN,
	 ""},
	{"OpenWrt",
	 {{"etc/config/network", "config interface 'lan'\n\nconfig interface 'wg0'\n"}},
	 false,
	 CONFHOME_UCI,
	 ""},
	{"OpenWrt, another tunnel",
	 {{"etc/config/network", "config interface 'wg01'\n#config interface 'wg0'\n"}},
	 false,
	 CONFHOME_UNKNOWN,
	 ""},
};

static char root[64];

static void remove_tree(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	assert_int_equal(system(command), 0);
}

static void make_file(const struct file *file)
{
	char path[PATH_MAX];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", root, file->path);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(file->text, out);
	assert_int_equal(fclose(out), 0);
}

static void test_homes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct home_case *c = &cases[i];
		struct confhome home;
		char expected[PATH_MAX] = "";

		print_message("  %s\n", c->name);
		snprintf(root, sizeof(root), "/tmp/mtusweep-home-XXXXXX");
		assert_non_null(mkdtemp(root));
		for (int f = 0; f < 5 && c->files[f].path; f++)
			make_file(&c->files[f]);
		confhome_find(root, "wg0", 7, !c->elsewhere, &home);
		remove_tree();
		if (c->file[0])
			snprintf(expected, sizeof(expected), "%s/%s", root, c->file);
		assert_int_equal(home.kind, c->kind);
		assert_string_equal(home.file, expected);
		assert_true(!home.file[0] || !home.why[0]);
	}
}

static void test_value(void **state)
{
	static const char text[] =
		"x=0\n[A]\r\n x = 1 2 \r\n#x=3\n;x=4\nxx=5\n[B]\nx=6";
	char value[8] = "none";
	char small[3] = "no";

	(void)state;
	assert_int_equal(confhome_value(text, "[A]", "x", value, sizeof(value)), 1);
	assert_string_equal(value, "1 2");
	assert_int_equal(confhome_value(text, "[B]", "x", value, sizeof(value)), 1);
	assert_string_equal(value, "6");
	assert_int_equal(confhome_value(text, "", "x", value, sizeof(value)), 1);
	assert_string_equal(value, "0");
	assert_int_equal(confhome_value(text, "[C]", "x", small, sizeof(small)), 0);
	assert_int_equal(confhome_value(text, "[A]", "x", small, sizeof(small)), 0);
	assert_string_equal(small, "no");
}

static void test_names(void **state)
{
	(void)state;
	assert_null(confhome_name(CONFHOME_UNKNOWN));
	assert_string_equal(confhome_name(CONFHOME_UCI), "uci");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_homes),
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
