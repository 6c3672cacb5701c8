/* A body of any bytes from the other end, as each of the messages. */

#include <stdint.h>
#include <stdlib.h>

#include "sync/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;
	union {
		struct msg_hello hello;
		struct msg_open open;
		struct msg_opened opened;
		struct msg_pair pair;
		struct msg_arm arm;
		struct msg_row row;
		struct msg_session session;
		struct msg_close close;
		struct msg_answer answer;
	} m;
	struct err err;

	msg_hello_decode(json, size, &m.hello, &err);
	msg_open_decode(json, size, &m.open, &err);
	msg_opened_decode(json, size, &m.opened, &err);
	msg_pair_decode(json, size, &m.pair, &err);
	msg_arm_decode(json, size, &m.arm, &err);
	msg_session_decode(json, size, &m.session, &err);
	msg_close_decode(json, size, &m.close, &err);
	msg_answer_decode(json, size, &m.answer, &err);
	/* What was taken can be passed on. */
	if (msg_row_decode(json, size, &m.row, &err) == 0) {
		char *again = msg_row_encode(&m.row, &err);

		if (!again)
			abort();
		free(again);
	}
	return 0;
}
