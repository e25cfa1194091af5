/* SPDX-License-Identifier: Apache-2.0 */
/* A scoring plugin in plain C. Each ODD_<name> makes one thing of it wrong or unusual. */
#include <synod/scoring.h>

#include <stdlib.h>

int odd_alive = 0; /* instances; the test reads it */

struct synod_instance {
    const synod_host *host;
#ifdef ODD_COUNTING
    uint64_t calls, rows;
#endif
};

static synod_status create(const synod_host *host, synod_bytes config, synod_instance **out, synod_error *error) {
    (void)config;
    (void)error;
    *out = malloc(sizeof(**out));
    (*out)->host = host;
    ++odd_alive;
#ifdef ODD_COUNTING
    const synod_metric_api *m = host->metrics;
    (*out)->calls = m->define(host, (synod_str){"synod_odd_calls_total", 21}, SYNOD_METRIC_COUNTER, (synod_str){"", 0},
                              (synod_str){"scored", 6});
    (*out)->rows = m->define(host, (synod_str){"synod_odd_last_rows", 19}, SYNOD_METRIC_GAUGE, (synod_str){"rows", 4},
                             (synod_str){"rows of the last call", 21});
#endif
#ifdef ODD_FAILED_CREATE
    return SYNOD_E_CONFIG;
#else
    return SYNOD_OK;
#endif
}

static synod_status nothing(synod_instance *i, synod_error *error) {
    (void)i;
    (void)error;
#ifdef ODD_LATE_FAILURE
    return SYNOD_E_NO_MEMORY;
#else
    return SYNOD_OK;
#endif
}

static synod_status drain(synod_instance *i, uint64_t deadline, synod_error *error) {
    (void)deadline;
    (void)i;
    (void)error;
    return SYNOD_OK;
}

static void destroy(synod_instance *i) {
    --odd_alive;
    free(i);
}

#ifdef ODD_OVERFLOWING
static volatile char sink;
static int deep(int n) { /* the frame is used after the call, so that it is no tail call */
    volatile char frame[4096];
    frame[n & 4095] = (char)n;
    if (sink != 77) { /* always, which the compiler can't know */
        sink = (char)deep(n + 1);
    }
    return frame[(n + 1) & 4095] + sink;
}
#endif

static synod_status score(synod_instance *i, uint32_t need, const int64_t *const *cols, uint64_t rows, int64_t *out,
                          synod_error *error) {
    (void)i;
    (void)need;
    (void)cols;
    (void)error;
#ifdef ODD_COUNTING
    i->host->metrics->add(i->host, i->calls, 1);
    i->host->metrics->set(i->host, i->rows, (int64_t)rows);
#endif
#ifdef ODD_CRASHING
    *(volatile int *)8 = 1;
#endif
#ifdef ODD_OVERFLOWING
    out[0] = deep(0);
#endif
#ifdef ODD_SCRATCH
    if (i->host->exec == NULL) {
        return SYNOD_E_UNSUPPORTED;
    }
    char *first = i->host->exec->scratch(i->host, 100);
    char *second = i->host->exec->scratch(i->host, 100000);
    if (first == NULL || second == NULL || ((uintptr_t)first & 63) != 0 || ((uintptr_t)second & 63) != 0) {
        return SYNOD_E_NO_MEMORY;
    }
    for (int at = 0; at < 100; ++at) {
        first[at] = 1;
    }
    for (int at = 0; at < 100000; ++at) {
        second[at] = 2;
    }
    return first[0] == 1 && first[99] == 1 && i->host->exec->scratch(i->host, 1ull << 40) == NULL ? SYNOD_OK
                                                                                                  : SYNOD_E_CORRUPT;
#endif
    for (uint64_t r = 0; r < rows; ++r) {
        out[r] = 7;
    }
    return SYNOD_OK;
}

static const struct {
    synod_scoring_api known;
    void *later[4]; /* what a newer SDK has appended */
} table = {
    {
#if defined(ODD_LARGE)
        sizeof(table),
#elif defined(ODD_SHORT)
        offsetof(synod_scoring_api, score),
#elif defined(ODD_TINY)
        3,
#else
        sizeof(synod_scoring_api),
#endif
        0, NULL, 0, score, NULL},
    {(void *)1, (void *)1, (void *)1, (void *)1}};

static const void *query(synod_instance *i, const char *id) {
    (void)i;
    (void)id;
    return &table;
}

static const synod_plugin_api api = {
    sizeof(api), 0, create, nothing, drain, NULL, destroy, NULL, NULL, NULL, NULL, query};

#ifdef ODD_NEEDS_SERVICE
static const char *const needed[] = {"synod.clock/1", "synod.exec/1", NULL};
#endif

static const synod_descriptor descriptor = {
    .size = sizeof(descriptor),
    .id = "test.odd",
    .name = "odd",
    .version = "1.0",
#ifdef ODD_BAD_KIND
    .kind = "synod.weather/1",
#else
    .kind = SYNOD_KIND_SCORING,
#endif
#ifdef ODD_NEEDS_SERVICE
    .requires_ = needed,
#endif
    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
                     "\"depth\":{\"type\":\"integer\",\"default\":3,\"minimum\":1,\"maximum\":9}}}",
    .api = &api};

static const synod_descriptor *const plugins[] = {&descriptor};

#ifndef ODD_NO_ENTRY
extern const synod_entry synod_entry_v1;
__attribute__((visibility("default"))) const synod_entry synod_entry_v1 = {
#ifdef ODD_WRONG_MAGIC
    {'S', 'Y', 'N', 'O', 'D', 'P', 'L', '?'},
#else
    {'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'},
#endif
    sizeof(synod_entry),
#if defined(ODD_OLDER_MAJOR)
    0,
#elif defined(ODD_NEWER_MAJOR)
    2,
#else
    SYNOD_ABI_MAJOR,
#endif
#ifdef ODD_NEWER_MINOR
    SYNOD_ABI_MINOR + 3,
#else
    SYNOD_ABI_MINOR,
#endif
    SYNOD_ABI_MINOR + 3, "by hand", plugins, 1};
#else
const void *not_an_entry(void) { return plugins; }
#endif
