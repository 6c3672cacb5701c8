/* SPDX-License-Identifier: MIT */
/* A word that a user, a message, a file or the environment gives, any bytes, through each
 * of base's parsers of words. */

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/notify.h"
#include "base/path.h"
#include "base/path_probe.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/text.h"
#include "base/tunnel.h"
#include "base/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_numbers(const char *word)
{
	struct mtu_pair pair = {1, 1};
	int64_t number = 5;

	if (text_to_int(word, 0, 1000, &number) == 0 && (number < 0 || number > 1000))
		abort();
	if (text_to_ms(word, 300, 3600000, &number) == 0 &&
	    (number < 300 || number > 3600000))
		abort();
	if (mtu_pair_parse(word, &pair) == 0 &&
	    (pair.server < 0 || pair.server > MTU_MAX || pair.peer < 0 ||
	     pair.peer > MTU_MAX))
		abort();
}

/* Bands that were accepted have one text. */
static void check_bands(const char *word)
{
	struct path_bands bands = {0};
	struct path_bands again = {0};
	char text[PATH_BANDS_TEXT_SIZE];
	char text_again[PATH_BANDS_TEXT_SIZE];

	if (path_bands_parse(word, &bands, NULL) < 0)
		return;
	path_bands_format(&bands, text);
	if (path_bands_parse(text, &again, NULL) < 0)
		abort();
	path_bands_format(&again, text_again);
	if (strcmp(text, text_again) != 0)
		abort();
}

static void check_keys(const char *word, const char *second)
{
	struct tunnel tunnel;
	char id[TUNNEL_ID_SIZE];

	uuid_valid(word);
	token_valid(word);
	if (!key_valid(word) || !tunnel_of(word, second, &tunnel))
		return;
	if (!tunnel_has_name(&tunnel, tunnel_id(&tunnel, id)) ||
	    !tunnel_has_name(&tunnel, word))
		abort();
	tunnel_has_name(&tunnel, second);
}

static void check_address(const char *word)
{
	struct sockaddr_storage address;

	if (address_parse(word, 5000, &address) == 0 && !address_size(&address))
		abort();
	if (address_parse_on(word, 5000, "lo", &address) == 0 &&
	    !address_same_host(&address, &address))
		abort();
}

static void check_names(const char *word)
{
	enum path_probe_answer answer;
	enum path_probe_event event;
	enum reason_kind reason;
	enum fate fate;

	if (path_probe_answer_parse(word, &answer) == 0 &&
	    strcmp(path_probe_answer_name(answer), word) != 0)
		abort();
	if (path_probe_event_parse(word, &event) == 0 &&
	    strcmp(path_probe_event_name(event), word) != 0)
		abort();
	if (reason_parse(word, &reason) == 0 && strcmp(reason_name(reason), word) != 0)
		abort();
	if (fate_parse(word, &fate) == 0 && strcmp(fate_name(fate), word) != 0)
		abort();
}

/* The text loses what a terminal acts on, and nothing of its length. */
static void check_printable(const char *word)
{
	char *text = strdup(word);
	char *at;

	if (!text)
		return;
	text_printable(text);
	for (at = text; *at; at++)
		if (text_control(at))
			abort();
	free(text);
}

static void check_environment(const char *word, const char *second)
{
	int ms;

	setenv("NOTIFY_SOCKET", word, 1);
	notify_send("READY=1");
	setenv("WATCHDOG_USEC", word, 1);
	setenv("WATCHDOG_PID", second, 1);
	ms = notify_watchdog_ms();
	if (ms == 0 || ms < -1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word = calloc(1, size + 1);
	const char *second;

	if (!word)
		return 0;
	if (size)
		memcpy(word, data, size);
	/* Behind a NUL byte there may be another one. */
	second = strlen(word) < size ? word + strlen(word) + 1 : word;
	check_numbers(word);
	check_bands(word);
	check_keys(word, second);
	check_address(word);
	check_names(word);
	check_printable(word);
	check_environment(word, second);
	free(word);
	return 0;
}
