/* Checks of the DATA area: none yet.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

const struct trace_session_events judge_data_events = {0};
