/* SPDX-License-Identifier: MIT */
/* The permitted owners and modes of a conf file, and of the folders on the way to
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conffolder.h"
#include "netctl/conffile.h"
#include "netctl/heldfolder.h"
#include "netlab.h"

#define ALICE 12345
#define BOB   12346

#define TEN "0123456789"
#define LONG                                                                        \
	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN \
		TEN TEN TEN

/* One folder, link or file of a row, made in this order; NULL ends them. */
struct entry {
	const char *path;
	const char *link_to; /* NULL: a folder, or a file if the path ends in .conf */
	uid_t owner;
	mode_t mode;
};

static void make_entry(const struct entry *entry)
{
	size_t length = strlen(entry->path);

	if (entry->link_to)
		assert_int_equal(symlink(entry->link_to, entry->path), 0);
	else if (length > 5 && strcmp(entry->path + length - 5, ".conf") == 0)
		write_file(entry->path, GOOD);
	else
		assert_int_equal(mkdir(entry->path, 0700), 0);
	assert_int_equal(lchown(entry->path, entry->owner, entry->owner), 0);
	if (!entry->link_to)
		assert_int_equal(chmod(entry->path, entry->mode), 0);
}

static const struct row {
	const char *what;
	struct entry entries[5];
	const char *path;
	int code;
	const char *text; /* part of the error; for 0: the end of the real path */
} rows[] = {
	{"root's file in root's folder",
	 {{"wg", NULL, 0, 0755}, {"wg/a.conf", NULL, 0, 0600}},
	 "wg/a.conf",
	 0,
	 "/wg/a.conf"},
	{"a user's file in root's folder",
	 {{"wg", NULL, 0, 0755}, {"wg/a.conf", NULL, ALICE, 0640}},
	 "wg/a.conf",
	 0,
	 "/wg/a.conf"},
	{"root's link to a folder of root's",
	 {{"wg", NULL, 0, 0755}, {"wg/a.conf", NULL, 0, 0600}, {"etc", "wg", 0, 0}},
	 "etc/a.conf",
	 0,
	 "/wg/a.conf"},
	{"a user's file in the user's folder",
	 {{"home", NULL, ALICE, 0755}, {"home/a.conf", NULL, ALICE, 0600}},
	 "home/a.conf",
	 0,
	 "/home/a.conf"},
	{"a user's link to a folder of the user's",
	 {{"home", NULL, ALICE, 0755},
	  {"home/wg", NULL, ALICE, 0755},
	  {"home/wg/a.conf", NULL, ALICE, 0600},
	  {"home/link", "wg", ALICE, 0}},
	 "home/link/a.conf",
	 0,
	 "/home/wg/a.conf"},
	{"a user's link to root's folder",
	 {{"home", NULL, ALICE, 0755},
	  {"wg", NULL, 0, 0700},
	  {"wg/a.conf", NULL, 0, 0600},
	  {"home/link", "../wg", ALICE, 0}},
	 "home/link/a.conf",
	 -EPERM,
	 "/wg' belongs to user 0, but user 12345 can replace a folder above it"},
	{"a user's link to another user's folder",
	 {{"home", NULL, ALICE, 0755},
	  {"bob", NULL, BOB, 0755},
	  {"bob/a.conf", NULL, BOB, 0600},
	  {"home/link", "../bob", ALICE, 0}},
	 "home/link/a.conf",
	 -EPERM,
	 "users 12345 and 12346 can both replace folders in the path of"},
	{"root's file in a user's folder",
	 {{"home", NULL, ALICE, 0755}, {"home/a.conf", NULL, 0, 0600}},
	 "home/a.conf",
	 -EPERM,
	 "belongs to user 0, but user 12345 can replace its folder"},
	{"root's folder in a user's",
	 {{"home", NULL, ALICE, 0755},
	  {"home/wg", NULL, 0, 0700},
	  {"home/wg/a.conf", NULL, 0, 0600}},
	 "home/wg/a.conf",
	 -EPERM,
	 "/wg' belongs to user 0, but user 12345 can replace a folder above it"},
	{"a user's link to a file of the user's in root's folder",
	 {{"home", NULL, ALICE, 0755},
	  {"wg", NULL, 0, 0755},
	  {"wg/a.conf", NULL, ALICE, 0600},
	  {"home/link", "../wg", ALICE, 0}},
	 "home/link/a.conf",
	 -EPERM,
	 "/wg' belongs to user 0, but user 12345 can replace a folder above it"},
	{"a user's file in another user's folder",
	 {{"home", NULL, ALICE, 0755}, {"home/a.conf", NULL, BOB, 0600}},
	 "home/a.conf",
	 -EPERM,
	 "belongs to user 12346, but user 12345 can replace its folder"},
	{"a folder that its group can write to",
	 {{"wg", NULL, 0, 0775}, {"wg/a.conf", NULL, 0, 0600}},
	 "wg/a.conf",
	 -EPERM,
	 "/wg' and replace its files; run 'chmod go-w "},
	{"a folder that everybody can write to, on the way",
	 {{"all", NULL, 0, 0777},
	  {"all/wg", NULL, 0, 0700},
	  {"all/wg/a.conf", NULL, 0, 0600}},
	 "all/wg/a.conf",
	 -EPERM,
	 "/all' and replace its files; run 'chmod go-w "},
	{"a sticky folder on the way",
	 {{"tmp", NULL, 0, 01777},
	  {"tmp/wg", NULL, 0, 0700},
	  {"tmp/wg/a.conf", NULL, 0, 0600}},
	 "tmp/wg/a.conf",
	 0,
	 "/tmp/wg/a.conf"},
	{"a user's folder in a sticky one, root's file in it",
	 {{"tmp", NULL, 0, 01777},
	  {"tmp/wg", NULL, ALICE, 0700},
	  {"tmp/wg/a.conf", NULL, 0, 0600}},
	 "tmp/wg/a.conf",
	 -EPERM,
	 "belongs to user 0, but user 12345 can replace its folder"},
	{"a user's link in a sticky folder",
	 {{"tmp", NULL, 0, 01777},
	  {"wg", NULL, 0, 0700},
	  {"wg/a.conf", NULL, 0, 0600},
	  {"tmp/wg", "../wg", ALICE, 0}},
	 "tmp/wg/a.conf",
	 -EPERM,
	 "/wg' belongs to user 0, but user 12345 can replace a folder above it"},
	{"root's link in a sticky folder",
	 {{"tmp", NULL, 0, 01777},
	  {"wg", NULL, 0, 0700},
	  {"wg/a.conf", NULL, 0, 0600},
	  {"tmp/wg", "../wg", 0, 0}},
	 "tmp/wg/a.conf",
	 0,
	 "/wg/a.conf"},
	{"a file in a sticky folder",
	 {{"tmp", NULL, 0, 01777}, {"tmp/a.conf", NULL, 0, 0600}},
	 "tmp/a.conf",
	 -EPERM,
	 "all users can write to folder '"},
	{"a file that its group can write to",
	 {{"wg", NULL, 0, 0755}, {"wg/a.conf", NULL, 0, 0660}},
	 "wg/a.conf",
	 -EPERM,
	 "other users than its owner can write to it"},
	{"a way with dots and doubled slashes",
	 {{"wg", NULL, 0, 0755}, {"etc", NULL, 0, 0755}, {"wg/a.conf", NULL, 0, 0600}},
	 "./etc//.././/wg/a.conf",
	 0,
	 "/wg/a.conf"},
	{"a link that leads to itself, on the way",
	 {{"loop", "loop", 0, 0}},
	 "loop/a.conf",
	 -ELOOP,
	 "too many symbolic links"},
	{"a link that leads nowhere, on the way",
	 {{"etc", "nowhere", 0, 0}},
	 "etc/a.conf",
	 -ENOENT,
	 "/nowhere': No such file or directory"},
	{"a file on the way",
	 {{"b.conf", NULL, 0, 0600}},
	 "b.conf/a.conf",
	 -ENOTDIR,
	 "/b.conf': Not a directory"},
	{"a name too long for a file beside it",
	 {{"wg", NULL, 0, 0755}, {"wg/" LONG ".conf", NULL, 0, 0600}},
	 "wg/" LONG ".conf",
	 -ENAMETOOLONG,
	 "name is too long"},
};

static void check_row(const struct row *row)
{
	char real[PATH_MAX] = "";
	struct err err = ERR_INIT;
	const char *end;
	int r;

	for (size_t i = 0; i < 5 && row->entries[i].path; i++)
		make_entry(&row->entries[i]);
	r = conffile_check(row->path, real, &err);
	if (r != row->code)
		fail_msg("%s: %d, not %d: %s", row->what, r, row->code, err.text);
	if (r < 0 && !strstr(err.text, row->text))
		fail_msg("%s: '%s' is not in '%s'", row->what, row->text, err.text);
	end = real + strlen(real) - (r < 0 ? 0 : strlen(row->text));
	if (r == 0 && (end < real || strcmp(end, row->text) != 0))
		fail_msg("%s: the real path is '%s'", row->what, real);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(enter_folder(state), 0);
		check_row(&rows[i]);
		assert_int_equal(leave_folder(state), 0);
	}
}

/* A user makes a hard link to root's file, if the kernel permits that. */
static void test_hard_link(void **state)
{
	struct err err = ERR_INIT;
	char *data = NULL;
	size_t size;

	(void)state;
	write_file("secret.conf", GOOD);
	assert_int_equal(mkdir("home", 0755), 0);
	assert_int_equal(link("secret.conf", "home/wg0.conf"), 0);
	assert_int_equal(chown("home", ALICE, ALICE), 0);
	assert_int_equal(read_conf("home/wg0.conf", &data, &size, &err), -EPERM);
	assert_null(data);
	assert_int_equal(replace_conf("home/wg0.conf", "x", 1, &err), -EPERM);
	assert_true(content_is("secret.conf", GOOD));
}

/* An open folder stays the same one, wherever the path leads by then, and a check shows
 * it. */
static void test_held(void **state)
{
	cleanup_conffile struct conffile file;

	(void)state;
	assert_int_equal(mkdir("wg", 0755), 0);
	assert_int_equal(mkdir("other", 0755), 0);
	write_file("wg/wg0.conf", GOOD);
	write_file("other/wg0.conf", "other\n");
	assert_int_equal(conffile_open("wg/wg0.conf", &file, NULL), 0);
	assert_true(heldfolder_is_in_place(&file.folder));
	assert_int_equal(rename("wg", "old"), 0);
	assert_false(heldfolder_is_in_place(&file.folder));
	assert_int_equal(symlink("other", "wg"), 0);
	assert_false(heldfolder_is_in_place(&file.folder));
	assert_int_equal(conffile_replace(&file, "x", 1, NULL), 0);
	assert_true(content_is("old/wg0.conf", "x"));
	assert_true(content_is("other/wg0.conf", "other\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		in_folder(test_hard_link),
		in_folder(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
