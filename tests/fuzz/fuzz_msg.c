/* SPDX-License-Identifier: MIT */
/* A body of any bytes from the other end, parsed as each of the messages. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sync/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An accepted message can be passed on, and parses to the same value again. */
#define ROUND_TRIP(name)                                                        \
	static void name##_round_trip(const char *json, size_t size)            \
	{                                                                       \
		struct msg_##name first, second;                                \
		char *text, *again;                                             \
                                                                                \
		memset(&first, 0, sizeof(first));                               \
		memset(&second, 0, sizeof(second));                             \
		if (msg_##name##_decode(json, size, &first, NULL) < 0)          \
			return;                                                 \
		text = msg_##name##_encode(&first, NULL);                       \
		if (!text || strlen(text) > MSG_BODY_LIMIT ||                   \
		    msg_##name##_decode(text, strlen(text), &second, NULL) < 0) \
			abort();                                                \
		again = msg_##name##_encode(&second, NULL);                     \
		if (!again || strcmp(text, again) != 0)                         \
			abort();                                                \
		free(again);                                                    \
		free(text);                                                     \
	}

ROUND_TRIP(hello)
ROUND_TRIP(status)
ROUND_TRIP(open)
ROUND_TRIP(opened)
ROUND_TRIP(pair)
ROUND_TRIP(paired)
ROUND_TRIP(arm)
ROUND_TRIP(probe)
ROUND_TRIP(probing)
ROUND_TRIP(ask)
ROUND_TRIP(figures)
ROUND_TRIP(row)
ROUND_TRIP(path)
ROUND_TRIP(recommendation)
ROUND_TRIP(session)
ROUND_TRIP(close)
ROUND_TRIP(answer)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;

	hello_round_trip(json, size);
	status_round_trip(json, size);
	open_round_trip(json, size);
	opened_round_trip(json, size);
	pair_round_trip(json, size);
	paired_round_trip(json, size);
	arm_round_trip(json, size);
	probe_round_trip(json, size);
	probing_round_trip(json, size);
	ask_round_trip(json, size);
	figures_round_trip(json, size);
	row_round_trip(json, size);
	path_round_trip(json, size);
	recommendation_round_trip(json, size);
	session_round_trip(json, size);
	close_round_trip(json, size);
	answer_round_trip(json, size);
	return 0;
}
