/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "synod.optimizer/1": which settings next? Measured signals and bounded knobs in, proposed values out. Pure: the
 * host clamps, applies, measures the trial and rolls back. */
#ifndef SYNOD_OPTIMIZER_H
#define SYNOD_OPTIMIZER_H
#include <synod/abi.h>
#ifdef __cplusplus
extern "C" {
#endif
#define SYNOD_KIND_OPTIMIZER "synod.optimizer/1"

/* Signals, by index. Ratios are Q32.32 (1.0 = 1 << 32). */
#define SYNOD_SIG_THROUGHPUT_BPS 0u /* blocks a second */
#define SYNOD_SIG_LATENCY_P50_US 1u
#define SYNOD_SIG_LATENCY_P99_US 2u
#define SYNOD_SIG_QUEUE_DEPTH 3u
#define SYNOD_SIG_WINDOW_USE 4u   /* ratio */
#define SYNOD_SIG_GOODPUT_BPS 5u  /* bytes a second and peer */
#define SYNOD_SIG_ERROR_RATE 6u   /* ratio */
#define SYNOD_SIG_CPU 7u          /* ratio of all cores */
#define SYNOD_SIG_MEMORY_BYTES 8u
#define SYNOD_SIG_DISK_BUSY 9u    /* ratio */
#define SYNOD_SIG_TARGET_BPS 10u
#define SYNOD_SIG_TARGET_LATENCY_US 11u
#define SYNOD_SIG_MEMORY_LIMIT 12u /* bytes */
#define SYNOD_SIG_COUNT 13u

/* Knobs, by id. */
#define SYNOD_KNOB_BATCH_BLOCKS 1u
#define SYNOD_KNOB_REQUESTS_PER_PEER 2u
#define SYNOD_KNOB_PARALLEL_DOWNLOADS 3u
#define SYNOD_KNOB_WINDOW_BYTES 4u
#define SYNOD_KNOB_WORKERS 5u
#define SYNOD_KNOB_COMMIT_BLOCKS 6u
#define SYNOD_KNOB_CHECKPOINT_INTERVAL 7u

typedef struct synod_knob { /* fixed for ever; walk arrays of it by sizeof */
    uint32_t id, reserved;
    int64_t min, max, step, max_delta, value;
} synod_knob;

typedef struct synod_optimizer_api {
    uint32_t size, reserved;
    /* [worker & active] proposed[i] for knobs[i]; what lies outside a knob's bounds, step or largest change is clamped */
    synod_status (*propose)(synod_instance *, const int64_t *signals, uint64_t n_signals, const synod_knob *knobs,
                            uint64_t n_knobs, int64_t *proposed, synod_error *);
    /* [worker & active] how the last proposal turned out: cost before and after in Q32.32, kept 0 or 1; may be NULL */
    synod_status (*feedback)(synod_instance *, int64_t cost_before, int64_t cost_after, uint32_t kept, synod_error *);
} synod_optimizer_api;
#ifdef __cplusplus
}
#endif
#endif
