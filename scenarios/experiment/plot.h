/* Figures of a sweep, by gnuplot.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPERIMENT_PLOT_H
#define EXPERIMENT_PLOT_H

#include "table.h"

/* PLOT_NO_GNUPLOT: it is not installed; the script was written all the same. */
enum plot_result { PLOT_DONE, PLOT_NO_GNUPLOT, PLOT_FAILED };

/* Writes STEM-1.gp and, with gnuplot, STEM-1.svg and STEM-1.png, for each plot of the plan. A parameter whose values are all numbers
 * makes an axis with lines and error bars (95 % confidence), another one groups of boxes. */
enum plot_result experiment_plot_all(const struct experiment_table *table, const char *stem, char *error, size_t error_size);
/* The script of one plot. */
void experiment_plot_script(const struct experiment_table *table, unsigned plot, const char *stem, FILE *out);

#endif
