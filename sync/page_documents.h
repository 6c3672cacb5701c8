/* SPDX-License-Identifier: MIT */
#ifndef SYNC_PAGE_DOCUMENTS_H
#define SYNC_PAGE_DOCUMENTS_H

/* The files of sync/page/, put into the program when it is built. For page.c. */
extern const char page_html[];
extern const char page_css[];
extern const char page_js[];

#endif
