/* train_table.h: tables that say how visible the noise in zones is (docs/noise-training.md). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TRAIN_TABLE_H
#define QBOOST_CLI_TRAIN_TABLE_H

#include "run/train_pictures.h"
#include "run/train_set.h"

typedef struct TrainReading {
    TrainSet *set;
    TrainPictures *pictures;
    QbNoiseGrid grid;
    int64_t n_rows;   /* read so far, of all tables */
    int64_t n_untold; /* zones of which nothing can be told, left out */
    bool (*go_on)(const struct TrainReading *reading, void *user); /* after each row */
    void *user;
} TrainReading;

/* Adds the table's zones to the set. Returns an exit code; a mistake is reported with its line.
 * CLI_SIGNAL: go_on said no. */
int train_table_read(TrainReading *reading, const char *path);

#endif
