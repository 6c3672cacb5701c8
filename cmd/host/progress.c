/* SPDX-License-Identifier: MIT */
#include "cmd/host/progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/debug.h"
#include "base/io.h"

#define PRINT_TIMEOUT_MS 1000

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static bool terminal;
/* The server's workers and its main thread print messages at any time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool line_shown;

static void look_for_terminal(void)
{
	/* A progress line and a log would overwrite each other. */
	terminal = isatty(STDERR_FILENO) && !debug_is_on();
}

static bool on_terminal(void)
{
	pthread_once(&looked, look_for_terminal);
	return terminal;
}

/* Do not wait for a terminal, since the next line repeats the state. Wait for a log. */
static void put_line(const char *text)
{
	io_write_or_drop(STDERR_FILENO, text, strlen(text), on_terminal() ? 0 : 250);
}

static void put_rate(const struct dir_result *result, char *ret, size_t size)
{
	int64_t rate_bps = dir_result_rate(result);
	char text[RATE_TEXT_SIZE];
	bool known = rate_text(result->status, rate_bps, 1, text);

	if (known)
		rate_number(rate_bps, rate_bps, text);
	snprintf(ret, size, "%s%s%s", text, known ? " " : "",
		 known ? rate_unit(rate_bps) : "");
}

static void put_last(const struct measurement *last, char *ret, size_t size)
{
	char up[RATE_TEXT_SIZE + 8];
	char down[RATE_TEXT_SIZE + 8];
	char pair[PAIR_TEXT_SIZE];

	put_rate(&last->dir[DIR_UPLOAD], up, sizeof(up));
	put_rate(&last->dir[DIR_DOWNLOAD], down, sizeof(down));
	snprintf(ret, size, "%s: up %s, down %s", mtu_pair_text(&last->mtu, pair), up,
		 down);
}

static void put_left(int64_t left_ms, char *ret, size_t size)
{
	int64_t s = (left_ms + 500) / 1000;

	if (left_ms == NO_FIGURE)
		ret[0] = '\0';
	else if (s >= 3600)
		snprintf(ret, size, ", %d:%02d:%02d left", (int)(s / 3600),
			 (int)(s / 60 % 60), (int)(s % 60));
	else
		snprintf(ret, size, ", %d:%02d left", (int)(s / 60), (int)(s % 60));
}

static void put_count(const struct progress_line *line, char *ret, size_t size)
{
	if (line->total)
		snprintf(ret, size, "%d of %d", line->done, line->total);
	else
		snprintf(ret, size, "%d", line->done);
}

/* A line that wraps could not be cleared any more. */
static void cut_to_width(char *text)
{
	struct winsize size;
	size_t width = 80;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		width = size.ws_col;
	if (strlen(text) >= width)
		text[width - 1] = '\0';
}

void progress_update(const struct progress_line *line)
{
	char text[256];
	char shown[272];
	char count[32];
	char last[96] = "";
	char left[32];
	char pair[PAIR_TEXT_SIZE];

	mtu_pair_text(&line->mtu, pair);
	debug_log("sweep", "pair %s: %s", pair, line->doing);
	if (!on_terminal())
		return;
	put_count(line, count, sizeof(count));
	put_left(line->left_ms, left, sizeof(left));
	if (line->last)
		put_last(line->last, last, sizeof(last));
	snprintf(text, sizeof(text), "[%s%s] %s %s%s%s", count, left, pair, line->doing,
		 last[0] ? ", last " : "", last);
	cut_to_width(text);
	snprintf(shown, sizeof(shown), "\r\033[K%s", text);
	pthread_mutex_lock(&lock);
	put_line(shown);
	line_shown = true;
	pthread_mutex_unlock(&lock);
}

void progress_row(const struct progress_line *line)
{
	char text[256];
	char count[32];
	char last[96];
	char left[32];

	if (on_terminal()) {
		progress_update(line);
		return;
	}
	put_count(line, count, sizeof(count));
	put_left(line->left_ms, left, sizeof(left));
	put_last(line->last, last, sizeof(last));
	snprintf(text, sizeof(text), "[%s%s] %s\n", count, left, last);
	put_line(text);
}

void progress_clear(void)
{
	pthread_mutex_lock(&lock);
	if (line_shown)
		put_line("\r\033[K");
	line_shown = false;
	pthread_mutex_unlock(&lock);
}

int progress_print(const char *text)
{
	progress_clear();
	return io_write_or_drop(STDOUT_FILENO, text, strlen(text), PRINT_TIMEOUT_MS);
}

int progress_print_run(const char *text, int64_t run, const char *db, struct err *err)
{
	int r = progress_print(text);

	if (r == 0)
		return 0;
	return err_set(err, -EIO,
		       "cannot write the run to standard output (%s): 'mtusweep show "
		       "%lld --json' prints it from '%s'",
		       r == -EAGAIN ? "nobody reads it" : err_reason(-r),
		       (long long)run, db);
}

int progress_print_fd(void)
{
	return STDOUT_FILENO;
}
