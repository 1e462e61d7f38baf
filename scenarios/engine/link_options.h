/* Options of a link for a carrier (sim/carrier.h), as a script writes them: link(a, b, { ns3 = { … } }).
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_LINK_OPTIONS_H
#define SCENARIOS_LINK_OPTIONS_H

#include "internal.h"

#include "sim/carrier.h"

enum { LINK_OPTIONS = 32, OPTION_TEXT = 128 };

/* The texts are our own: numbers and booleans become texts. */
struct link_options {
    struct net_option list[LINK_OPTIONS];
    char text[LINK_OPTIONS][2][OPTION_TEXT];
    unsigned count;
};

/* The field `ns3` of a table, which may have none. Raises an error for what is no text, number or boolean. */
void link_options_read(lua_State *L, int table, struct link_options *o);

#endif
