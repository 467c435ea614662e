/* report.h: messages for people, on stderr. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_REPORT_H
#define QBOOST_CLI_REPORT_H

/* Prints "qboost: <message>" as one line; what a file name might do to a terminal is made visible
 * instead. A progress bar is taken away first. Any thread may call it. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same about a file: "<path>: <what>", or what alone where it begins with the path. */
void report_about(const char *path, const char *what);

#endif
