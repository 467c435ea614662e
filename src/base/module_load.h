/* module_load.h: finds and opens modules: shared objects of the library's own, loaded when they are
 * first needed, for work whose libraries pull in dozens of others or have another licence.
 *
 * A module is qboost-modules/<name>.so. It exports one table, which starts with a QbModuleHead, and
 * needs no symbol from the library: what it wants done goes through functions it is given. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_MODULE_LOAD_H
#define QB_BASE_MODULE_LOAD_H

#include <qboost/error.h>

/* Must agree with what the library was built for, or the module is not used. */
typedef struct QbModuleHead {
    int abi;
    const char *name;
} QbModuleHead;

/* How a module is asked for. */
typedef struct QbModuleKind {
    const char *symbol; /* of the table */
    int abi;
} QbModuleKind;

/* The table of the module <name>.so, opened at the first call and kept. Thread-safe. *out: never
 * freed. A module that is not there is QB_ERR_UNSUPPORTED; package: what building it needs, for the
 * message. */
QbStatus qb_module_get(const QbModuleHead **out, const QbModuleKind *kind, const char *name,
                       const char *package);

/* For tests: looks in this folder alone (copied); NULL = the usual places. Modules that are open
 * stay so. */
void qb_module_set_folder(const char *folder);

#endif
