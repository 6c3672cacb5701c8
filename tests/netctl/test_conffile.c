/* SPDX-License-Identifier: MIT */
/* Editing wg-quick's conf file as text, also unusual files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/conffile.h"

struct edit_case {
	const char *name;
	const char *before;
	const char *after; /* NULL: refused with `code` */
	int code;
	int mtu_before;
};

/* All set the MTU to 1380. */
static const struct edit_case cases[] = {
	{"replace", "[Interface]\nMTU = 1420\n[Peer]\n",
	 "[Interface]\nMTU = 1380\n[Peer]\n", 0, 1420},
	{"same length is not assumed", "[Interface]\nMTU = 65535\nDNS = 1.1.1.1\n",
	 "[Interface]\nMTU = 1380\nDNS = 1.1.1.1\n", 0, 65535},
	{"missing", "[Interface]\nPrivateKey = k=\n\n[Peer]\nPublicKey = p=\n",
	 "[Interface]\nPrivateKey = k=\nMTU = 1380\n\n[Peer]\nPublicKey = p=\n", 0, 0},
	{"missing, comments and blanks behind",
	 "[Interface]\nAddress = 10.0.0.1/24\n\n# laptop\n\n[Peer]\n",
	 "[Interface]\nAddress = 10.0.0.1/24\nMTU = 1380\n\n# laptop\n\n[Peer]\n", 0,
	 0},
	{"missing, no newline at the end", "[Interface]\nListenPort = 51820",
	 "[Interface]\nListenPort = 51820\nMTU = 1380", 0, 0},
	{"empty section", "[Interface]\n[Peer]\n", "[Interface]\nMTU = 1380\n[Peer]\n",
	 0, 0},
	{"only the section, no newline", "[Interface]", "[Interface]\nMTU = 1380", 0,
	 0},
	{"replace, no newline at the end", "[Interface]\nMTU = 1420",
	 "[Interface]\nMTU = 1380", 0, 1420},
	{"CRLF", "[Interface]\r\nMTU = 1420\r\n\r\n[Peer]\r\n",
	 "[Interface]\r\nMTU = 1380\r\n\r\n[Peer]\r\n", 0, 1420},
	{"CRLF, missing", "[Interface]\r\nDNS = 1.1.1.1\r\n\r\n[Peer]\r\n",
	 "[Interface]\r\nDNS = 1.1.1.1\r\nMTU = 1380\r\n\r\n[Peer]\r\n", 0, 0},
	{"CRLF, missing, no newline at the end", "[Interface]\r\nDNS = 1.1.1.1",
	 "[Interface]\r\nDNS = 1.1.1.1\r\nMTU = 1380", 0, 0},
	{"CRLF in the section, LF elsewhere",
	 "# made by hand\n[Interface]\r\nTable = off\r\n[Peer]\n",
	 "# made by hand\n[Interface]\r\nTable = off\r\nMTU = 1380\r\n[Peer]\n", 0, 0},
	{"byte order mark", "\xef\xbb\xbf[Interface]\nMTU = 1420\n",
	 "\xef\xbb\xbf[Interface]\nMTU = 1380\n", 0, 1420},
	{"comment behind the value", "[Interface]\nMTU = 1420 # by the ISP: MTU = 1\n",
	 "[Interface]\nMTU = 1380 # by the ISP: MTU = 1\n", 0, 1420},
	{"comment glued on", "[Interface]\nMTU=1420#x\n", "[Interface]\nMTU=1380#x\n",
	 0, 1420},
	{"lower case, no blanks", "[interface]\nmtu=1420\n", "[interface]\nmtu=1380\n",
	 0, 1420},
	{"tabs and blanks", "  [Interface]\t\n\tMTU\t=\t 1420 \t\n",
	 "  [Interface]\t\n\tMTU\t=\t 1380 \t\n", 0, 1420},
	{"MTU of a peer", "[Interface]\nDNS = ::1\n[Peer]\nMTU = 1400\n",
	 "[Interface]\nDNS = ::1\nMTU = 1380\n[Peer]\nMTU = 1400\n", 0, 0},
	{"MTU before any section", "MTU = 1400\n[Interface]\n",
	 "MTU = 1400\n[Interface]\nMTU = 1380\n", 0, 0},
	{"MTU in a comment", "[Interface]\n# MTU = 1400\n#MTU=1300\n",
	 "[Interface]\nMTU = 1380\n# MTU = 1400\n#MTU=1300\n", 0, 0},
	{"two MTU lines: the last counts", "[Interface]\nMTU = 1400\nMTU = 1410\n",
	 "[Interface]\nMTU = 1400\nMTU = 1380\n", 0, 1410},
	{"two sections, MTU in the first",
	 "[Interface]\nMTU = 1400\n[Peer]\n[Interface]\nDNS = ::1\n",
	 "[Interface]\nMTU = 1380\n[Peer]\n[Interface]\nDNS = ::1\n", 0, 1400},
	{"two sections, MTU in both",
	 "[Interface]\nMTU = 1400\n[Peer]\n[Interface]\nMTU = 1410\n",
	 "[Interface]\nMTU = 1400\n[Peer]\n[Interface]\nMTU = 1380\n", 0, 1410},
	{"two sections, none",
	 "[Interface]\nA = 1\n[Peer]\n[Interface]\nB = 2\n[Peer]\n",
	 "[Interface]\nA = 1\n[Peer]\n[Interface]\nB = 2\nMTU = 1380\n[Peer]\n", 0, 0},
	{"section behind the peers", "[Peer]\nMTU = 1\n[Interface]\nMTU = 1400\n",
	 "[Peer]\nMTU = 1\n[Interface]\nMTU = 1380\n", 0, 1400},
	{"garbage value", "[Interface]\nMTU = auto please\nDNS = ::1\n",
	 "[Interface]\nMTU = 1380\nDNS = ::1\n", 0, -1},
	{"number with a tail", "[Interface]\nMTU = 1420b\n",
	 "[Interface]\nMTU = 1380\n", 0, -1},
	{"zero", "[Interface]\nMTU = 0\n", "[Interface]\nMTU = 1380\n", 0, -1},
	{"negative", "[Interface]\nMTU = -3\n", "[Interface]\nMTU = 1380\n", 0, -1},
	{"long number",
	 "[Interface]\nMTU = 1111111111111111111111111111111111111111111111\n",
	 "[Interface]\nMTU = 1380\n", 0, -1},
	{"empty value", "[Interface]\nMTU =\nDNS = ::1\n",
	 "[Interface]\nMTU =1380\nDNS = ::1\n", 0, -1},
	{"empty value, comment", "[Interface]\nMTU =  # later\n",
	 "[Interface]\nMTU = 1380 # later\n", 0, -1},
	{"empty value, CRLF", "[Interface]\r\nMTU = \r\n",
	 "[Interface]\r\nMTU = 1380\r\n", 0, -1},
	{"MTU in a PostUp",
	 "[Interface]\nPostUp = echo MTU = 1400\nPostDown = ip l s %i mtu 1300; MTU = "
	 "2\n",
	 "[Interface]\nPostUp = echo MTU = 1400\nPostDown = ip l s %i mtu 1300; MTU = "
	 "2\n"
	 "MTU = 1380\n",
	 0, 0},
	{"PostUp before it", "[Interface]\nPostUp = MTU = 1400\nMTU = 1400\n",
	 "[Interface]\nPostUp = MTU = 1400\nMTU = 1380\n", 0, 1400},
	{"names that only look like it",
	 "[Interface]\nMTUX = 1\nXMTU = 2\nM TU = 3\nMTU\n[Interfaces]\nMTU = 9\n",
	 "[Interface]\nMTUX = 1\nXMTU = 2\nM TU = 3\nMTU\nMTU = 1380\n[Interfaces]\n"
	 "MTU = 9\n",
	 0, 0},
	{"comment behind the section", "[Interface] # home\nMTU = 1400\n",
	 "[Interface] # home\nMTU = 1380\n", 0, 1400},
	{"bytes above ASCII", "# r\xe9seau \xff\n[Interface]\n# \xc3\xa9\nMTU = 1400\n",
	 "# r\xe9seau \xff\n[Interface]\n# \xc3\xa9\nMTU = 1380\n", 0, 1400},
	{"no section", "PrivateKey = k=\nMTU = 1400\n", NULL, -ENOENT, 0},
	{"only peers", "[Peer]\nMTU = 1400\n", NULL, -ENOENT, 0},
	{"section in a comment", "#[Interface]\nMTU = 1400\n", NULL, -ENOENT, 0},
	{"lone CRs: one line", "[Interface]\rMTU = 1400\r", NULL, -ENOENT, 0},
	{"empty", "", NULL, -ENOENT, 0},
};

/* Put the text on the heap in its exact size, so that a sanitizer detects a read
 * beyond. */
static char *exact_copy(const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, text, size);
	return copy;
}

/* The keyfile of NetworkManager; as above. */
static const struct edit_case keyfile_cases[] = {
	{"replace", "[connection]\nid=a\n\n[wireguard]\nmtu=1420\nprivate-key=k=\n",
	 "[connection]\nid=a\n\n[wireguard]\nmtu=1380\nprivate-key=k=\n", 0, 1420},
	{"missing", "[wireguard]\nprivate-key=k=\n\n[wireguard-peer.p=]\nmtu=5\n",
	 "[wireguard]\nprivate-key=k=\nmtu=1380\n\n[wireguard-peer.p=]\nmtu=5\n", 0, 0},
	{"empty section", "[wireguard]\n[ipv4]\n", "[wireguard]\nmtu=1380\n[ipv4]\n", 0,
	 0},
	{"blanks", "[wireguard]\nmtu = 1420 \n", "[wireguard]\nmtu = 1380 \n", 0, 1420},
	{"no newline at the end", "[wireguard]\nmtu=1420", "[wireguard]\nmtu=1380", 0,
	 1420},
	{"a comment line", "[wireguard]\n#mtu=1420\nlisten-port=1\n",
	 "[wireguard]\n#mtu=1420\nlisten-port=1\nmtu=1380\n", 0, 0},
	{"no comment behind a value", "[wireguard]\nprivate-key=a#b\nmtu=1420\n",
	 "[wireguard]\nprivate-key=a#b\nmtu=1380\n", 0, 1420},
	{"names have their case", "[wireguard]\nMTU=1420\n",
	 "[wireguard]\nMTU=1420\nmtu=1380\n", 0, 0},
	{"the last of two counts", "[wireguard]\nmtu=1\n[ipv4]\n[wireguard]\nmtu=2\n",
	 "[wireguard]\nmtu=1\n[ipv4]\n[wireguard]\nmtu=1380\n", 0, 2},
	{"wg-quick's section", "[Interface]\nMTU = 1420\n", NULL, -ENOENT, 0},
	{"another kind", "[connection]\ntype=ethernet\n[ethernet]\nmtu=1420\n", NULL,
	 -ENOENT, 0},
};

static void check_refused(enum conffile_form form, const struct edit_case *c,
			  const char *before, size_t size)
{
	struct conffile_facts facts = {.mtu = 77};
	struct err err = ERR_INIT;
	char *edited = NULL;
	size_t edited_size = 0;

	assert_int_equal(conffile_facts(form, before, size, &facts, &err), c->code);
	assert_int_equal(facts.mtu, 77);
	assert_int_equal(
		conffile_edit(form, before, size, 1380, &edited, &edited_size, &err),
		c->code);
	assert_null(edited);
	assert_true(err.text[0]);
}

static void check_edited(enum conffile_form form, const struct edit_case *c,
			 const char *before, size_t size)
{
	struct conffile_facts facts = {0};
	char *edited = NULL;
	size_t edited_size = 0;

	assert_int_equal(conffile_facts(form, before, size, &facts, NULL), 0);
	assert_int_equal(facts.mtu, c->mtu_before);
	assert_int_equal(
		conffile_edit(form, before, size, 1380, &edited, &edited_size, NULL),
		0);
	assert_string_equal(edited, c->after);
	assert_int_equal(edited_size, strlen(c->after));
	assert_int_equal(conffile_facts(form, edited, edited_size, &facts, NULL), 0);
	assert_int_equal(facts.mtu, 1380);
	conffile_wipe(edited, edited_size);
}

static void check_table(enum conffile_form form, const struct edit_case *table,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(table[i].before);
		char *before = exact_copy(table[i].before, size);

		print_message("  %s\n", table[i].name);
		if (table[i].after)
			check_edited(form, &table[i], before, size);
		else
			check_refused(form, &table[i], before, size);
		free(before);
	}
}

static void test_edit_table(void **state)
{
	(void)state;
	check_table(CONFFILE_WG_QUICK, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_edit_keyfile(void **state)
{
	(void)state;
	check_table(CONFFILE_KEYFILE, keyfile_cases,
		    sizeof(keyfile_cases) / sizeof(keyfile_cases[0]));
}

static void test_forms(void **state)
{
	(void)state;
	assert_int_equal(conffile_form("/etc/wireguard/wg0.conf"), CONFFILE_WG_QUICK);
	assert_int_equal(conffile_form("wg0.nmconnection"), CONFFILE_KEYFILE);
	assert_int_equal(conffile_form("/a/wg0.network.d/x.conf"), CONFFILE_DROPIN);
	assert_int_equal(conffile_form("/a/wg0.network.d/x.conf.new"),
			 CONFFILE_WG_QUICK);
	assert_int_equal(conffile_form("/wg0.network.d/sub/x.conf"), CONFFILE_WG_QUICK);
	assert_string_equal(conffile_ending("wg0.nmconnection"), "~");
	assert_string_equal(conffile_ending("wg0.conf"), "");
}

/* Setting another MTU and the old one again restores every byte if there was a
 * number. */
static void test_edit_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct edit_case *c = &cases[i];
		char *there, *back;
		size_t there_size, back_size;

		if (c->mtu_before <= 0)
			continue;
		assert_int_equal(conffile_edit(CONFFILE_WG_QUICK, c->before,
					       strlen(c->before), 576, &there,
					       &there_size, NULL),
				 0);
		assert_int_equal(conffile_edit(CONFFILE_WG_QUICK, there, there_size,
					       c->mtu_before, &back, &back_size, NULL),
				 0);
		assert_string_equal(back, c->before);
		conffile_wipe(there, there_size);
		conffile_wipe(back, back_size);
	}
}

static void test_edit_refuses_nul(void **state)
{
	static const char nul[] = "[Interface]\nMTU = 1420\n\0# hidden\n";
	static const char utf16[] = "\xff\xfe[\0I\0n\0t\0";
	struct err err = ERR_INIT;
	char *edited = NULL;
	size_t size;

	(void)state;
	assert_int_equal(conffile_edit(CONFFILE_WG_QUICK, nul, sizeof(nul) - 1, 1380,
				       &edited, &size, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "NUL"));
	assert_int_equal(conffile_edit(CONFFILE_WG_QUICK, utf16, sizeof(utf16) - 1,
				       1380, &edited, &size, &err),
			 -EINVAL);
	assert_null(edited);
}

/* The file has as many peers as CONFFILE_LIMIT permits: every byte after the line
 * stays. */
static void test_edit_large(void **state)
{
	static const char head[] = "[Interface]\nMTU = 1420\n";
	static const char peer[] = "[Peer]\nPublicKey = x=\nMTU = 1\n";
	size_t size = CONFFILE_LIMIT;
	char *before = malloc(size);
	char *after = NULL;
	size_t after_size;

	(void)state;
	assert_non_null(before);
	for (size_t i = 0; i < size; i++)
		before[i] = peer[i % (sizeof(peer) - 1)];
	memcpy(before, head, sizeof(head) - 1);
	before[sizeof(head) - 1] = '\n';
	assert_int_equal(conffile_edit(CONFFILE_WG_QUICK, before, size, 900, &after,
				       &after_size, NULL),
			 0);
	assert_int_equal(after_size, size - 1);
	assert_memory_equal(after, "[Interface]\nMTU = 900\n", 22);
	assert_memory_equal(after + 22, before + 23, size - 23);
	conffile_wipe(after, after_size);
	free(before);
}

static void test_save_config(void **state)
{
	static const struct {
		const char *text;
		bool expected;
	} rows[] = {
		{"[Interface]\n", false},
		{"[Interface]\nSaveConfig = true\n", true},
		{"[Interface]\nsaveconfig=TRUE # yes\r\n", true},
		{"[Interface]\nSaveConfig = false\n", false},
		{"[Interface]\nSaveConfig = true\nSaveConfig = false\n", false},
		{"[Interface]\n#SaveConfig = true\n", false},
		{"[Interface]\n[Peer]\nSaveConfig = true\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conffile_facts facts = {0};

		assert_int_equal(conffile_facts(CONFFILE_WG_QUICK, rows[i].text,
						strlen(rows[i].text), &facts, NULL),
				 0);
		assert_int_equal(facts.save_config, rows[i].expected);
	}
}

#define POST_UP "[Interface]\nMTU = 1420\nPostUp = "

static void test_hook(void **state)
{
	static const struct {
		const char *text;
		int line;
		int mtu;
	} rows[] = {
		{"[Interface]\nMTU = 1420\n", 0, 0},
		{POST_UP "ip link set mtu 1300 dev %i\n", 3, 1300},
		{POST_UP "ip link set dev wg0 mtu 1301", 3, 1301},
		{POST_UP "sysctl -w a=b; ifconfig wg0 mtu 1302 && true\r\n", 3, 1302},
		{POST_UP "echo 1303 > /sys/class/net/%i/mtu\n", 3, 1303},
		{POST_UP "echo 1304 >/sys/class/net/wg0/mtu\n", 3, 1304},
		{POST_UP "ip link set %i mtu $MTU\n", 3, 0},
		{POST_UP "ip l set %i mtu 1305\nPreUp = ip l set %i mtu 1306\n", 4,
		 1306},
		{"[interface]\npreup=ip link set \"%i\" mtu '1307' # so\n", 2, 1307},
		/* Behind a byte order mark. */
		{"\xef\xbb\xbf[Interface]\nPostUp = ip link set %i mtu 1308\n", 2,
		 1308},
		/* Another interface, a route, an MSS, a comment, another section. */
		{POST_UP "ip link set dev eth0 mtu 1300\n", 0, 0},
		{POST_UP "ip link set dev wg01 mtu 1300\n", 0, 0},
		{POST_UP "ip route change 10.0.0.0/24 dev %i mtu 1300\n", 0, 0},
		{POST_UP "ip -4 ro add default dev %i mtu 1300\n", 0, 0},
		{POST_UP
		 "nft add rule t c oifname %i tcp option maxseg size set rt mtu\n",
		 0, 0},
		{POST_UP "ip link set eth0 mtu 1300; ip addr add 1.2.3.4/5 dev %i\n", 0,
		 0},
		{"[Interface]\n# PostUp = ip link set %i mtu 1300\n", 0, 0},
		{"[Interface]\nPostDown = ip link set %i mtu 1300\n", 0, 0},
		{"[Interface]\n[Peer]\nPostUp = ip link set %i mtu 1300\n", 0, 0},
		{POST_UP "mtu\n", 0, 0},
		{POST_UP, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conffile_hook hook =
			conffile_find_hook(rows[i].text, strlen(rows[i].text), "wg0");

		if (hook.line != rows[i].line || hook.mtu != rows[i].mtu)
			fail_msg("%s: line %d, MTU %d", rows[i].text, hook.line,
				 hook.mtu);
	}
}

/* A hook longer than any line of a person must not overflow. */
static void test_long_hook(void **state)
{
	static char text[20000] = "[Interface]\nPostUp = ip link set %i mtu 1300 ";

	(void)state;
	for (size_t at = strlen(text); at < sizeof(text) - 2; at += 2)
		memcpy(text + at, "x ", 2);
	assert_int_equal(conffile_find_hook(text, sizeof(text), "wg0").mtu, 1300);
}

static void make_random(char *text, unsigned *seed)
{
	static const char *const pieces[] = {
		"[Interface]", "[Peer]", "\n", "\r\n",         "MTU",          "=",
		" ",           "\t",     "#",  "1420",         "mtu = 1300\n", "x",
		"\r",          "[",      "]",  "\xef\xbb\xbf", "PostUp = MTU",
	};

	text[0] = '\0';
	for (int n = rand_r(seed) % 16; n >= 0; n--)
		strcat(text, pieces[(size_t)rand_r(seed) %
				    (sizeof(pieces) / sizeof(pieces[0]))]);
}

/* For any input, the output is a file whose MTU is the requested one. */
static void test_edit_random(void **state)
{
	unsigned seed = 1;
	int edited = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[256];
		char *before, *after = NULL;
		size_t size, after_size;
		struct conffile_facts facts;

		make_random(text, &seed);
		size = strlen(text);
		before = exact_copy(text, size);
		if (conffile_edit(CONFFILE_WG_QUICK, before, size, 1377, &after,
				  &after_size, NULL) == 0) {
			assert_int_equal(conffile_facts(CONFFILE_WG_QUICK, after,
							after_size, &facts, NULL),
					 0);
			if (facts.mtu != 1377)
				fail_msg("'%s' became '%s'", text, after);
			conffile_wipe(after, after_size);
			edited++;
		}
		free(before);
	}
	assert_true(edited > 1000);
}

/* --- the lines of routes --- */

#define ROUTE(prefix, rest) \
	"PostUp = ip -4 route replace " prefix " dev %i proto 77 " rest

static const struct {
	const char *name;
	const char *before;
	const char *after;
} route_cases[] = {
	{"none so far", "[Interface]\nMTU = 1420\n\n[Peer]\n",
	 "[Interface]\nMTU = 1420\n" ROUTE(
		 "10.0.0.2/32", "src 10.0.0.1 mtu 1340 # mtusweep 10.0.0.2\n")
		 ROUTE("10.7.0.0/16",
		       "table 51 mtu 1340 # mtusweep 10.0.0.2\n") "\n[Peer]\n"},
	{"ours are replaced, others stay",
	 "[Interface]\n" ROUTE("10.0.0.2/32", "mtu 1300 # mtusweep 10.0.0.2\n")
		 ROUTE("10.0.0.3/32", "mtu 1400 # mtusweep 10.0.0.3\n") ROUTE(
			 "10.9.0.0/16",
			 "mtu 1300 # mtusweep 10.0.0.2\n") "PostUp = echo 1\n[Peer]\n",
	 "[Interface]\n" ROUTE(
		 "10.0.0.3/32",
		 "mtu 1400 # mtusweep 10.0.0.3\n") "PostUp = echo 1\n" ROUTE("10.0.0.2/"
									     "32",
									     "src "
									     "10.0.0.1 "
									     "mtu 1340 "
									     "# "
									     "mtusweep "
									     "10.0.0."
									     "2\n")
		 ROUTE("10.7.0.0/16",
		       "table 51 mtu 1340 # mtusweep 10.0.0.2\n") "[Peer]\n"},
	/* wg-quick saved the file. */
	{"the comment is lost",
	 "[Interface]\n" ROUTE("10.0.0.2/32",
			       "mtu 1300\n") "PostUp = ip -4 route replace "
					     "10.0.0.2/32 dev %i mtu 7\n",
	 "[Interface]\nPostUp = ip -4 route replace 10.0.0.2/32 dev %i mtu 7\n" ROUTE(
		 "10.0.0.2/32", "src 10.0.0.1 mtu 1340 # mtusweep 10.0.0.2\n")
		 ROUTE("10.7.0.0/16", "table 51 mtu 1340 # mtusweep 10.0.0.2\n")},
	{"a longer address is another",
	 "[Interface]\n" ROUTE("10.0.0.20/32", "mtu 1300 # mtusweep 10.0.0.20\n"),
	 "[Interface]\n" ROUTE("10.0.0.20/32", "mtu 1300 # mtusweep 10.0.0.20\n") ROUTE(
		 "10.0.0.2/32", "src 10.0.0.1 mtu 1340 # mtusweep 10.0.0.2\n")
		 ROUTE("10.7.0.0/16", "table 51 mtu 1340 # mtusweep 10.0.0.2\n")},
	{"CRLF, a byte order mark",
	 "\xef\xbb\xbf[Interface]\r\n" ROUTE("10.0.0.2/32",
					     "mtu 1 # mtusweep 10.0.0.2\r\n"),
	 "\xef\xbb\xbf[Interface]\r\n" ROUTE(
		 "10.0.0.2/32", "src 10.0.0.1 mtu 1340 # mtusweep 10.0.0.2\r\n")
		 ROUTE("10.7.0.0/16", "table 51 mtu 1340 # mtusweep 10.0.0.2\r\n")},
	{"no newline at the end", "[Interface]\nMTU = 1420",
	 "[Interface]\nMTU = 1420\n" ROUTE(
		 "10.0.0.2/32", "src 10.0.0.1 mtu 1340 # mtusweep 10.0.0.2\n")
		 ROUTE("10.7.0.0/16", "table 51 mtu 1340 # mtusweep 10.0.0.2")},
};

static void test_edit_routes(void **unused)
{
	static const struct conffile_route routes[] = {
		{"10.0.0.2", 32, 0, "10.0.0.1", 1340},
		{"10.7.0.0", 16, 51, "", 1340},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(route_cases) / sizeof(route_cases[0]); i++) {
		const char *before = route_cases[i].before;
		char *again = NULL;
		char *after = NULL;
		size_t size;

		assert_int_equal(conffile_edit_routes(before, strlen(before),
						      "10.0.0.2", routes, 2, &after,
						      &size, NULL),
				 0);
		if (strcmp(after, route_cases[i].after) != 0)
			fail_msg("%s: '%s'", route_cases[i].name, after);
		assert_int_equal(size, strlen(after));
		/* Once more changes nothing, but for a newline at the end. */
		assert_int_equal(conffile_edit_routes(after, size, "10.0.0.2", routes,
						      2, &again, &size, NULL),
				 0);
		assert_memory_equal(again, after, strlen(after));
		free(again);
		free(after);
	}
	assert_int_equal(conffile_edit_routes("[Peer]\n", 7, "10.0.0.2", routes, 2,
					      NULL, NULL, NULL),
			 -ENOENT);
}

static void test_edit_routes_ipv6(void **unused)
{
	static const struct conffile_route route = {"fd00::2", 128, 0, "", 1280};
	static const char before[] = "[Interface]\n";
	char *after;
	size_t size;

	(void)unused;
	assert_int_equal(conffile_edit_routes(before, strlen(before), "fd00::2", &route,
					      1, &after, &size, NULL),
			 0);
	assert_string_equal(after,
			    "[Interface]\nPostUp = ip -6 route replace fd00::2/128 "
			    "dev %i proto 77 mtu 1280 # mtusweep fd00::2\n");
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit_table),
		cmocka_unit_test(test_edit_keyfile),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_edit_there_and_back),
		cmocka_unit_test(test_edit_refuses_nul),
		cmocka_unit_test(test_edit_large),
		cmocka_unit_test(test_save_config),
		cmocka_unit_test(test_hook),
		cmocka_unit_test(test_long_hook),
		cmocka_unit_test(test_edit_random),
		cmocka_unit_test(test_edit_routes),
		cmocka_unit_test(test_edit_routes_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
