/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "synod.checkpoint/1": how is a checkpoint written and read? A stream of logical records on one side, a stream of
 * bytes on the other. A format never hashes and never verifies: the host does, so that a format can't change what a
 * checkpoint means. */
#ifndef SYNOD_CHECKPOINT_H
#define SYNOD_CHECKPOINT_H
#include <synod/abi.h>
#ifdef __cplusplus
extern "C" {
#endif
#define SYNOD_KIND_CHECKPOINT "synod.checkpoint/1"
#define SYNOD_CHECKPOINT_KEY_MAX 256u           /* bytes */
#define SYNOD_CHECKPOINT_VALUE_MAX (16u << 20) /* bytes */

/* Records come in the order in which they were written: by section, then by key. */
typedef struct synod_record {
    uint32_t section; /* the host's numbering; a format carries it */
    uint32_t reserved;
    synod_bytes key, value;
} synod_record;

typedef struct synod_record_source {
    uint32_t size, reserved;
    void *ctx;
    synod_status (*next)(void *ctx, synod_record *out); /* SYNOD_OK a record (borrowed until the next call), 1 the end */
} synod_record_source;

typedef struct synod_record_sink {
    uint32_t size, reserved;
    void *ctx;
    synod_status (*put)(void *ctx, const synod_record *record);
} synod_record_sink;

typedef struct synod_checkpoint_api {
    uint32_t size, format_rev;
    uint32_t (*probe)(synod_bytes first_4k); /* [shared] 0..100: how sure that these bytes are this format */
    synod_status (*encode)(synod_instance *, const synod_record_source *, const synod_sink *, synod_error *); /* [worker & active] */
    synod_status (*decode)(synod_instance *, const synod_source *, const synod_record_sink *, synod_error *); /* [worker & active] */
} synod_checkpoint_api;
#ifdef __cplusplus
}
#endif
#endif
