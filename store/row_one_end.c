/* SPDX-License-Identifier: MIT */
/* The facts of one end alone as a row and back. */
#include "store/row.h"

/* Far above what there is. */
#define ROUNDS_MAX 1000000

void row_bind_one_end(struct row *row, const struct one_end *facts)
{
	row_bind_text(row, direction_name(facts->own));
	row_bind_text(row, facts->target);
	row_bind_text(row, *facts->endpoint ? facts->endpoint : NULL);
	row_bind_text(row, one_end_small_name(facts->small));
	row_bind_text(row, one_end_proof_name(facts->proof));
#define BIND_FLAG(name) row_bind_int(row, facts->name);
	ONE_END_FLAGS(BIND_FLAG)
#undef BIND_FLAG
#define BIND_NUMBER(name) row_bind_int_unless(row, facts->name, 0);
	ONE_END_NUMBERS(BIND_NUMBER)
#undef BIND_NUMBER
	row_bind_int(row, facts->rounds);
}

void row_read_one_end(struct row *row, struct one_end *ret)
{
	*ret = (struct one_end){0};
	ret->own = row_read_direction(row);
	row_read_text(row, ret->target, sizeof(ret->target));
	row_read_text_or_none(row, ret->endpoint, sizeof(ret->endpoint));
	ret->small = row_read_small_answers(row);
	ret->proof = row_read_proof(row);
#define READ_FLAG(name) ret->name = row_read_small(row, 0, 1) != 0;
	ONE_END_FLAGS(READ_FLAG)
#undef READ_FLAG
#define READ_NUMBER(name) ret->name = (int)row_read_int_or(row, 0, 1, MTU_MAX);
	ONE_END_NUMBERS(READ_NUMBER)
#undef READ_NUMBER
	ret->rounds = row_read_small(row, 0, ROUNDS_MAX);
}
