/* Results of campaigns as JSON, and how the parts of a divided campaign add up.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "campaign.h"

#include "sim/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void explore_replay_text(const struct explore_results *r, uint64_t seed, char text[EXPLORE_REPLAY])
{
    bool near = r->near != NULL;
    snprintf(text, EXPLORE_REPLAY, "smclab explore%s%s --replay %" PRIu64, near ? " --near " : "", near ? r->near : "", seed);
}

static json_t *failure_json(const struct explore_results *r, const struct explore_failure *f)
{
    char replay[EXPLORE_REPLAY];
    explore_replay_text(r, f->seed, replay);
    json_t *scenario = f->scenario[0] != '\0' ? json_string(f->scenario) : json_null();
    return json_pack("{s:I, s:s, s:s, s:o}", "seed", (json_int_t)f->seed, "why", f->why, "replay", replay, "scenario", scenario);
}

json_t *explore_results_json(const struct explore_results *r)
{
    char digest[SIM_HASH_TEXT];
    json_t *failures = json_array(), *states = json_object();
    for (size_t i = 0; i < r->failure_count; i++)
        json_array_append_new(failures, failure_json(r, &r->failures[i]));
    for (unsigned i = 0; i < EXPLORE_STATES; i++)
        json_object_set_new(states, explore_state_names[i], json_integer((json_int_t)r->states[i]));
    return json_pack("{s:i, s:I, s:o, s:o, s:I, s:s}", "version", 1, "seeds", (json_int_t)r->seeds, "failures", failures, "states", states,
                     "events", (json_int_t)r->events, "digest", sim_hash_text(r->digest, digest));
}

/* ---- merging ---- */
static bool digest_of(const json_t *result, uint64_t value[2])
{
    const char *text = json_string_value(json_object_get(result, "digest"));
    char half[17], *end;
    if (text == NULL || strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
        return false;
    for (int i = 0; i < 2; i++) {
        memcpy(half, text + 16 * i, 16);
        half[16] = '\0';
        value[i] = strtoull(half, &end, 16);
    }
    return true;
}

static bool looks_right(const json_t *r, char problem[256])
{
    uint64_t digest[2];
    bool ok = json_integer_value(json_object_get(r, "version")) == 1 && json_is_integer(json_object_get(r, "seeds")) &&
              json_is_array(json_object_get(r, "failures")) && json_is_object(json_object_get(r, "states")) &&
              json_is_integer(json_object_get(r, "events")) && digest_of(r, digest);
    if (!ok)
        snprintf(problem, 256, "that is no result of smclab explore of version 1");
    return ok;
}

static void add_number(json_t *into, const json_t *more, const char *key)
{
    json_int_t sum = json_integer_value(json_object_get(into, key)) + json_integer_value(json_object_get(more, key));
    json_object_set_new(into, key, json_integer(sum));
}

static json_int_t seed_of(const json_t *failures, size_t i)
{
    return json_integer_value(json_object_get(json_array_get(failures, i), "seed"));
}

/* Both lists are sorted by seed, and stay so. */
static bool add_failures(json_t *into, const json_t *more, char problem[256])
{
    json_t *own = json_object_get(into, "failures"), *merged = json_array();
    const json_t *other = json_object_get(more, "failures");
    size_t i = 0, j = 0;
    while (i < json_array_size(own) || j < json_array_size(other)) {
        bool first = j == json_array_size(other) || (i < json_array_size(own) && seed_of(own, i) < seed_of(other, j));
        if (i < json_array_size(own) && j < json_array_size(other) && seed_of(own, i) == seed_of(other, j)) {
            snprintf(problem, 256, "seed %" JSON_INTEGER_FORMAT " failed in two of the parts: they are not parts of one campaign", seed_of(own, i));
            json_decref(merged);
            return false;
        }
        json_array_append(merged, first ? json_array_get(own, i++) : json_array_get(other, j++));
    }
    json_object_set_new(into, "failures", merged);
    return true;
}

bool explore_results_merge(json_t *into, const json_t *more, char problem[256])
{
    uint64_t a[2], b[2];
    char text[SIM_HASH_TEXT];
    const char *name;
    json_t *count;
    if (!looks_right(into, problem) || !looks_right(more, problem) || !add_failures(into, more, problem))
        return false;
    add_number(into, more, "seeds");
    add_number(into, more, "events");
    json_t *states = json_object_get(into, "states");
    json_object_foreach(json_object_get(more, "states"), name, count) {
        json_int_t sum = json_integer_value(json_object_get(states, name)) + json_integer_value(count);
        json_object_set_new(states, name, json_integer(sum));
    }
    (void)digest_of(into, a);
    (void)digest_of(more, b);
    a[0] += b[0];
    a[1] += b[1];
    json_object_set_new(into, "digest", json_string(sim_hash_text(a, text)));
    return true;
}
