/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "synod.scoring/1": how good is each peer, for what? Struct of arrays in, one fixed-point score a peer out.
 * Scores choose and order peers; they never punish (behaviour.md, three ledgers). */
#ifndef SYNOD_SCORING_H
#define SYNOD_SCORING_H
#include <synod/abi.h>
#ifdef __cplusplus
extern "C" {
#endif
#define SYNOD_KIND_SCORING "synod.scoring/1"

/* Columns: one int64 a peer. Ratios are Q32.32 (1.0 = 1 << 32). The host computes only what `columns` asks for. */
#define SYNOD_COL_LATENCY_US 1u       /* smoothed round trip, microseconds; -1 unknown */
#define SYNOD_COL_RELIABILITY 2u      /* ratio of requests answered well */
#define SYNOD_COL_GOODPUT_BPS 3u      /* bytes a second of useful replies, moving */
#define SYNOD_COL_IS_AUTHORITY 4u     /* 0 or 1 */
#define SYNOD_COL_HISTORY 5u          /* ratio: good replies over all, since first met */
#define SYNOD_COL_REPUTATION 6u       /* ratio: 1 - misbehaviour / 100 */
#define SYNOD_COL_PARTICIPATION 7u    /* ratio of its slots that an authority filled */
#define SYNOD_COL_MISSED_SLOTS 8u     /* count over the last 1,000 slots */
#define SYNOD_COL_EQUIVOCATIONS 9u    /* proven, ever */
#define SYNOD_COL_IN_FLIGHT_BYTES 10u
#define SYNOD_COL_CONNECTED_S 11u     /* seconds since the connection was made */

/* What the choice is for. */
#define SYNOD_NEED_HEADERS 1u
#define SYNOD_NEED_BLOCKS 2u
#define SYNOD_NEED_CHECKPOINT 3u

typedef struct synod_scoring_api {
    uint32_t size, reserved;
    const uint32_t *columns; /* what it wants, in the order it wants them; constant for the instance's life */
    uint64_t n_columns;
    /* [worker & active] cols[i] has n_rows values, 64-byte aligned, padded with zeros to a multiple of 16 rows.
     * score_q32 gets one Q32.32 value a row: higher is better, any range. */
    synod_status (*score)(synod_instance *, uint32_t need, const int64_t *const *cols, uint64_t n_rows, int64_t *score_q32,
                          synod_error *);
    /* [worker & active] the terms behind one row's score, as one JSON object of numbers */
    synod_status (*explain)(synod_instance *, uint32_t need, const int64_t *const *cols, uint64_t row,
                            const synod_sink *json, synod_error *);
} synod_scoring_api;
#ifdef __cplusplus
}
#endif
#endif
