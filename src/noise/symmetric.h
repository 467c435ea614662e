/* symmetric.h: eigenvalues of small symmetric matrices. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_SYMMETRIC_H
#define QB_NOISE_SYMMETRIC_H

enum { QB_SYMMETRIC_MAX = 16 };

/* values[n]: of a[n][n], whose lower triangle is read and all of which is overwritten; in no
 * order. 1 <= n <= QB_SYMMETRIC_MAX; a finite. Householder's reduction to three diagonals, then QL
 * steps with Wilkinson's shift (Golub & Van Loan, Matrix Computations, 4th ed., 8.3). */
void qb_symmetric_eigenvalues(double *values, double a[][QB_SYMMETRIC_MAX], int n);

#endif
