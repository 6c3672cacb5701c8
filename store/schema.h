#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

/*
 * The schema, version by version. schema_sql is schema.sql, embedded when building; it
 * makes version 1 out of an empty database. A later version adds a script of its own to
 * the list in store.c, which is run on databases of the version before it.
 */

/* "MTUS": how file(1) and we tell our databases from others (PRAGMA application_id). */
#define SCHEMA_APPLICATION_ID 0x4d545553
/* PRAGMA user_version of a database that this program writes. */
#define SCHEMA_VERSION 1

extern const char schema_sql[];

#endif
