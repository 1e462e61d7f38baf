/* Checks of the SETUP area: none yet.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

const struct trace_session_events judge_setup_events = {0};
