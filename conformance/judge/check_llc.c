/* Checks of the LLC area: none yet.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

const struct trace_session_events judge_llc_events = {0};
