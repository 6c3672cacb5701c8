/* SPDX-License-Identifier: MIT */
/* X25519 of the base point, for one key in a while: short rather than fast. */
#include "netctl/pubkey.h"

#include <stdint.h>
#include <string.h>

#define LIMBS 8
/* 2^256 is 38 modulo 2^255 - 19. */
#define FOLD     38
#define TOP_BIT  254
#define BASE_U   9
#define A24      121665
#define HIGH_BIT UINT32_C(0x80000000)

/* A number below 2^256, least significant limb first, modulo 2^255 - 19. */
struct number {
	uint32_t limb[LIMBS];
};

/* Add `carry` times 2^256. The second round takes what the first one carries. */
static void fold(struct number *n, int64_t carry)
{
	for (int round = 0; round < 2; round++) {
		carry *= FOLD;
		for (int i = 0; i < LIMBS; i++) {
			carry += n->limb[i];
			n->limb[i] = (uint32_t)carry;
			carry >>= 32;
		}
	}
}

static struct number add(const struct number *a, const struct number *b)
{
	struct number sum;
	int64_t carry = 0;

	for (int i = 0; i < LIMBS; i++) {
		carry += (int64_t)a->limb[i] + b->limb[i];
		sum.limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	fold(&sum, carry);
	return sum;
}

static struct number subtract(const struct number *a, const struct number *b)
{
	struct number difference;
	int64_t carry = 0;

	for (int i = 0; i < LIMBS; i++) {
		carry += (int64_t)a->limb[i] - b->limb[i];
		difference.limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	fold(&difference, carry);
	return difference;
}

static struct number multiply(const struct number *a, const struct number *b)
{
	uint32_t product[2 * LIMBS] = {0};
	struct number ret;
	uint64_t carry;

	for (int i = 0; i < LIMBS; i++) {
		carry = 0;
		for (int j = 0; j < LIMBS; j++) {
			carry += (uint64_t)a->limb[i] * b->limb[j] + product[i + j];
			product[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		product[i + LIMBS] = (uint32_t)carry;
	}
	carry = 0;
	for (int i = 0; i < LIMBS; i++) {
		carry += (uint64_t)product[LIMBS + i] * FOLD + product[i];
		ret.limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	fold(&ret, (int64_t)carry);
	return ret;
}

/* n to the power of 2^255 - 21, whose bits are ones but for those of 4 and 16. */
static struct number invert(const struct number *n)
{
	struct number ret = *n;

	for (int bit = TOP_BIT - 1; bit >= 0; bit--) {
		ret = multiply(&ret, &ret);
		if (bit != 2 && bit != 4)
			ret = multiply(&ret, n);
	}
	return ret;
}

/* A point of the ladder, without its second coordinate. */
struct point {
	struct number x;
	struct number z;
};

static void swap_numbers(uint32_t mask, struct number *a, struct number *b)
{
	for (int i = 0; i < LIMBS; i++) {
		uint32_t difference = mask & (a->limb[i] ^ b->limb[i]);

		a->limb[i] ^= difference;
		b->limb[i] ^= difference;
	}
}

/* Exchange the two if `swap` is 1. */
static void swap_if(uint32_t swap, struct point *a, struct point *b)
{
	swap_numbers(0 - swap, &a->x, &b->x);
	swap_numbers(0 - swap, &a->z, &b->z);
}

/* RFC 7748, section 5: a doubled, and b plus a, whose difference is the base point. */
static void ladder_step(struct point *a, struct point *b)
{
	static const struct number a24 = {{A24}}, base = {{BASE_U}};
	struct number plus = add(&a->x, &a->z), minus = subtract(&a->x, &a->z);
	struct number da = subtract(&b->x, &b->z), cb = add(&b->x, &b->z);
	struct number aa = multiply(&plus, &plus), bb = multiply(&minus, &minus);
	struct number e = subtract(&aa, &bb), part;

	da = multiply(&da, &plus);
	cb = multiply(&cb, &minus);
	part = add(&da, &cb);
	b->x = multiply(&part, &part);
	part = subtract(&da, &cb);
	part = multiply(&part, &part);
	b->z = multiply(&part, &base);
	a->x = multiply(&aa, &bb);
	part = multiply(&a24, &e);
	part = add(&aa, &part);
	a->z = multiply(&e, &part);
}

/* The one of the numbers that are the same which is below 2^255 - 19. */
static void reduce(struct number *n)
{
	for (int round = 0; round < 2; round++) {
		struct number more = *n;
		uint64_t carry = 19;
		uint32_t keep;

		for (int i = 0; i < LIMBS; i++) {
			carry += more.limb[i];
			more.limb[i] = (uint32_t)carry;
			carry >>= 32;
		}
		/* All ones if it is too large: above 2^256, or with the bit of 2^255. */
		keep = 0 - ((more.limb[LIMBS - 1] >> 31) | (uint32_t)carry);
		more.limb[LIMBS - 1] = carry ? more.limb[LIMBS - 1] | HIGH_BIT
					     : more.limb[LIMBS - 1] & ~HIGH_BIT;
		for (int i = 0; i < LIMBS; i++)
			n->limb[i] = (more.limb[i] & keep) | (n->limb[i] & ~keep);
	}
}

void pubkey_derive(const unsigned char private_key[KEY_BYTES],
		   unsigned char ret[KEY_BYTES])
{
	struct point one = {.x = {{1}}}, base = {.x = {{BASE_U}}, .z = {{1}}};
	unsigned char scalar[KEY_BYTES];
	uint32_t swapped = 0;

	memcpy(scalar, private_key, KEY_BYTES);
	scalar[0] &= 248;
	scalar[31] = (unsigned char)((scalar[31] & 127) | 64);
	for (int i = TOP_BIT; i >= 0; i--) {
		uint32_t bit = (uint32_t)scalar[i / 8] >> (i % 8) & 1;

		swap_if(swapped ^ bit, &one, &base);
		swapped = bit;
		ladder_step(&one, &base);
	}
	swap_if(swapped, &one, &base);
	one.z = invert(&one.z);
	one.x = multiply(&one.x, &one.z);
	reduce(&one.x);
	for (int i = 0; i < KEY_BYTES; i++)
		ret[i] = (unsigned char)(one.x.limb[i / 4] >> (8 * (i % 4)));
	explicit_bzero(scalar, sizeof(scalar));
	explicit_bzero(&one, sizeof(one));
	explicit_bzero(&base, sizeof(base));
}
