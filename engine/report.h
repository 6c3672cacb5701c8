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
 */
void report_parse(const char *json, enum direction dir, struct dir_result *ret);

#endif
