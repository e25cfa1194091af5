// SPDX-License-Identifier: Apache-2.0
//! The frozen layout of ABI v1, field by field: offset, size and type, and every struct's size on a 64-bit machine.
//! A field moved, inserted in the middle, retyped or removed stops this file from compiling; a field appended changes
//! a size here, on purpose, together with SYNOD_ABI_MINOR. The test sdk_layout_mutations breaks copies of the headers
//! in each of these ways and expects the compiler to refuse. Includes nothing but the headers, so that it is quick.
#include <synod/checkpoint.h>
#include <synod/consensus.h>
#include <synod/optimizer.h>
#include <synod/scoring.h>
#include <synod/validation.h>

#include <cstddef>
#include <type_traits>

static_assert(sizeof(void*) == 8, "v1 is frozen for 64-bit machines");

#define SIZE(S, bytes) static_assert(sizeof(S) == (bytes), #S " changed its size")
#define FIELD(S, f, offset, bytes, ...)                                                              \
    static_assert(offsetof(S, f) == (offset) && sizeof(S::f) == (bytes) &&                           \
                      std::is_same_v<decltype(S::f), __VA_ARGS__>,                                   \
                  #S "::" #f " changed")


// ---- <synod/abi.h>
SIZE(synod_str, 16);
FIELD(synod_str, p, 0, 8, const char *);
FIELD(synod_str, n, 8, 8, uint64_t);
SIZE(synod_bytes, 16);
FIELD(synod_bytes, p, 0, 8, const uint8_t *);
FIELD(synod_bytes, n, 8, 8, uint64_t);
SIZE(synod_error, 656);
FIELD(synod_error, size, 0, 4, uint32_t);
FIELD(synod_error, code, 4, 4, synod_status);
FIELD(synod_error, subcode, 8, 4, uint32_t);
FIELD(synod_error, retry_ms, 12, 4, uint32_t);
FIELD(synod_error, message, 16, 256, char[256]);
FIELD(synod_error, hint, 272, 256, char[256]);
FIELD(synod_error, where, 528, 128, char[128]);
SIZE(synod_sink, 24);
FIELD(synod_sink, size, 0, 4, uint32_t);
FIELD(synod_sink, reserved, 4, 4, uint32_t);
FIELD(synod_sink, ctx, 8, 8, void *);
FIELD(synod_sink, write, 16, 8, synod_status (*)(void *ctx, synod_bytes bytes));
SIZE(synod_source, 24);
FIELD(synod_source, size, 0, 4, uint32_t);
FIELD(synod_source, reserved, 4, 4, uint32_t);
FIELD(synod_source, ctx, 8, 8, void *);
FIELD(synod_source, read, 16, 8, int64_t (*)(void *ctx, uint8_t *buffer, uint64_t capacity));
SIZE(synod_log_api, 16);
FIELD(synod_log_api, size, 0, 4, uint32_t);
FIELD(synod_log_api, level, 4, 4, uint32_t);
FIELD(synod_log_api, write, 8, 8, void (*)(const synod_host *, uint32_t level, synod_str message,
      const synod_str *kv, uint32_t n_kv));
SIZE(synod_clock_api, 24);
FIELD(synod_clock_api, size, 0, 4, uint32_t);
FIELD(synod_clock_api, reserved, 4, 4, uint32_t);
FIELD(synod_clock_api, mono_ns, 8, 8, uint64_t (*)(const synod_host *));
FIELD(synod_clock_api, unix_ms, 16, 8, uint64_t (*)(const synod_host *));
SIZE(synod_random_api, 16);
FIELD(synod_random_api, size, 0, 4, uint32_t);
FIELD(synod_random_api, reserved, 4, 4, uint32_t);
FIELD(synod_random_api, fill, 8, 8, void (*)(const synod_host *, uint8_t *out, uint64_t n));
SIZE(synod_metric_api, 32);
FIELD(synod_metric_api, size, 0, 4, uint32_t);
FIELD(synod_metric_api, reserved, 4, 4, uint32_t);
FIELD(synod_metric_api, define, 8, 8, uint64_t (*)(const synod_host *, synod_str name, uint32_t
      type, synod_str unit, synod_str help));
FIELD(synod_metric_api, add, 16, 8, void (*)(const synod_host *, uint64_t metric, int64_t delta));
FIELD(synod_metric_api, set, 24, 8, void (*)(const synod_host *, uint64_t metric, int64_t value));
SIZE(synod_event, 40);
FIELD(synod_event, size, 0, 4, uint32_t);
FIELD(synod_event, topic, 4, 4, uint32_t);
FIELD(synod_event, seq, 8, 8, uint64_t);
FIELD(synod_event, mono_ns, 16, 8, uint64_t);
FIELD(synod_event, payload, 24, 16, synod_bytes);
SIZE(synod_event_api, 32);
FIELD(synod_event_api, size, 0, 4, uint32_t);
FIELD(synod_event_api, reserved, 4, 4, uint32_t);
FIELD(synod_event_api, topic, 8, 8, uint32_t (*)(const synod_host *, synod_str name_slash_rev));
FIELD(synod_event_api, subscribe, 16, 8, synod_status (*)(const synod_host *, uint32_t topic,
      uint32_t queue_len, uint32_t overflow));
FIELD(synod_event_api, publish, 24, 8, synod_status (*)(const synod_host *, uint32_t topic,
      synod_bytes payload));
SIZE(synod_exec_api, 40);
FIELD(synod_exec_api, size, 0, 4, uint32_t);
FIELD(synod_exec_api, reserved, 4, 4, uint32_t);
FIELD(synod_exec_api, post, 8, 8, synod_status (*)(const synod_host *, synod_task_fn, void *ctx,
      uint64_t delay_ns));
FIELD(synod_exec_api, parallel, 16, 8, synod_status (*)(const synod_host *, void (*fn)(void *ctx,
      uint32_t i), void *ctx, uint32_t n));
FIELD(synod_exec_api, scratch, 24, 8, void *(*)(const synod_host *, uint64_t bytes));
FIELD(synod_exec_api, workers, 32, 8, uint32_t (*)(const synod_host *));
SIZE(synod_hash_api, 16);
FIELD(synod_hash_api, size, 0, 4, uint32_t);
FIELD(synod_hash_api, reserved, 4, 4, uint32_t);
FIELD(synod_hash_api, sha256d, 8, 8, void (*)(const synod_host *, const synod_bytes *spans, uint64_t
      n, uint8_t *out));
SIZE(synod_host, 120);
FIELD(synod_host, size, 0, 4, uint32_t);
FIELD(synod_host, abi_minor, 4, 4, uint32_t);
FIELD(synod_host, ctx, 8, 8, void *);
FIELD(synod_host, name, 16, 16, synod_str);
FIELD(synod_host, version, 32, 16, synod_str);
FIELD(synod_host, log, 48, 8, const synod_log_api *);
FIELD(synod_host, clock, 56, 8, const synod_clock_api *);
FIELD(synod_host, random, 64, 8, const synod_random_api *);
FIELD(synod_host, metrics, 72, 8, const synod_metric_api *);
FIELD(synod_host, events, 80, 8, const synod_event_api *);
FIELD(synod_host, exec, 88, 8, const synod_exec_api *);
FIELD(synod_host, hash, 96, 8, const synod_hash_api *);
FIELD(synod_host, query, 104, 8, const void *(*)(const synod_host *, const char *id_slash_rev));
FIELD(synod_host, complete, 112, 8, void (*)(const synod_host *, uint64_t ticket, synod_status
      status));
SIZE(synod_plugin_api, 88);
FIELD(synod_plugin_api, size, 0, 4, uint32_t);
FIELD(synod_plugin_api, reserved, 4, 4, uint32_t);
FIELD(synod_plugin_api, create, 8, 8, synod_status (*)(const synod_host *, synod_bytes config_json,
      synod_instance **out, synod_error *));
FIELD(synod_plugin_api, activate, 16, 8, synod_status (*)(synod_instance *, synod_error *));
FIELD(synod_plugin_api, drain, 24, 8, synod_status (*)(synod_instance *, uint64_t deadline_ns,
      synod_error *));
FIELD(synod_plugin_api, deactivate, 32, 8, synod_status (*)(synod_instance *, synod_error *));
FIELD(synod_plugin_api, destroy, 40, 8, void (*)(synod_instance *));
FIELD(synod_plugin_api, reconfigure, 48, 8, synod_status (*)(synod_instance *, synod_bytes
      config_json, synod_error *));
FIELD(synod_plugin_api, save, 56, 8, synod_status (*)(synod_instance *, const synod_sink *,
      synod_error *));
FIELD(synod_plugin_api, load, 64, 8, synod_status (*)(synod_instance *, const synod_source *,
      uint32_t state_rev, synod_error *));
FIELD(synod_plugin_api, on_event, 72, 8, void (*)(synod_instance *, const synod_event *events,
      uint32_t n));
FIELD(synod_plugin_api, query, 80, 8, const void *(*)(synod_instance *, const char *id_slash_rev));
SIZE(synod_descriptor, 112);
FIELD(synod_descriptor, size, 0, 4, uint32_t);
FIELD(synod_descriptor, flags, 4, 4, uint32_t);
FIELD(synod_descriptor, state_rev, 8, 4, uint32_t);
FIELD(synod_descriptor, reserved, 12, 4, uint32_t);
FIELD(synod_descriptor, id, 16, 8, const char *);
FIELD(synod_descriptor, name, 24, 8, const char *);
FIELD(synod_descriptor, version, 32, 8, const char *);
FIELD(synod_descriptor, vendor, 40, 8, const char *);
FIELD(synod_descriptor, license, 48, 8, const char *);
FIELD(synod_descriptor, url, 56, 8, const char *);
FIELD(synod_descriptor, kind, 64, 8, const char *);
FIELD(synod_descriptor, requires_, 72, 8, const char *const *);
FIELD(synod_descriptor, optional, 80, 8, const char *const *);
FIELD(synod_descriptor, provides, 88, 8, const char *const *);
FIELD(synod_descriptor, config_schema, 96, 8, const char *);
FIELD(synod_descriptor, api, 104, 8, const synod_plugin_api *);
SIZE(synod_entry, 48);
FIELD(synod_entry, magic, 0, 8, uint8_t[8]);
FIELD(synod_entry, size, 8, 4, uint32_t);
FIELD(synod_entry, abi_major, 12, 4, uint32_t);
FIELD(synod_entry, abi_minor_needed, 16, 4, uint32_t);
FIELD(synod_entry, abi_minor_built, 20, 4, uint32_t);
FIELD(synod_entry, built_with, 24, 8, const char *);
FIELD(synod_entry, plugins, 32, 8, const synod_descriptor *const *);
FIELD(synod_entry, n_plugins, 40, 8, uint64_t);

// ---- <synod/scoring.h>
SIZE(synod_scoring_api, 40);
FIELD(synod_scoring_api, size, 0, 4, uint32_t);
FIELD(synod_scoring_api, reserved, 4, 4, uint32_t);
FIELD(synod_scoring_api, columns, 8, 8, const uint32_t *);
FIELD(synod_scoring_api, n_columns, 16, 8, uint64_t);
FIELD(synod_scoring_api, score, 24, 8, synod_status (*)(synod_instance *, uint32_t need, const
      int64_t *const *cols, uint64_t n_rows, int64_t *score_q32, synod_error *));
FIELD(synod_scoring_api, explain, 32, 8, synod_status (*)(synod_instance *, uint32_t need, const
      int64_t *const *cols, uint64_t row, const synod_sink *json, synod_error *));

// ---- <synod/validation.h>
SIZE(synod_signature_checks, 40);
FIELD(synod_signature_checks, n, 0, 8, uint64_t);
FIELD(synod_signature_checks, keys, 8, 8, const uint8_t *const *);
FIELD(synod_signature_checks, signatures, 16, 8, const uint8_t *const *);
FIELD(synod_signature_checks, messages, 24, 8, const synod_bytes *);
FIELD(synod_signature_checks, verdicts, 32, 8, uint8_t *);
SIZE(synod_digest_checks, 32);
FIELD(synod_digest_checks, n, 0, 8, uint64_t);
FIELD(synod_digest_checks, spans, 8, 8, const synod_bytes *);
FIELD(synod_digest_checks, digests, 16, 8, const uint8_t *const *);
FIELD(synod_digest_checks, verdicts, 24, 8, uint8_t *);
SIZE(synod_merkle_checks, 40);
FIELD(synod_merkle_checks, n, 0, 8, uint64_t);
FIELD(synod_merkle_checks, leaves, 8, 8, const uint8_t *const *);
FIELD(synod_merkle_checks, leaf_counts, 16, 8, const uint64_t *);
FIELD(synod_merkle_checks, roots, 24, 8, const uint8_t *const *);
FIELD(synod_merkle_checks, verdicts, 32, 8, uint8_t *);
SIZE(synod_target_checks, 32);
FIELD(synod_target_checks, n, 0, 8, uint64_t);
FIELD(synod_target_checks, headers, 8, 8, const uint8_t *const *);
FIELD(synod_target_checks, targets, 16, 8, const uint8_t *const *);
FIELD(synod_target_checks, verdicts, 24, 8, uint8_t *);
SIZE(synod_check_batch, 168);
FIELD(synod_check_batch, size, 0, 4, uint32_t);
FIELD(synod_check_batch, flags, 4, 4, uint32_t);
FIELD(synod_check_batch, ticket, 8, 8, uint64_t);
FIELD(synod_check_batch, deadline_ns, 16, 8, uint64_t);
FIELD(synod_check_batch, signatures, 24, 40, synod_signature_checks);
FIELD(synod_check_batch, digests, 64, 32, synod_digest_checks);
FIELD(synod_check_batch, merkles, 96, 40, synod_merkle_checks);
FIELD(synod_check_batch, targets, 136, 32, synod_target_checks);
SIZE(synod_validation_api, 48);
FIELD(synod_validation_api, size, 0, 4, uint32_t);
FIELD(synod_validation_api, max_inflight, 4, 4, uint32_t);
FIELD(synod_validation_api, preferred_batch, 8, 8, uint64_t);
FIELD(synod_validation_api, validate, 16, 8, synod_status (*)(synod_instance *, const
      synod_check_batch *, synod_error *));
FIELD(synod_validation_api, cancel, 24, 8, synod_status (*)(synod_instance *, uint64_t ticket));
FIELD(synod_validation_api, sha256d, 32, 8, void (*)(synod_instance *, const synod_bytes *spans,
      uint64_t n, uint8_t *out));
FIELD(synod_validation_api, isa, 40, 8, synod_str (*)(synod_instance *));

// ---- <synod/checkpoint.h>
SIZE(synod_record, 40);
FIELD(synod_record, section, 0, 4, uint32_t);
FIELD(synod_record, reserved, 4, 4, uint32_t);
FIELD(synod_record, key, 8, 16, synod_bytes);
FIELD(synod_record, value, 24, 16, synod_bytes);
SIZE(synod_record_source, 24);
FIELD(synod_record_source, size, 0, 4, uint32_t);
FIELD(synod_record_source, reserved, 4, 4, uint32_t);
FIELD(synod_record_source, ctx, 8, 8, void *);
FIELD(synod_record_source, next, 16, 8, synod_status (*)(void *ctx, synod_record *out));
SIZE(synod_record_sink, 24);
FIELD(synod_record_sink, size, 0, 4, uint32_t);
FIELD(synod_record_sink, reserved, 4, 4, uint32_t);
FIELD(synod_record_sink, ctx, 8, 8, void *);
FIELD(synod_record_sink, put, 16, 8, synod_status (*)(void *ctx, const synod_record *record));
SIZE(synod_checkpoint_api, 32);
FIELD(synod_checkpoint_api, size, 0, 4, uint32_t);
FIELD(synod_checkpoint_api, format_rev, 4, 4, uint32_t);
FIELD(synod_checkpoint_api, probe, 8, 8, uint32_t (*)(synod_bytes first_4k));
FIELD(synod_checkpoint_api, encode, 16, 8, synod_status (*)(synod_instance *, const
      synod_record_source *, const synod_sink *, synod_error *));
FIELD(synod_checkpoint_api, decode, 24, 8, synod_status (*)(synod_instance *, const synod_source *,
      const synod_record_sink *, synod_error *));

// ---- <synod/optimizer.h>
SIZE(synod_knob, 48);
FIELD(synod_knob, id, 0, 4, uint32_t);
FIELD(synod_knob, reserved, 4, 4, uint32_t);
FIELD(synod_knob, min, 8, 8, int64_t);
FIELD(synod_knob, max, 16, 8, int64_t);
FIELD(synod_knob, step, 24, 8, int64_t);
FIELD(synod_knob, max_delta, 32, 8, int64_t);
FIELD(synod_knob, value, 40, 8, int64_t);
SIZE(synod_optimizer_api, 24);
FIELD(synod_optimizer_api, size, 0, 4, uint32_t);
FIELD(synod_optimizer_api, reserved, 4, 4, uint32_t);
FIELD(synod_optimizer_api, propose, 8, 8, synod_status (*)(synod_instance *, const int64_t *signals,
      uint64_t n_signals, const synod_knob *knobs, uint64_t n_knobs, int64_t *proposed, synod_error
      *));
FIELD(synod_optimizer_api, feedback, 16, 8, synod_status (*)(synod_instance *, int64_t cost_before,
      int64_t cost_after, uint32_t kept, synod_error *));

// ---- <synod/consensus.h>
SIZE(synod_header_view, 104);
FIELD(synod_header_view, height, 0, 8, uint64_t);
FIELD(synod_header_view, slot, 8, 8, uint64_t);
FIELD(synod_header_view, hash, 16, 32, uint8_t[32]);
FIELD(synod_header_view, parent, 48, 32, uint8_t[32]);
FIELD(synod_header_view, offset, 80, 8, uint64_t);
FIELD(synod_header_view, length, 88, 4, uint32_t);
FIELD(synod_header_view, header_length, 92, 4, uint32_t);
FIELD(synod_header_view, author, 96, 4, uint32_t);
FIELD(synod_header_view, flags, 100, 4, uint32_t);
SIZE(synod_check_writer, 56);
FIELD(synod_check_writer, size, 0, 4, uint32_t);
FIELD(synod_check_writer, reserved, 4, 4, uint32_t);
FIELD(synod_check_writer, ctx, 8, 8, void *);
FIELD(synod_check_writer, arena, 16, 8, uint8_t * (*)(void *ctx, uint64_t bytes));
FIELD(synod_check_writer, signature, 24, 8, void (*)(void *ctx, uint32_t block, uint32_t rule, const
      uint8_t *key, const uint8_t *signature, synod_bytes message));
FIELD(synod_check_writer, digest, 32, 8, void (*)(void *ctx, uint32_t block, uint32_t rule,
      synod_bytes span, const uint8_t *digest));
FIELD(synod_check_writer, merkle, 40, 8, void (*)(void *ctx, uint32_t block, uint32_t rule, const
      uint8_t *leaves, uint64_t n_leaves, const uint8_t *root));
FIELD(synod_check_writer, target, 48, 8, void (*)(void *ctx, uint32_t block, uint32_t rule, const
      uint8_t *header80, const uint8_t *target32));
SIZE(synod_refusal, 208);
FIELD(synod_refusal, size, 0, 4, uint32_t);
FIELD(synod_refusal, block, 4, 4, uint32_t);
FIELD(synod_refusal, rule, 8, 4, uint32_t);
FIELD(synod_refusal, flags, 12, 4, uint32_t);
FIELD(synod_refusal, detail, 16, 192, char[192]);
SIZE(synod_plan_options, 24);
FIELD(synod_plan_options, size, 0, 4, uint32_t);
FIELD(synod_plan_options, level, 4, 4, uint32_t);
FIELD(synod_plan_options, vouched, 8, 8, uint64_t);
FIELD(synod_plan_options, max_slot, 16, 8, uint64_t);
SIZE(synod_chain_info, 128);
FIELD(synod_chain_info, size, 0, 4, uint32_t);
FIELD(synod_chain_info, authorities, 4, 4, uint32_t);
FIELD(synod_chain_info, quorum, 8, 4, uint32_t);
FIELD(synod_chain_info, chain_id, 12, 4, uint32_t);
FIELD(synod_chain_info, network_id, 16, 32, uint8_t[32]);
FIELD(synod_chain_info, genesis_hash, 48, 32, uint8_t[32]);
FIELD(synod_chain_info, slot_ms, 80, 8, uint64_t);
FIELD(synod_chain_info, max_blocks_without_pow, 88, 8, uint64_t);
FIELD(synod_chain_info, authority_set, 96, 4, uint32_t);
FIELD(synod_chain_info, head_authorities, 100, 4, uint32_t);
FIELD(synod_chain_info, head_quorum, 104, 4, uint32_t);
FIELD(synod_chain_info, halted, 108, 4, uint32_t);
FIELD(synod_chain_info, slot_base, 112, 8, uint64_t);
FIELD(synod_chain_info, slot_base_ms, 120, 8, uint64_t);
SIZE(synod_weight, 192);
FIELD(synod_weight, size, 0, 4, uint32_t);
FIELD(synod_weight, reserved, 4, 4, uint32_t);
FIELD(synod_weight, key, 8, 32, uint8_t[32]);
FIELD(synod_weight, height, 40, 8, uint64_t);
FIELD(synod_weight, slot, 48, 8, uint64_t);
FIELD(synod_weight, hash, 56, 32, uint8_t[32]);
FIELD(synod_weight, certified_slot, 88, 8, uint64_t);
FIELD(synod_weight, committed_height, 96, 8, uint64_t);
FIELD(synod_weight, committed_hash, 104, 32, uint8_t[32]);
FIELD(synod_weight, final_height, 136, 8, uint64_t);
FIELD(synod_weight, final_hash, 144, 32, uint8_t[32]);
FIELD(synod_weight, blocks_without_pow, 176, 8, uint64_t);
FIELD(synod_weight, governance_sequence, 184, 8, uint64_t);
SIZE(synod_lock, 40);
FIELD(synod_lock, slot, 0, 8, uint64_t);
FIELD(synod_lock, hash, 8, 32, uint8_t[32]);
SIZE(synod_sign_request, 128);
FIELD(synod_sign_request, size, 0, 4, uint32_t);
FIELD(synod_sign_request, purpose, 4, 4, uint32_t);
FIELD(synod_sign_request, slot, 8, 8, uint64_t);
FIELD(synod_sign_request, message, 16, 64, uint8_t[64]);
FIELD(synod_sign_request, message_length, 80, 4, uint32_t);
FIELD(synod_sign_request, signature_offset, 84, 4, uint32_t);
FIELD(synod_sign_request, new_lock, 88, 40, synod_lock);
SIZE(synod_payload, 56);
FIELD(synod_payload, size, 0, 4, uint32_t);
FIELD(synod_payload, reserved, 4, 4, uint32_t);
FIELD(synod_payload, transactions, 8, 8, const synod_bytes *);
FIELD(synod_payload, n_transactions, 16, 8, uint64_t);
FIELD(synod_payload, events, 24, 8, const synod_bytes *);
FIELD(synod_payload, n_events, 32, 8, uint64_t);
FIELD(synod_payload, records, 40, 8, const synod_bytes *);
FIELD(synod_payload, n_records, 48, 8, uint64_t);
SIZE(synod_attestation, 64);
FIELD(synod_attestation, size, 0, 4, uint32_t);
FIELD(synod_attestation, purpose, 4, 4, uint32_t);
FIELD(synod_attestation, author, 8, 4, uint32_t);
FIELD(synod_attestation, reserved, 12, 4, uint32_t);
FIELD(synod_attestation, height, 16, 8, uint64_t);
FIELD(synod_attestation, slot, 24, 8, uint64_t);
FIELD(synod_attestation, hash, 32, 32, uint8_t[32]);
SIZE(synod_work, 136);
FIELD(synod_work, size, 0, 4, uint32_t);
FIELD(synod_work, chain_id, 4, 4, uint32_t);
FIELD(synod_work, hash, 8, 32, uint8_t[32]);
FIELD(synod_work, target, 40, 32, uint8_t[32]);
FIELD(synod_work, previous, 72, 32, uint8_t[32]);
FIELD(synod_work, range_start, 104, 8, uint64_t);
FIELD(synod_work, range_end, 112, 8, uint64_t);
FIELD(synod_work, number, 120, 8, uint64_t);
FIELD(synod_work, bits, 128, 4, uint32_t);
FIELD(synod_work, reserved, 132, 4, uint32_t);
SIZE(synod_governance_event, 88);
FIELD(synod_governance_event, size, 0, 4, uint32_t);
FIELD(synod_governance_event, kind, 4, 4, uint32_t);
FIELD(synod_governance_event, sequence, 8, 8, uint64_t);
FIELD(synod_governance_event, effective, 16, 8, uint64_t);
FIELD(synod_governance_event, hash, 24, 32, uint8_t[32]);
FIELD(synod_governance_event, previous, 56, 32, uint8_t[32]);
SIZE(synod_evidence, 136);
FIELD(synod_evidence, size, 0, 4, uint32_t);
FIELD(synod_evidence, purpose, 4, 4, uint32_t);
FIELD(synod_evidence, slot, 8, 8, uint64_t);
FIELD(synod_evidence, key, 16, 32, uint8_t[32]);
FIELD(synod_evidence, first, 48, 32, uint8_t[32]);
FIELD(synod_evidence, second, 80, 32, uint8_t[32]);
FIELD(synod_evidence, first_height, 112, 8, uint64_t);
FIELD(synod_evidence, second_height, 120, 8, uint64_t);
FIELD(synod_evidence, author, 128, 4, uint32_t);
FIELD(synod_evidence, reserved, 132, 4, uint32_t);
SIZE(synod_consensus_api, 296);
FIELD(synod_consensus_api, size, 0, 4, uint32_t);
FIELD(synod_consensus_api, reserved, 4, 4, uint32_t);
FIELD(synod_consensus_api, genesis, 8, 8, synod_status (*)(synod_instance *, const synod_sink
      *block, synod_state **out, synod_error *));
FIELD(synod_consensus_api, info, 16, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_chain_info *out, synod_error *));
FIELD(synod_consensus_api, decode, 24, 8, synod_status (*)(synod_instance *, uint32_t form,
      synod_bytes run, synod_header_view *views, uint64_t capacity, uint64_t *n, uint64_t *consumed,
      synod_error *));
FIELD(synod_consensus_api, plan, 32, 8, synod_status (*)(synod_instance *, synod_state *state,
      synod_bytes run, const synod_header_view *views, uint64_t n, const synod_plan_options *, const
      synod_check_writer *, synod_refusal *, synod_error *));
FIELD(synod_consensus_api, plan_headers, 40, 8, synod_status (*)(synod_instance *, const synod_state
      *state, const synod_header_view *parent, synod_bytes run, const synod_header_view *views,
      uint64_t n, const synod_plan_options *, synod_refusal *, synod_error *));
FIELD(synod_consensus_api, prove_head, 48, 8, synod_status (*)(synod_instance *, synod_bytes block,
      synod_bytes child, synod_bytes certificate, const synod_sink *proof, synod_error *));
FIELD(synod_consensus_api, check_head, 56, 8, synod_status (*)(synod_instance *, const synod_state
      *, synod_bytes proof, synod_header_view *view, const synod_check_writer *, synod_refusal *,
      synod_error *));
FIELD(synod_consensus_api, fork, 64, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_state **out, synod_error *));
FIELD(synod_consensus_api, release, 72, 8, void (*)(synod_instance *, synod_state *));
FIELD(synod_consensus_api, save, 80, 8, synod_status (*)(synod_instance *, const synod_state *,
      const synod_sink *, synod_error *));
FIELD(synod_consensus_api, load, 88, 8, synod_status (*)(synod_instance *, const synod_source *,
      synod_state **out, synod_error *));
FIELD(synod_consensus_api, root, 96, 8, synod_status (*)(synod_instance *, const synod_state *,
      uint8_t out[32], synod_error *));
FIELD(synod_consensus_api, prove, 104, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_bytes key, const synod_sink *, synod_error *));
FIELD(synod_consensus_api, weigh, 112, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_weight *out, synod_error *));
FIELD(synod_consensus_api, author_of, 120, 8, synod_status (*)(synod_instance *, const synod_state
      *, uint64_t slot, uint32_t *author, uint8_t key[32], synod_error *));
FIELD(synod_consensus_api, authority_index, 128, 8, synod_status (*)(synod_instance *, const
      synod_state *, const uint8_t key[32], uint32_t *author, synod_error *));
FIELD(synod_consensus_api, propose, 136, 8, synod_status (*)(synod_instance *, const synod_state *,
      uint64_t slot, synod_bytes certificate, const synod_payload *, const synod_sink *block,
      synod_sign_request *, synod_error *));
FIELD(synod_consensus_api, vote, 144, 8, synod_status (*)(synod_instance *, const synod_state *,
      uint32_t author, uint64_t last_slot, const synod_lock *lock, const synod_sink *attestation,
      synod_sign_request *, synod_refusal *, synod_error *));
FIELD(synod_consensus_api, stalled, 152, 8, synod_status (*)(synod_instance *, const synod_state *,
      uint32_t author, uint64_t slot, const synod_sink *attestation, synod_sign_request *,
      synod_error *));
FIELD(synod_consensus_api, check_attestation, 160, 8, synod_status (*)(synod_instance *, const
      synod_state *, synod_bytes, synod_attestation *out, const synod_check_writer *, synod_refusal
      *, synod_error *));
FIELD(synod_consensus_api, certify, 168, 8, synod_status (*)(synod_instance *, const synod_state *,
      const synod_bytes *attestations, uint64_t n, const synod_sink *certificate, synod_refusal *,
      synod_error *));
FIELD(synod_consensus_api, accept_certificate, 176, 8, synod_status (*)(synod_instance *,
      synod_state *, synod_bytes certificate, const synod_check_writer *, synod_refusal *,
      synod_error *));
FIELD(synod_consensus_api, rule_name, 184, 8, const char * (*)(synod_instance *, uint32_t rule));
FIELD(synod_consensus_api, explain, 192, 8, synod_status (*)(synod_instance *, synod_bytes block,
      const synod_state *, const synod_sink *json, synod_error *));
FIELD(synod_consensus_api, methods, 200, 8, synod_status (*)(synod_instance *, const synod_sink
      *json, synod_error *));
FIELD(synod_consensus_api, call, 208, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_str method, synod_bytes params_json, const synod_sink *json, synod_error *));
FIELD(synod_consensus_api, carried, 216, 8, synod_status (*)(synod_instance *, synod_bytes block,
      const synod_sink *certificate, synod_error *));
FIELD(synod_consensus_api, next_work, 224, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_bytes payout, const synod_sink *task, synod_work *out, synod_refusal *, synod_error *));
FIELD(synod_consensus_api, make_record, 232, 8, synod_status (*)(synod_instance *, synod_bytes task,
      synod_bytes proof, const synod_sink *record, synod_refusal *, synod_error *));
FIELD(synod_consensus_api, check_record, 240, 8, synod_status (*)(synod_instance *, const synod_state
      *, synod_bytes record, synod_work *out, const synod_check_writer *, synod_refusal *, synod_error
      *));
FIELD(synod_consensus_api, voter_index, 248, 8, synod_status (*)(synod_instance *, const synod_state
      *, const uint8_t key[32], uint32_t *author, synod_error *));
FIELD(synod_consensus_api, check_event, 256, 8, synod_status (*)(synod_instance *, const synod_state
      *, const synod_bytes *before, uint64_t n_before, synod_bytes event, synod_governance_event
      *out, const synod_check_writer *, synod_refusal *, synod_error *));
FIELD(synod_consensus_api, testify, 264, 8, synod_status (*)(synod_instance *, synod_bytes block,
      synod_bytes attestation, const synod_sink *testimony, synod_refusal *, synod_error *));
FIELD(synod_consensus_api, accuse, 272, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_bytes testimony, synod_bytes other, const synod_sink *evidence, synod_refusal *, synod_error
      *));
FIELD(synod_consensus_api, check_evidence, 280, 8, synod_status (*)(synod_instance *, const synod_state
      *, synod_bytes evidence, synod_evidence *out, const synod_check_writer *, synod_refusal *,
      synod_error *));
FIELD(synod_consensus_api, signed_by, 288, 8, synod_status (*)(synod_instance *, const synod_state *,
      synod_bytes block, const uint8_t key[32], uint32_t *what, synod_error *));
