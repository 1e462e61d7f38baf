/* smclab merge: joins the results of the parts of a campaign.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "scenarios/explore/campaign.h"

#include <string.h>

static const char usage[] =
    "usage: smclab merge FILE…\n"
    "\n"
    "Joins the JSON results of `smclab explore --shard I/N --format json` into those of the whole campaign, and prints them.\n"
    "Exit status: 0 no seed failed; 1 one did; 2 usage; 3 a file is unreadable, or the files are no parts of one campaign.\n";

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *json = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &error) : json_load_file(path, 0, &error);
    if (json == NULL)
        smclab_complain(EXIT_INPUT, "merge", "%s: %s", path, error.text);
    return json;
}

static json_t *join(int count, char **paths)
{
    json_t *all = json_pack("{s:i, s:i, s:[], s:{}, s:i, s:s}", "version", 1, "seeds", 0, "failures", "states", "events", 0, "digest",
                            "00000000000000000000000000000000");
    for (int i = 0; i < count && all != NULL; i++) {
        char problem[256] = "";
        json_t *part = load(paths[i]);
        if (part == NULL || !explore_results_merge(all, part, problem)) {
            if (part != NULL)
                smclab_complain(EXIT_INPUT, "merge", "%s: %s", paths[i], problem);
            json_decref(all);
            all = NULL;
        }
        json_decref(part);
    }
    return all;
}

int cmd_merge(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc < 2 || (argv[1][0] == '-' && argv[1][1] != '\0'))
        return smclab_bad_usage("merge", "which FILEs?");
    json_t *all = join(argc - 1, argv + 1);
    if (all == NULL)
        return EXIT_INPUT;
    int status = json_array_size(json_object_get(all, "failures")) > 0 ? EXIT_FOUND : 0;
    if (json_dumpf(all, stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF)
        status = smclab_complain(EXIT_INPUT, "merge", "the results could not be written");
    json_decref(all);
    return status;
}
