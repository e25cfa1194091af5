/* SPDX-License-Identifier: Apache-2.0 */
/* Synod plugin ABI, major 1. C11, needs only <stddef.h> and <stdint.h>. One small header per plugin kind stands beside
 * this one; this one holds what every kind shares.
 *
 * LAYOUT         Every struct that crosses the boundary and may grow starts with `size`: sizeof() as its writer compiled
 *                it. Fields are only ever appended; nothing is reordered, retyped or removed. A reader takes a missing
 *                tail as zero or NULL. Structs without `size` (synod_str, synod_bytes, columns) never change.
 *                No bit-fields, enums, bool or long.
 * OWNERSHIP      (1) Pointers passed in are borrowed until the call returns or, after SYNOD_PENDING, until its completion.
 *                (2) Results go out into memory that the caller supplied, or through a sink. (3) What lives longer is a
 *                handle with its own release function. Nobody frees the other side's memory.
 * THREADS        [main]   the host's control thread, one per process.
 *                [worker] any pool thread, but never two at once for the same instance.
 *                [shared] any thread, concurrently; the implementation synchronises.
 *                States: created -> active -> draining -> created -> destroyed, written "[worker & active]".
 * ERRORS         synod_status: 0 is done, above 0 is success with a note, below 0 is failure. Details go into a
 *                synod_error that the caller owns; passing NULL for it is allowed.
 * UNWINDING      No C++ exception, longjmp or exit() may cross any function declared here.
 * DETERMINISM    A plugin that sets SYNOD_F_DETERMINISTIC takes time, randomness and threads from synod_host only: equal
 *                configuration, state, call sequence and host answers give equal bytes out. */
#ifndef SYNOD_ABI_H
#define SYNOD_ABI_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define SYNOD_ABI_MAJOR 1u /* part of the entry symbol's name */
#define SYNOD_ABI_MINOR 4u /* raised whenever something is appended */

/* ---- status and error ---------------------------------------------------------------------------- */
typedef int32_t synod_status;
#define SYNOD_OK 0
#define SYNOD_PENDING 1          /* accepted; exactly one completion will follow */
#define SYNOD_REFUSED 2          /* the input breaks a rule; the refusal says which */
#define SYNOD_E_INVALID (-1)     /* the caller broke the contract */
#define SYNOD_E_CONFIG (-2)      /* the configuration can't work; error.where is the key's path */
#define SYNOD_E_UNSUPPORTED (-3) /* also what the host answers for an absent function */
#define SYNOD_E_BUSY (-4)        /* back-pressure: try again after error.retry_ms */
#define SYNOD_E_CANCELLED (-5)
#define SYNOD_E_CORRUPT (-6)  /* bytes that can't be what they claim to be; error.where is the offset */
#define SYNOD_E_DEADLINE (-7)
#define SYNOD_E_INTERNAL (-8) /* caught exception or failed invariant */
#define SYNOD_E_NO_MEMORY (-9)

/* UTF-8, not NUL-terminated. */
typedef struct synod_str {
    const char *p;
    uint64_t n;
} synod_str;

typedef struct synod_bytes {
    const uint8_t *p;
    uint64_t n;
} synod_bytes;

/* Filled by the callee on failure; the caller sets `size` and zeroes the rest. Texts end with NUL and may be cut. */
typedef struct synod_error {
    uint32_t size;
    synod_status code;
    uint32_t subcode;  /* the plugin's own number for the failure */
    uint32_t retry_ms; /* for SYNOD_E_BUSY */
    char message[256]; /* what happened */
    char hint[256];    /* what the operator can do about it */
    char where[128];   /* configuration path, file:line or item index */
} synod_error;

/* ---- streams: the only way to move unbounded data ------------------------------------------------- */
typedef struct synod_sink {
    uint32_t size, reserved;
    void *ctx;
    synod_status (*write)(void *ctx, synod_bytes bytes); /* all or a failure; the thread of the call that got the sink */
} synod_sink;

typedef struct synod_source {
    uint32_t size, reserved;
    void *ctx;
    int64_t (*read)(void *ctx, uint8_t *buffer, uint64_t capacity); /* >0 bytes read, 0 end, <0 a synod_status */
} synod_source;

/* ---- host services. Each block is optional: NULL means that it was not granted to this plugin ------ */
typedef struct synod_host synod_host;

#define SYNOD_LOG_TRACE 0u
#define SYNOD_LOG_DEBUG 1u
#define SYNOD_LOG_INFO 2u
#define SYNOD_LOG_WARN 3u
#define SYNOD_LOG_ERROR 4u
/* Two more levels say whose fault a broken contract is. */
#define SYNOD_LOG_HOST_MISBEHAVING 5u
#define SYNOD_LOG_PLUGIN_MISBEHAVING 6u

typedef struct synod_log_api {
    uint32_t size;
    uint32_t level; /* lowest level that is written; read it to skip formatting */
    /* [shared] `kv` holds n_kv pairs: key, value, key, value... */
    void (*write)(const synod_host *, uint32_t level, synod_str message, const synod_str *kv, uint32_t n_kv);
} synod_log_api;

typedef struct synod_clock_api { /* virtual in simulation */
    uint32_t size, reserved;
    uint64_t (*mono_ns)(const synod_host *); /* [shared] nanoseconds, never goes back */
    uint64_t (*unix_ms)(const synod_host *); /* [shared] milliseconds since 1970, may jump */
} synod_clock_api;

typedef struct synod_random_api {
    uint32_t size, reserved;
    void (*fill)(const synod_host *, uint8_t *out, uint64_t n); /* [worker] a stream seeded for this instance */
} synod_random_api;

#define SYNOD_METRIC_COUNTER 1u
#define SYNOD_METRIC_GAUGE 2u
#define SYNOD_METRIC_HISTOGRAM 3u

typedef struct synod_metric_api {
    uint32_t size, reserved;
    /* [main & created] an id, or 0 when refused (bad name, too many) */
    uint64_t (*define)(const synod_host *, synod_str name, uint32_t type, synod_str unit, synod_str help);
    void (*add)(const synod_host *, uint64_t metric, int64_t delta); /* [shared] */
    void (*set)(const synod_host *, uint64_t metric, int64_t value); /* [shared] */
} synod_metric_api;

#define SYNOD_OVERFLOW_DROP_OLDEST 1u
#define SYNOD_OVERFLOW_DROP_NEWEST 2u
#define SYNOD_OVERFLOW_COALESCE 3u /* keep only the newest event of the topic */

typedef struct synod_event {
    uint32_t size, topic;
    uint64_t seq; /* one run a topic; a gap shows what overflow dropped */
    uint64_t mono_ns;
    synod_bytes payload; /* its layout is the topic's, in the host's catalogue */
} synod_event;

typedef struct synod_event_api {
    uint32_t size, reserved;
    uint32_t (*topic)(const synod_host *, synod_str name_slash_rev); /* [shared] "peer.banned/1" -> id; 0 unknown */
    /* [main & created] queue_len events are held for this instance before `overflow` applies */
    synod_status (*subscribe)(const synod_host *, uint32_t topic, uint32_t queue_len, uint32_t overflow);
    synod_status (*publish)(const synod_host *, uint32_t topic, synod_bytes payload); /* [shared] copies */
} synod_event_api;

typedef void (*synod_task_fn)(void *ctx);

typedef struct synod_exec_api {
    uint32_t size, reserved;
    synod_status (*post)(const synod_host *, synod_task_fn, void *ctx, uint64_t delay_ns); /* [shared] runs as [worker] */
    /* [worker] calls fn(ctx, 0..n-1) on the workers and returns when all are done; fn must not call back into the instance */
    synod_status (*parallel)(const synod_host *, void (*fn)(void *ctx, uint32_t i), void *ctx, uint32_t n);
    void *(*scratch)(const synod_host *, uint64_t bytes); /* [worker] 64-byte aligned, dies with the call; NULL: none left */
    uint32_t (*workers)(const synod_host *);              /* [shared] how many tasks of `parallel` can run at once */
} synod_exec_api;

/* Double SHA-256 of many spans at once, on whatever the host's validation backend has for it. */
typedef struct synod_hash_api {
    uint32_t size, reserved;
    void (*sha256d)(const synod_host *, const synod_bytes *spans, uint64_t n, uint8_t *out); /* [shared] 32 bytes a span */
} synod_hash_api;

struct synod_host {
    uint32_t size, abi_minor;
    void *ctx; /* the host's; a plugin never reads it */
    synod_str name, version;
    const synod_log_api *log;
    const synod_clock_api *clock;
    const synod_random_api *random;
    const synod_metric_api *metrics;
    const synod_event_api *events;
    const synod_exec_api *exec;
    const synod_hash_api *hash;
    const void *(*query)(const synod_host *, const char *id_slash_rev);          /* [shared] further services; NULL: none */
    void (*complete)(const synod_host *, uint64_t ticket, synod_status status); /* [shared] ends a PENDING call, once */
};

/* ---- what every plugin instance has --------------------------------------------------------------- */
typedef struct synod_instance synod_instance;

typedef struct synod_plugin_api {
    uint32_t size, reserved;
    /* [main] config_json passed the descriptor's schema, defaults filled in. May not start work. */
    synod_status (*create)(const synod_host *, synod_bytes config_json, synod_instance **out, synod_error *);
    synod_status (*activate)(synod_instance *, synod_error *);                      /* [main & created] may allocate and post */
    synod_status (*drain)(synod_instance *, uint64_t deadline_ns, synod_error *);   /* [main & active] no callbacks after OK */
    synod_status (*deactivate)(synod_instance *, synod_error *);                    /* [main & draining] */
    void (*destroy)(synod_instance *);                                              /* [main & created] */
    synod_status (*reconfigure)(synod_instance *, synod_bytes config_json, synod_error *); /* [main] all or nothing */
    synod_status (*save)(synod_instance *, const synod_sink *, synod_error *);      /* [main] learned state, see state_rev */
    synod_status (*load)(synod_instance *, const synod_source *, uint32_t state_rev, synod_error *); /* [main & created] */
    void (*on_event)(synod_instance *, const synod_event *events, uint32_t n);      /* [worker & active] */
    const void *(*query)(synod_instance *, const char *id_slash_rev); /* [shared] the kind's table and extensions; NULL: none */
} synod_plugin_api;

/* ---- descriptor and entry: constant data, readable before any plugin code has run ------------------ */
#define SYNOD_F_DETERMINISTIC 1u
#define SYNOD_F_HOT_SWAP 2u /* save/load round-trips between versions that share state_rev */
#define SYNOD_F_PINNED 4u   /* never unmap */

typedef struct synod_descriptor {
    uint32_t size, flags, state_rev, reserved;
    const char *id; /* stable for ever: reverse DNS, or "synod.<kind>.<name>" for the project's own */
    const char *name, *version, *vendor, *license, *url;
    const char *kind;                   /* "synod.scoring/1" */
    const char *const *requires_;       /* NULL-terminated host service ids without which it can't run */
    const char *const *optional;        /* NULL-terminated host service ids that it uses when granted */
    const char *const *provides;        /* NULL-terminated ids that `query` answers */
    const char *config_schema;          /* JSON Schema text: checked, documented and templated from */
    const synod_plugin_api *api;
} synod_descriptor;

typedef struct synod_entry {
    uint8_t magic[8]; /* SYNOD_ENTRY_MAGIC */
    uint32_t size, abi_major, abi_minor_needed, abi_minor_built; /* loads when major is equal and needed <= the host's minor */
    const char *built_with; /* compiler and flags that matter: for diagnosis only */
    const synod_descriptor *const *plugins;
    uint64_t n_plugins;
} synod_entry;

#define SYNOD_ENTRY_MAGIC "SYNODPLG" /* eight bytes, no NUL */
/* The one exported symbol of a plugin library, of type `const synod_entry`. A static build appends _<name>. */
#define SYNOD_ENTRY_SYMBOL "synod_entry_v1"

#ifdef __cplusplus
}
#endif
#endif
