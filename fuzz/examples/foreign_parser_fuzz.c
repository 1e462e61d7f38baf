/* Fuzzes a CLC parser that is not smclab's, by smclab's mutator, and compares each verdict with `smclab decode`.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Put your parser behind foreign_clc_type() (naive_parser.c is one to try), have `smclab` in the PATH, then:
 *   clang -g -fsanitize=fuzzer,address foreign_parser_fuzz.c naive_parser.c $(pkg-config --cflags --libs libsmc) -o fuzz
 *   mkdir new && ./fuzz -dict=../smc.dict new ../corpus/clc */
#include "as_capture.h"
#include <smc/wire/mutate.h>
#include <string.h>

/* 1 Proposal, 2 Accept, 3 Confirm, 4 Decline; 0: these bytes are no message. */
int foreign_clc_type(const uint8_t *data, size_t size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    return smc_mutate(data, size, max_size, seed);
}

static int smclab_clc_type(const uint8_t *data, size_t size)
{
    static char line[65536];
    int type = 0;
    write_as_capture("foreign.pcap", data, size);
    FILE *out = popen("smclab decode --format json foreign.pcap", "r");
    while (out && fgets(line, sizeof line, out)) {
        const char *value = strstr(line, "\"name\":\"type\",\"offset\":4,\"size\":1,\"value\":");
        if (strstr(line, "\"protocol\":\"CLC\"") && !strstr(line, "\"rejected\":{") && value)
            type = atoi(strrchr(strtok(strstr(value, "\"value\""), "}"), ':') + 1);
    }
    if (!out || pclose(out) == -1)
        abort();
    return type;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8 || size > 1400 || (size_t)(data[5] << 8 | data[6]) != size)
        return 0; /* one whole message is what both are asked about */
    int theirs = foreign_clc_type(data, size), ours = smclab_clc_type(data, size);
    if (theirs != ours) {
        fprintf(stderr, "the foreign parser says %d, smclab says %d\n", theirs, ours);
        abort();
    }
    return 0;
}
