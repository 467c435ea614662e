/* module_load.h: finds and opens decoding modules. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_MODULE_LOAD_H
#define QB_IMAGE_MODULE_LOAD_H

#include "image/module.h"

/* The module <name>.so, opened at the first call and kept. Thread-safe. *out: never freed. A module
 * that is not there is QB_ERR_UNSUPPORTED; package: what building it needs, for the message. */
QbStatus qb_module_get(const QbImageModule **out, const char *name, const char *package);

/* For tests: looks in this folder alone (copied); NULL = the usual places. Modules that are open
 * stay so. */
void qb_module_set_folder(const char *folder);

#endif
