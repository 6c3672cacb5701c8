#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "base/types.h"

/*
 * libiperf's JSON report, turned into numbers. The text comes from a library that
 * talked to the other host: nothing in it is trusted to be there or of its type.
 */

/*
 * Fill the rates, retransmits and duration of *ret from `json` (NULL: there is none);
 * the other figures stay. Without an "error" and with all it takes the status is ok. On
 * a report with an "error", or without the figures, the status is error, the text says
 * so and no figure is touched.
 */
void report_parse(const char *json, enum direction dir, struct dir_result *ret);

#endif
