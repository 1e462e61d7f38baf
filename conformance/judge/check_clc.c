/* Checks of the CLC area: none yet.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

const struct trace_session_events judge_clc_events = {0};
