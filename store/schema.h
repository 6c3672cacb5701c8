/* SPDX-License-Identifier: MIT */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

/*
 * The schema, version by version. schema_sql is schema.sql, embedded when building; it
 * makes version 1 out of an empty database. A later version adds a script of its own to
 * schema_scripts, which is run on databases of the version before it.
 */

/* "MTUS": how file(1) and we tell our databases from others (PRAGMA application_id). */
#define SCHEMA_APPLICATION_ID 0x4d545553
/* PRAGMA user_version of a database that this program writes. */
#define SCHEMA_VERSION 2

extern const char schema_sql[];
extern const char schema2_sql[];

/* schema_scripts[v] makes version v + 1 out of version v. */
extern const char *const schema_scripts[SCHEMA_VERSION];

#endif
