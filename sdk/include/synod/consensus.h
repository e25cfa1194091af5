/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "synod.consensus/1": what is a block, what must hold for it, who may produce? It decides and describes; it never
 * proves, signs, stores or sends. What must be proven it writes as checks into a synod_check_writer; what must be signed
 * it describes in a synod_sign_request, and the host's signer, which stores slot and lock durably first, signs. */
#ifndef SYNOD_CONSENSUS_H
#define SYNOD_CONSENSUS_H
#include <synod/abi.h>
#ifdef __cplusplus
extern "C" {
#endif
#define SYNOD_KIND_CONSENSUS "synod.consensus/1"
#define SYNOD_BLOCK_MAX (8u << 20)       /* bytes of one encoded block */
#define SYNOD_HEAD_PROOF_MAX (64u << 10) /* bytes */
#define SYNOD_GOSSIP_MAX (64u << 10)     /* bytes */

/* A consensus state: the chain's state after one block, with what of its recent ancestry the rules need. A cheap handle
 * that the plugin owns; the host forks, advances and releases it. */
typedef struct synod_state synod_state;

/* ---- views --------------------------------------------------------------------------------------- */
#define SYNOD_FORM_BLOCKS 1u  /* whole blocks, back to back */
#define SYNOD_FORM_HEADERS 2u /* header forms, back to back: the first header_length bytes of each block */

#define SYNOD_VIEW_CHANGES_AUTHORITIES 1u /* the authority set differs from the parent's */
#define SYNOD_VIEW_HAS_PROOF_RECORD 2u    /* carries a finality record */
#define SYNOD_VIEW_HAS_EVENTS 4u          /* carries governance events; `explain` lists them as governance_events */

typedef struct synod_header_view { /* fixed for ever; walk arrays of it by sizeof */
    uint64_t height, slot;
    uint8_t hash[32], parent[32];
    uint64_t offset;        /* of its first byte in the run */
    uint32_t length;        /* bytes of the whole block, or of the header form */
    uint32_t header_length; /* bytes of its header form; the same for every block of a chain */
    uint32_t author;        /* index in the authority set */
    uint32_t flags;
} synod_header_view;

/* ---- checks -------------------------------------------------------------------------------------- */
/* Where a plan puts what must be proven. `block` is the index in the planned run, `rule` the plugin's number for what
 * fails when the check does (see rule_name). Spans must stay valid until the verdicts: they lie in the run or in arena
 * memory. The writer's functions may be called only inside the call that got it. */
typedef struct synod_check_writer {
    uint32_t size, reserved;
    void *ctx;
    uint8_t *(*arena)(void *ctx, uint64_t bytes); /* 16-byte aligned, lives as long as the checks; NULL: none left */
    void (*signature)(void *ctx, uint32_t block, uint32_t rule, const uint8_t *key, const uint8_t *signature,
                      synod_bytes message);
    void (*digest)(void *ctx, uint32_t block, uint32_t rule, synod_bytes span, const uint8_t *digest);
    void (*merkle)(void *ctx, uint32_t block, uint32_t rule, const uint8_t *leaves, uint64_t n_leaves,
                   const uint8_t *root);
    void (*target)(void *ctx, uint32_t block, uint32_t rule, const uint8_t *header80, const uint8_t *target32);
} synod_check_writer;

/* Why SYNOD_REFUSED. The host sets `size`. */
typedef struct synod_refusal {
    uint32_t size;
    uint32_t block; /* index in the run */
    uint32_t rule;
    uint32_t flags;
    char detail[192]; /* values that disagree, for people */
} synod_refusal;

/* Nobody broke a rule: this state can't judge it, a later one can (or an earlier one could). */
#define SYNOD_REFUSAL_NOT_YET 1u

#define SYNOD_LEVEL_BASIC 1u /* structure, links, hashes */
#define SYNOD_LEVEL_FULL 2u  /* adds signatures and finality */

typedef struct synod_plan_options {
    uint32_t size;
    uint32_t level;
    /* The first `vouched` blocks are ancestors, by hash link, of a header whose certificate was verified: honest
     * authorities validated them, so their signatures and certificates need no proof ("fast"). Everything else does. */
    uint64_t vouched;
    uint64_t max_slot; /* a later slot is in the future */
} synod_plan_options;

/* ---- chain facts --------------------------------------------------------------------------------- */
typedef struct synod_chain_info {
    uint32_t size;
    uint32_t authorities; /* in the state asked about */
    uint32_t quorum;
    uint32_t chain_id;
    uint8_t network_id[32];
    uint8_t genesis_hash[32];
    uint64_t slot_ms;
    uint64_t max_blocks_without_pow;
    /* Appended in minor 2; zeros from an older plugin. What governance can change holds for the next block. */
    uint32_t authority_set;    /* changes so far of what headers are judged by: authorities, threshold, slot length */
    uint32_t head_authorities; /* who certifies the head of the state asked about */
    uint32_t head_quorum;
    uint32_t halted;           /* 1: blocks carry governance events and no transactions */
    uint64_t slot_base, slot_base_ms; /* slot = slot_base + (unix milliseconds - slot_base_ms) / slot_ms */
} synod_chain_info;

typedef struct synod_weight {
    uint32_t size, reserved;
    uint8_t key[32];   /* fork choice: the branch with the larger key (bytes compared in order) is better */
    uint64_t height, slot;
    uint8_t hash[32];
    uint64_t certified_slot; /* slot of the newest block of this branch that is known to be certified */
    uint64_t committed_height;
    uint8_t committed_hash[32];
    uint64_t final_height; /* by merged mining; 0 is genesis */
    uint8_t final_hash[32];
    uint64_t blocks_without_pow; /* height - end of the last finalised range */
    uint64_t governance_sequence;
} synod_weight;

/* ---- signing ------------------------------------------------------------------------------------- */
#define SYNOD_SIGN_PROPOSE 1u
#define SYNOD_SIGN_APPROVE 2u
#define SYNOD_SIGN_STALLED 3u /* "my head is H, no progress": the escape rule of a whole federation's restart */

typedef struct synod_lock { /* what an authority must never forget; the host's signer stores it durably */
    uint64_t slot;          /* slot of the locked block */
    uint8_t hash[32];
} synod_lock;

typedef struct synod_sign_request {
    uint32_t size, purpose;
    uint64_t slot;
    uint8_t message[64]; /* what is signed: domain tag and hash */
    uint32_t message_length;
    uint32_t signature_offset; /* where in the bytes given to the sink the host writes the 64-byte signature */
    synod_lock new_lock;       /* to be stored before signing */
} synod_sign_request;

typedef struct synod_payload { /* what a proposed block is to carry */
    uint32_t size, reserved;
    const synod_bytes *transactions;
    uint64_t n_transactions;
    const synod_bytes *events; /* encoded governance events */
    uint64_t n_events;
    const synod_bytes *records; /* encoded finality records */
    uint64_t n_records;
} synod_payload;

/* An authority's signed statement, as it travels by gossip. */
typedef struct synod_attestation {
    uint32_t size, purpose; /* SYNOD_SIGN_APPROVE or SYNOD_SIGN_STALLED */
    uint32_t author, reserved;
    uint64_t height, slot; /* of the block approved; for STALLED slot is when it was said */
    uint8_t hash[32];
} synod_attestation;

/* ---- merged mining ------------------------------------------------------------------------------- */
#define SYNOD_PAYOUT_MAX 32u          /* bytes of a miner's payout */
#define SYNOD_WORK_TASK_MAX (4u << 10)  /* bytes of one task */
#define SYNOD_WORK_PROOF_MAX (64u << 10) /* bytes of one proof, as miners submit it, and of one record */

/* What a finality record proves, or the next one must. */
typedef struct synod_work {
    uint32_t size;
    uint32_t chain_id;
    uint8_t hash[32];     /* what the proof commits to, internal order */
    uint8_t target[32];   /* little-endian: the work is at or below it */
    uint8_t previous[32]; /* hash of the last final block */
    uint64_t range_start, range_end; /* heights that it makes final */
    uint64_t number;                 /* of the record on this chain: 1 for the first */
    uint32_t bits;                   /* the target in compact form */
    uint32_t reserved;
} synod_work;

/* ---- governance ---------------------------------------------------------------------------------- */
#define SYNOD_EVENT_MAX (16u << 10) /* bytes of one encoded governance event */

typedef struct synod_governance_event { /* what a governance event says of itself */
    uint32_t size;
    uint32_t kind;      /* the plugin's number */
    uint64_t sequence;  /* 1 for the chain's first */
    uint64_t effective; /* the first height that it is in force at */
    uint8_t hash[32], previous[32];
} synod_governance_event;

/* ---- evidence ------------------------------------------------------------------------------------ */
#define SYNOD_TESTIMONY_MAX (1u << 10) /* bytes of one testimony */
#define SYNOD_EVIDENCE_MAX (4u << 10)  /* bytes of one piece of evidence */

/* Two statements that one authority signed for one slot, though it may sign one: what a piece of evidence proves. */
typedef struct synod_evidence {
    uint32_t size;
    uint32_t purpose; /* SYNOD_SIGN_PROPOSE: two blocks; SYNOD_SIGN_APPROVE: approvals of two blocks */
    uint64_t slot;
    uint8_t key[32];              /* whose */
    uint8_t first[32], second[32]; /* hashes of the blocks, the smaller first */
    uint64_t first_height, second_height;
    uint32_t author; /* index of the key in the state asked about */
    uint32_t reserved;
} synod_evidence;

#define SYNOD_SIGNED_BLOCK 1u  /* it is the author's */
#define SYNOD_SIGNED_PARENT 2u /* the certificate that the block carries has its approval of the parent */

typedef struct synod_consensus_api {
    uint32_t size, reserved;

    /* [main & created, worker & active] The configuration's genesis: its block's bytes to the sink, its state to *out. */
    synod_status (*genesis)(synod_instance *, const synod_sink *block, synod_state **out, synod_error *);
    /* [shared] Facts of the chain as of a state. The host sets out->size. */
    synod_status (*info)(synod_instance *, const synod_state *, synod_chain_info *out, synod_error *);

    /* [shared] Pure: a run of encoded blocks or header forms -> up to `capacity` views; *n says how many, *consumed how
     * many bytes they take. Nothing but shape is checked; hashes go through the host's hash service. SYNOD_E_CORRUPT:
     * error.where is the offset of the item that can't be read; the views before it stand. */
    synod_status (*decode)(synod_instance *, uint32_t form, synod_bytes run, synod_header_view *views, uint64_t capacity,
                           uint64_t *n, uint64_t *consumed, synod_error *);
    /* [worker & active] Blocks that continue `state`: cheap rules are decided here, the rest becomes checks; `state` is
     * advanced over every block that was not refused. SYNOD_REFUSED: *refusal names the first block and its rule. */
    synod_status (*plan)(synod_instance *, synod_state *state, synod_bytes run, const synod_header_view *views, uint64_t n,
                         const synod_plan_options *, const synod_check_writer *, synod_refusal *, synod_error *);
    /* [worker & active] Header forms that continue `parent` under the authorities that `state` knows: links, heights,
     * slots, authors. `state` is not changed. SYNOD_REFUSAL_NOT_YET: the first is of a set of authorities that only a
     * state nearer to `parent` knows. A later one that changes the set otherwise breaks a rule: a run ends before. */
    synod_status (*plan_headers)(synod_instance *, const synod_state *state, const synod_header_view *parent,
                                 synod_bytes run, const synod_header_view *views, uint64_t n, const synod_plan_options *,
                                 synod_refusal *, synod_error *);

    /* [shared] A proof that a block is certified: header form, author's signature, certificate. The certificate comes from
     * `child` (the encoded next block) or, for a head, from `certificate`; the other is empty. */
    synod_status (*prove_head)(synod_instance *, synod_bytes block, synod_bytes child, synod_bytes certificate,
                               const synod_sink *proof, synod_error *);
    /* [worker & active] The reverse: what it proves to *view, what must hold for it as checks (block index 0). */
    synod_status (*check_head)(synod_instance *, const synod_state *, synod_bytes proof, synod_header_view *view,
                               const synod_check_writer *, synod_refusal *, synod_error *);

    /* [worker] State handles. `fork` gives an independent one; each is released exactly once. */
    synod_status (*fork)(synod_instance *, const synod_state *, synod_state **out, synod_error *);
    void (*release)(synod_instance *, synod_state *);
    synod_status (*save)(synod_instance *, const synod_state *, const synod_sink *, synod_error *);
    synod_status (*load)(synod_instance *, const synod_source *, synod_state **out, synod_error *);
    synod_status (*root)(synod_instance *, const synod_state *, uint8_t out[32], synod_error *);
    /* a Merkle proof of one entry against the root; SYNOD_E_INVALID: no such key */
    synod_status (*prove)(synod_instance *, const synod_state *, synod_bytes key, const synod_sink *, synod_error *);

    /* [worker] Fork choice and finality of the branch that ends in `state`. The host sets out->size. */
    synod_status (*weigh)(synod_instance *, const synod_state *, synod_weight *out, synod_error *);

    /* [worker & active] Whose slot is it? The authority's index, or SYNOD_E_INVALID; its key to `key` when not NULL. */
    synod_status (*author_of)(synod_instance *, const synod_state *, uint64_t slot, uint32_t *author, uint8_t key[32],
                              synod_error *);
    /* [shared] the index of an authority's key, or SYNOD_E_INVALID when it isn't one */
    synod_status (*authority_index)(synod_instance *, const synod_state *, const uint8_t key[32], uint32_t *author,
                                    synod_error *);
    /* [worker & active] An unsigned block for `slot` on `state`, whose head `certificate` certifies. */
    synod_status (*propose)(synod_instance *, const synod_state *, uint64_t slot, synod_bytes certificate,
                            const synod_payload *, const synod_sink *block, synod_sign_request *, synod_error *);
    /* [worker & active] May `author` approve the head of `state`, having approved up to last_slot and holding `lock`?
     * SYNOD_OK: the unsigned attestation to the sink; SYNOD_REFUSED: the rule that forbids it. */
    synod_status (*vote)(synod_instance *, const synod_state *, uint32_t author, uint64_t last_slot, const synod_lock *lock,
                         const synod_sink *attestation, synod_sign_request *, synod_refusal *, synod_error *);
    /* [worker & active] The unsigned statement that the head of `state` hasn't moved, said at `slot`. */
    synod_status (*stalled)(synod_instance *, const synod_state *, uint32_t author, uint64_t slot,
                            const synod_sink *attestation, synod_sign_request *, synod_error *);
    /* [worker & active] A received attestation: what it says, and its signature as one check (block index 0). */
    synod_status (*check_attestation)(synod_instance *, const synod_state *, synod_bytes, synod_attestation *out,
                                      const synod_check_writer *, synod_refusal *, synod_error *);
    /* [worker & active] Proven approvals of one block -> its certificate. SYNOD_REFUSED: fewer than the quorum. */
    synod_status (*certify)(synod_instance *, const synod_state *, const synod_bytes *attestations, uint64_t n,
                            const synod_sink *certificate, synod_refusal *, synod_error *);
    /* [worker & active] A certificate for the head of `state`: its signatures as checks; the state then counts its head
     * as certified. SYNOD_REFUSED: not a certificate of this head. */
    synod_status (*accept_certificate)(synod_instance *, synod_state *, synod_bytes certificate, const synod_check_writer *,
                                       synod_refusal *, synod_error *);

    /* [shared] What a rule's number means, for people and for `peers`: "author-signature"; never NULL. */
    const char *(*rule_name)(synod_instance *, uint32_t rule);
    /* [shared] A block (state NULL) or a state (block empty) as JSON for people. */
    synod_status (*explain)(synod_instance *, synod_bytes block, const synod_state *, const synod_sink *json, synod_error *);
    /* [shared] Its own RPC methods as a JSON array of {name, description, params}. */
    synod_status (*methods)(synod_instance *, const synod_sink *json, synod_error *);
    /* [worker & active] Calls one of them; `state` is the head's, or NULL for methods that need none. */
    synod_status (*call)(synod_instance *, const synod_state *, synod_str method, synod_bytes params_json,
                         const synod_sink *json, synod_error *);
    /* [shared] The certificate that a block carries for its parent, as `propose` and `accept_certificate` take it. */
    synod_status (*carried)(synod_instance *, synod_bytes block, const synod_sink *certificate, synod_error *);

    /* The three below are for chains that are merge-mined; a plugin may leave them out. The host sets out->size. */
    /* [worker & active] What the next finality record must prove, up to the newest committed block; its encoding, the
     * task, to the sink. `payout` is the miner's: opaque, empty for nobody. SYNOD_REFUSED: there is no work now;
     * SYNOD_E_INVALID: no payout of this chain. */
    synod_status (*next_work)(synod_instance *, const synod_state *, synod_bytes payout, const synod_sink *task,
                              synod_work *out, synod_refusal *, synod_error *);
    /* [shared] A task and its proof -> the record that a block carries. SYNOD_REFUSED: bytes that can't be read. */
    synod_status (*make_record)(synod_instance *, synod_bytes task, synod_bytes proof, const synod_sink *record,
                                synod_refusal *, synod_error *);
    /* [worker & active] May a child of the head carry this record? What it proves to *out; its work becomes one check
     * (block index 0). SYNOD_REFUSED: the rule that forbids it. */
    synod_status (*check_record)(synod_instance *, const synod_state *, synod_bytes record, synod_work *out,
                                 const synod_check_writer *, synod_refusal *, synod_error *);

    /* [shared] The index of an authority's key among those who certify the head of the state, as `vote` takes it, or
     * SYNOD_E_INVALID. They differ from authority_index's where the set changes at the next block. */
    synod_status (*voter_index)(synod_instance *, const synod_state *, const uint8_t key[32], uint32_t *author,
                                synod_error *);
    /* [worker & active] May a child of the head carry this governance event after those `before` it? What it says to
     * *out (whose size the host sets), its signatures as checks (block index 0). SYNOD_REFUSED: the rule that forbids
     * it; with SYNOD_REFUSAL_NOT_YET: events before it are missing, and *out says which number it has. */
    synod_status (*check_event)(synod_instance *, const synod_state *, const synod_bytes *before, uint64_t n_before,
                                synod_bytes event, synod_governance_event *out, const synod_check_writer *, synod_refusal *,
                                synod_error *);

    /* The three below are for chains whose authorities can be shown to contradict themselves (minor 3); a plugin may leave
     * them out. */
    /* [shared] What of a signed statement convicts: the author's of its block, or with `attestation` an approval of that
     * block. SYNOD_REFUSED: bytes that can't be read, or an approval of another block. Verifies nothing. */
    synod_status (*testify)(synod_instance *, synod_bytes block, synod_bytes attestation, const synod_sink *testimony,
                            synod_refusal *, synod_error *);
    /* [shared] Two testimonies about one authority of `state` -> evidence, in its one valid encoding. SYNOD_REFUSED: they
     * don't contradict each other. Verifies no signature. */
    synod_status (*accuse)(synod_instance *, const synod_state *, synod_bytes testimony, synod_bytes other,
                           const synod_sink *evidence, synod_refusal *, synod_error *);
    /* [worker & active] What evidence proves to *out (whose size the host sets), its signatures as checks (block index 0).
     * SYNOD_REFUSED: the rule that forbids it; "evidence-author" alone may hold by another state. */
    synod_status (*check_evidence)(synod_instance *, const synod_state *, synod_bytes evidence, synod_evidence *out,
                                   const synod_check_writer *, synod_refusal *, synod_error *);

    /* [shared] What of an encoded block this key signed: SYNOD_SIGNED_... bits to *what. `state` is the block's or a
     * descendant's; what it no longer remembers is not said. Verifies nothing. A plugin may leave it out (minor 4): a
     * copied key is then found by what is signed while the node runs, not by what was signed before. */
    synod_status (*signed_by)(synod_instance *, const synod_state *, synod_bytes block, const uint8_t key[32],
                              uint32_t *what, synod_error *);
} synod_consensus_api;
#ifdef __cplusplus
}
#endif
#endif
