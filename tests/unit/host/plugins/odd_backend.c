/* SPDX-License-Identifier: Apache-2.0 */
/* A validation backend in plain C, which one thing is wrong with: BACKEND_CRASHING crashes when it is to prove
 * something; BACKEND_HANGING takes every batch and never completes one, not even when it is cancelled;
 * BACKEND_DOUBTING says of one signature in a thousand that it fails, and of all else that it holds. */
#include <synod/validation.h>

static int alive;

static synod_status create(const synod_host *host, synod_bytes config, synod_instance **out, synod_error *error) {
    (void)host;
    (void)config;
    (void)error;
    *out = (synod_instance *)&alive;
    return SYNOD_OK;
}

static synod_status nothing(synod_instance *self, synod_error *error) {
    (void)self;
    (void)error;
    return SYNOD_OK;
}

static synod_status drain(synod_instance *self, uint64_t deadline, synod_error *error) {
    (void)self;
    (void)deadline;
    (void)error;
    return SYNOD_OK;
}

static void destroy(synod_instance *self) { (void)self; }

#ifdef BACKEND_DOUBTING
static uint64_t signatures_seen = 0;

static void hold_all(uint8_t *verdicts, uint64_t n) {
    for (uint64_t i = 0; i < n; ++i) {
        verdicts[i] = SYNOD_VERDICT_HOLDS;
    }
}
#endif

static synod_status validate(synod_instance *self, const synod_check_batch *batch, synod_error *error) {
    (void)self;
    (void)error;
#ifdef BACKEND_DOUBTING
    hold_all(batch->digests.verdicts, batch->digests.n);
    hold_all(batch->merkles.verdicts, batch->merkles.n);
    hold_all(batch->targets.verdicts, batch->targets.n);
    for (uint64_t i = 0; i < batch->signatures.n; ++i) {
        batch->signatures.verdicts[i] = ++signatures_seen % 1000 == 0 ? SYNOD_VERDICT_FAILS : SYNOD_VERDICT_HOLDS;
    }
    return SYNOD_OK;
#else
    (void)batch;
#ifdef BACKEND_CRASHING
    *(volatile int *)8 = 1;
#endif
    return SYNOD_PENDING;
#endif
}

static synod_status cancel(synod_instance *self, uint64_t ticket) {
    (void)self;
    (void)ticket;
    return SYNOD_OK;
}

static const synod_validation_api table = {sizeof(table), 1, 0, validate, cancel, NULL, NULL};

static const void *query(synod_instance *self, const char *id) {
    (void)self;
    (void)id;
    return &table;
}

static const synod_plugin_api api = {sizeof(api), 0,    create, nothing, drain, NULL,
                                     destroy,     NULL, NULL,   NULL,    NULL,  query};

static const synod_descriptor descriptor = {.size = sizeof(descriptor),
                                            .id = "test.odd_backend",
                                            .name = "odd backend",
                                            .version = "1.0",
                                            .kind = SYNOD_KIND_VALIDATION,
                                            .config_schema = "{}",
                                            .api = &api};

static const synod_descriptor *const plugins[] = {&descriptor};

extern const synod_entry synod_entry_v1;
__attribute__((visibility("default"))) const synod_entry synod_entry_v1 = {
    {'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'}, sizeof(synod_entry), SYNOD_ABI_MAJOR, SYNOD_ABI_MINOR,
    SYNOD_ABI_MINOR, "by hand", plugins, 1};
