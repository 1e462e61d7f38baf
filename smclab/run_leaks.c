/* Asks a kernel with kmemleak what it has lost.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run_leaks.h"

#include "conformance/targets/kernel_agent.h"
#include "conformance/targets/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 60000, SCAN_MS = 900000, ANSWER = 1 << 17, OLD_ENOUGH_S = 6 };

static int scan(struct vm_talk *talk, char *answer)
{
    char event[256];
    if (vm_talk(talk, "leaks scan=1", answer, ANSWER, ANSWER_MS) != VM_OK)
        return -1;
    if (strncmp(answer, "ok", 2) != 0)
        return 1; /* it cannot */
    return vm_talk_wait(talk, "leaks", event, sizeof(event), SCAN_MS) == VM_OK ? 0 : -1;
}

static int read_leaks(struct vm_talk *talk, char *answer, char *out, size_t size)
{
    if (vm_talk(talk, "leaks", answer, ANSWER, ANSWER_MS) != VM_OK)
        return -1;
    unsigned long long count = kernel_agent_number(answer, "count", 0);
    char *text = malloc(ANSWER);
    if (text == NULL || !kernel_agent_text(answer, "text", text, ANSWER))
        snprintf(out, size, "%llu objects of the kernel's memory are lost", count);
    else
        snprintf(out, size, "%llu objects of the kernel's memory are lost; the first:\n%.*s", count, (int)(size > 200 ? size - 200 : 0), text);
    free(text);
    return count > 0;
}

int run_leaks(int agent, char *out, size_t size)
{
    struct vm_talk talk = {.fd = agent};
    char *answer = malloc(ANSWER);
    int result = answer != NULL ? scan(&talk, answer) : -1;
    if (result == 0) {
        sleep(OLD_ENOUGH_S);
        result = scan(&talk, answer);
    }
    if (result == 0)
        result = read_leaks(&talk, answer, out, size);
    else if (result == 1)
        result = 0;
    if (result < 0)
        snprintf(out, size, "the kernel's agent does not say what memory is lost");
    vm_talk_end(&talk);
    free(answer);
    return result;
}
