/* owl2_golden.h: the golden cases of mPLUG-Owl2 (tests/golden/mplug_owl2) as GGUF files, for tests.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_OWL2_GOLDEN_H
#define QB_TESTS_OWL2_GOLDEN_H

#include <qboost/convert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWL2_GOLDEN "tests/golden/mplug_owl2/"

/* Converts a case into a temporary file, whose name goes to path[64]; the caller unlinks it.
 * type: of the matrices, a name of qb_convert_type_name. */
static inline void owl2_convert(char *path, const char *name, const char *type)
{
    char folder[128];
    QbConvertOptions options;
    snprintf(folder, sizeof folder, OWL2_GOLDEN "%s", name);
    strcpy(path, "/tmp/qboost_owl2_XXXXXX");
    int fd = mkstemp(path);
    qb_convert_options_init(&options);
    options.type = type;
    options.preset = "q-instruct";
    options.threads = 1;
    if (fd < 0 || close(fd) || qb_convert(folder, path, &options)) {
        fprintf(stderr, "%s: %s\n", folder, qb_last_error());
        abort();
    }
}

#endif
