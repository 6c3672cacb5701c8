/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HOSTCONF_STAMP_H
#define NETCTL_HOSTCONF_STAMP_H

#include <stdbool.h>

#include "netctl/hostchange.h"

/* The state of a conf file at some moment, to detect changes by others. For hostconf.c. */

/* ret->known is false if the file cannot be examined. */
void hostconf_stamp_take(const char *conf_file, struct hostconf_stamp *ret);

/* Return true if the file is as it was, or if either state is not known. */
bool hostconf_stamp_holds(const char *conf_file, const struct hostconf_stamp *noted);

#endif
