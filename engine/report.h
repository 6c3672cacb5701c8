/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "base/types.h"

/*
 * A parser for libiperf's JSON report. The text comes from a library that talked to the
 * other host, so the parser assumes nothing about the presence or type of a field.
 */

/*
 * Fill the rates, retransmits and duration of *ret from `json` (NULL: there is none);
 * the other figures stay. The status is ok if the report has all figures and no
 * "error". Otherwise the status is error, the text says why, and no figure is touched.
 *
 * At least `arrived` bytes of data arrived at the receiver, as this end's socket knows: if
 * libiperf counted less, the received rate is that of `arrived`, and the sent one is no
 * less. From 3.16 on it omits the
 * block that was not complete at the end.
 */
void report_parse(const char *json, enum direction dir, uint64_t arrived,
		  struct dir_result *ret);

#endif
