/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "synod.validation/1": do these checks hold? What must hold is the consensus plugin's; how it is proven is the
 * backend's. Every backend gives the verdicts of synod.validation.reference on every input. */
#ifndef SYNOD_VALIDATION_H
#define SYNOD_VALIDATION_H
#include <synod/abi.h>
#ifdef __cplusplus
extern "C" {
#endif
#define SYNOD_KIND_VALIDATION "synod.validation/1"

#define SYNOD_VERDICT_UNKNOWN 0u /* what the host writes before the call; never left behind after SYNOD_OK */
#define SYNOD_VERDICT_HOLDS 1u
#define SYNOD_VERDICT_FAILS 2u

/* Ed25519, one rule for all backends: [8](sB - R - hA) = O with s < L, R the canonical encoding of a curve point, A
 * canonical and in the prime-order subgroup, h = SHA-512(R || A || message) mod L. */
typedef struct synod_signature_checks {
    uint64_t n;
    const uint8_t *const *keys;       /* 32 bytes each */
    const uint8_t *const *signatures; /* 64 bytes each */
    const synod_bytes *messages;
    uint8_t *verdicts;
} synod_signature_checks;

/* Double SHA-256 of a span equals a digest. */
typedef struct synod_digest_checks {
    uint64_t n;
    const synod_bytes *spans;
    const uint8_t *const *digests; /* 32 bytes each */
    uint8_t *verdicts;
} synod_digest_checks;

/* Merkle root of 32-byte leaves equals a digest. Inner node = double SHA-256(left || right); a node without a partner
 * moves up unchanged (nothing is duplicated: CVE-2012-2459); one leaf is its own root; no leaves never hold. */
typedef struct synod_merkle_checks {
    uint64_t n;
    const uint8_t *const *leaves; /* leaf_counts[i] x 32 contiguous bytes */
    const uint64_t *leaf_counts;
    const uint8_t *const *roots;
    uint8_t *verdicts;
} synod_merkle_checks;

/* Double SHA-256 of an 80-byte header, as a little-endian integer, is at or below a target. */
typedef struct synod_target_checks {
    uint64_t n;
    const uint8_t *const *headers; /* 80 bytes each */
    const uint8_t *const *targets; /* 32 bytes little-endian each */
    uint8_t *verdicts;
} synod_target_checks;

typedef struct synod_check_batch {
    uint32_t size, flags;
    uint64_t ticket;      /* what host->complete is called with after SYNOD_PENDING */
    uint64_t deadline_ns; /* host clock's mono_ns; 0 none */
    synod_signature_checks signatures;
    synod_digest_checks digests;
    synod_merkle_checks merkles;
    synod_target_checks targets;
} synod_check_batch;

typedef struct synod_validation_api {
    uint32_t size;
    uint32_t max_inflight;   /* batches that may be PENDING at once; 0 for a backend that is never PENDING */
    uint64_t preferred_batch; /* checks a batch that it likes best; a hint */
    /* [worker & active] SYNOD_OK: every verdict is written. SYNOD_PENDING: host->complete(ticket) follows once. */
    synod_status (*validate)(synod_instance *, const synod_check_batch *, synod_error *);
    synod_status (*cancel)(synod_instance *, uint64_t ticket); /* [shared] best effort; the completion still follows */
    /* [shared & active] double SHA-256 of each span: what the host's hash service uses; may be NULL */
    void (*sha256d)(synod_instance *, const synod_bytes *spans, uint64_t n, uint8_t *out);
    /* [shared] the instruction set in use, for status and benches, for example "avx2"; may be NULL */
    synod_str (*isa)(synod_instance *);
} synod_validation_api;
#ifdef __cplusplus
}
#endif
#endif
