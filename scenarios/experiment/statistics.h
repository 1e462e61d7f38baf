/* Mean, standard deviation and confidence intervals of a few samples.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPERIMENT_STATISTICS_H
#define EXPERIMENT_STATISTICS_H

#include <stddef.h>

struct experiment_summary {
    size_t count;
    double mean;
    double deviation; /* of the sample (n − 1); 0 for one value */
    double interval;  /* half the width of the 95 % confidence interval of the mean (Student's t); NAN for one value */
};
struct experiment_summary experiment_summarize(const double *values, size_t count);

/* P(|T| ≤ t) of Student's distribution with so many degrees of freedom (1 or more), t ≥ 0. */
double experiment_student(double t, unsigned freedom);
/* The t with P(|T| ≤ t) = share, share in (0, 1). */
double experiment_student_quantile(double share, unsigned freedom);

#endif
