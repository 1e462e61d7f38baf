/* Student's distribution for whole degrees of freedom has a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4), which needs no
 * table and no special function.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "statistics.h"

#include <math.h>

static const double half_pi = 1.57079632679489661923;

/* The terms cos^k, each made from the one before by k → k + 2; `first` is 1 for an even, cos for an odd number. */
static double cosine_sum(double cosine, unsigned from, unsigned below, double first)
{
    double term = first, sum = 0;
    for (unsigned k = from; k < below; k += 2) {
        sum += term;
        term *= cosine * cosine * k / (k + 1.0);
    }
    return sum;
}

double experiment_student(double t, unsigned freedom)
{
    double angle = atan(t / sqrt(freedom)), sine = sin(angle), cosine = cos(angle);
    if (freedom == 1)
        return angle / half_pi;
    if (freedom % 2 == 1)
        return (angle + sine * cosine_sum(cosine, 2, freedom, cosine)) / half_pi;
    return sine * cosine_sum(cosine, 1, freedom, 1);
}

double experiment_student_quantile(double share, unsigned freedom)
{
    double low = 0, high = 1;
    while (experiment_student(high, freedom) < share && high < 1e12)
        high *= 2;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (experiment_student(middle, freedom) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

struct experiment_summary experiment_summarize(const double *values, size_t count)
{
    struct experiment_summary s = {.count = count, .interval = NAN};
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        s.mean += (values[i] - s.mean) / (double)(i + 1);
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - s.mean) * (values[i] - s.mean);
    if (count < 2)
        return s;
    s.deviation = sqrt(squares / (double)(count - 1));
    s.interval = experiment_student_quantile(0.95, (unsigned)(count - 1)) * s.deviation / sqrt((double)count);
    return s;
}
