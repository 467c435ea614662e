/* contact_sheet.h: one picture with all pictures, best first, score and name under each. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_CONTACT_SHEET_H
#define QBOOST_CLI_CONTACT_SHEET_H

#include "output/output.h"

enum { CONTACT_SHEET_MAX = 200, CONTACT_SHEET_BOX_WIDTH = 240, CONTACT_SHEET_BOX_HEIGHT = 180 };

typedef struct ContactSheet ContactSheet;

/* Keeps the best CONTACT_SHEET_MAX pictures it is given. */
ContactSheet *contact_sheet_new(void);
void contact_sheet_free(ContactSheet **sheet);

/* *thumbnail fits into the box; taken, set to NULL. */
void contact_sheet_add(ContactSheet *sheet, const Record *record, QbImage **thumbnail);

/* true when a sheet of some number of pictures has that size. */
bool contact_sheet_may_be(uint32_t width, uint32_t height);

/* Writes a PNG. Returns an exit code; failures are reported. */
int contact_sheet_write(const ContactSheet *sheet, const RunInfo *run, const char *file);

#endif
