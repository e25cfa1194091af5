// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A consensus and a validation plugin that do as the test says, linked in and run through a real
//! registry. A block is 64 bytes: its height (little-endian u64), then zeroes; its hash is its height
//! repeated. One test at a time: what they are told is global.

#include <synod/consensus.h>
#include <synod/validation.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>

#include "core/host/guard.hpp"
#include "core/pipeline/consensus.hpp"

namespace synod::testing {

enum class Do : std::uint8_t {
    kWell, kThrow, kCorrupt, kTooMany, kTooFar, kOutside, kNullState, kStrayCheck, kEmptyCheck, kCrash,
    kSlow, kPend, kLeaveOut, kDeny,
};

inline constexpr std::size_t kFakeBlockBytes = 64;
inline std::atomic<Do> how{Do::kWell};
inline std::atomic<int> blocks_read{0};  //!< by decode
inline std::atomic<int> states{0};  //!< made and not released
inline std::atomic<int> released_twice{0};
//! What handles point to: whether it is held. Static, so that one that is dropped on purpose is no leak.
inline std::array<std::atomic<bool>, 1'024> slots{};
inline std::atomic<std::size_t> next_slot{0};
inline const synod_host* fake_host = nullptr;
inline std::atomic<std::uint64_t> fake_ticket{0};
inline const synod_check_batch* fake_batch = nullptr;  //!< the last pending one
inline std::function<void(std::uint64_t)> on_cancel;
inline std::atomic<bool> sure_pends{false};  //!< the reference does what it says it never does

inline synod_status misdo(synod_error* error) {
    switch (how.load()) {
        case Do::kThrow: throw std::runtime_error("not allowed");
        case Do::kCrash: *reinterpret_cast<volatile int*>(8) = 1; break;
        case Do::kSlow: std::this_thread::sleep_for(std::chrono::milliseconds(20)); break;
        case Do::kCorrupt:
            std::strcpy(error->message, "these bytes are no block");
            std::strcpy(error->where, "byte 3");
            return SYNOD_E_CORRUPT;
        default: break;
    }
    return SYNOD_OK;
}

inline synod_state* new_state() {
    ++states;
    auto& slot = slots[next_slot++ % slots.size()];
    slot = true;
    return reinterpret_cast<synod_state*>(&slot);
}
inline synod_status fake_genesis(synod_instance*, const synod_sink* sink, synod_state** out, synod_error*) {
    const std::uint8_t block[kFakeBlockBytes] = {};
    *out = new_state();
    return sink->write(sink->ctx, {block, sizeof block});
}
inline synod_status fake_info(synod_instance*, const synod_state*, synod_chain_info* out, synod_error* e) {
    out->authorities = 3;
    return misdo(e);
}
inline synod_status fake_decode(synod_instance*, std::uint32_t, synod_bytes run, synod_header_view* views,
                                std::uint64_t capacity, std::uint64_t* n, std::uint64_t* consumed,
                                synod_error* e) {
    if (const auto bad = misdo(e); bad < 0) {
        return bad;
    }
    for (*n = 0; *n < capacity && (*n + 1) * kFakeBlockBytes <= run.n; ++*n) {
        auto& view = views[*n];
        view = {};
        std::memcpy(&view.height, run.p + *n * kFakeBlockBytes, 8);
        std::memset(view.hash, static_cast<int>(view.height), 32);
        std::memset(view.parent, static_cast<int>(view.height) - 1, 32);
        view.offset = *n * kFakeBlockBytes;
        view.length = view.header_length = kFakeBlockBytes;
    }
    blocks_read += static_cast<int>(*n);
    *consumed = *n * kFakeBlockBytes;
    *n += how == Do::kTooMany ? capacity : 0;
    *consumed += how == Do::kTooFar ? 1 : 0;
    views[0].length += how == Do::kOutside ? static_cast<std::uint32_t>(run.n) : 0;
    return SYNOD_OK;
}
inline synod_status fake_plan(synod_instance*, synod_state*, synod_bytes run, const synod_header_view*,
                              std::uint64_t n, const synod_plan_options*, const synod_check_writer* w,
                              synod_refusal*, synod_error* e) {
    for (std::uint32_t i = 0; i < n; ++i) {
        w->digest(w->ctx, i, 1, {run.p, run.n}, run.p);
    }
    if (how == Do::kStrayCheck) {
        w->digest(w->ctx, static_cast<std::uint32_t>(n), 1, {run.p, run.n}, run.p);
    }
    if (how == Do::kEmptyCheck) {
        w->signature(w->ctx, 0, 1, nullptr, run.p, {run.p, 1});
    }
    return misdo(e);
}
inline synod_status fake_fork(synod_instance*, const synod_state*, synod_state** out, synod_error* e) {
    *out = how == Do::kNullState ? nullptr : new_state();
    return how == Do::kThrow || how == Do::kCrash ? SYNOD_OK : misdo(e);
}
inline void fake_release(synod_instance*, synod_state* state) {
    released_twice += reinterpret_cast<std::atomic<bool>*>(state)->exchange(false) ? 0 : 1;
    --states;
    if (how == Do::kThrow) {
        throw std::runtime_error("not allowed");
    }
}
inline synod_status fake_weigh(synod_instance*, const synod_state*, synod_weight* out, synod_error*) {
    out->height = 5;
    return SYNOD_OK;
}
inline synod_status fake_index(synod_instance*, const synod_state*, const std::uint8_t*, std::uint32_t* out,
                               synod_error* e) {
    *out = 2;
    return misdo(e);
}
inline const char* fake_rule(synod_instance*, std::uint32_t rule) {
    return how == Do::kThrow ? throw 1 : rule == 1 ? "a-digest" : nullptr;
}

inline synod_status fake_validate(synod_instance*, const synod_check_batch* batch, synod_error* e) {
    const auto verdict = static_cast<std::uint8_t>(how == Do::kDeny ? SYNOD_VERDICT_FAILS : SYNOD_VERDICT_HOLDS);
    for (std::uint64_t i = 0; i < batch->digests.n; ++i) {
        batch->digests.verdicts[i] = verdict;
    }
    if (how == Do::kLeaveOut) {
        batch->digests.verdicts[0] = SYNOD_VERDICT_UNKNOWN;
    }
    if (how == Do::kPend) {
        fake_batch = batch;
        fake_ticket = batch->ticket;
        return SYNOD_PENDING;
    }
    return misdo(e);
}
inline synod_status fake_cancel(synod_instance*, std::uint64_t ticket) {
    if (on_cancel) {
        on_cancel(ticket);
    }
    return SYNOD_OK;
}
//! The reference always agrees that all holds.
inline synod_status sure_validate(synod_instance*, const synod_check_batch* batch, synod_error*) {
    std::fill_n(batch->digests.verdicts, batch->digests.n, std::uint8_t{SYNOD_VERDICT_HOLDS});
    return sure_pends ? SYNOD_PENDING : SYNOD_OK;
}
inline void fake_sha256d(synod_instance*, const synod_bytes*, std::uint64_t n, std::uint8_t* out) {
    if (how == Do::kThrow) {
        throw std::runtime_error("not allowed");
    }
    std::memset(out, 0xab, 32 * n);
}

inline const synod_consensus_api kFakeConsensus = [] {
    synod_consensus_api a{};
    a.size = sizeof a;
    a.genesis = fake_genesis;
    a.info = fake_info;
    a.decode = fake_decode;
    a.plan = fake_plan;
    a.fork = fake_fork;
    a.release = fake_release;
    a.weigh = fake_weigh;
    a.authority_index = fake_index;
    a.rule_name = fake_rule;
    return a;
}();
inline const synod_validation_api kFakeValidation{sizeof(synod_validation_api), 1, 0, fake_validate,
                                                  fake_cancel, fake_sha256d, nullptr};
inline const synod_validation_api kSureValidation{sizeof(synod_validation_api), 0, 0, sure_validate,
                                                  nullptr, nullptr, nullptr};

inline synod_status fake_create(const synod_host* host, synod_bytes, synod_instance** out, synod_error*) {
    fake_host = host;
    *out = reinterpret_cast<synod_instance*>(&how);
    return SYNOD_OK;
}
inline synod_status fake_ok(synod_instance*, synod_error*) { return SYNOD_OK; }
inline synod_status fake_drain(synod_instance*, std::uint64_t, synod_error*) { return SYNOD_OK; }
inline void fake_destroy(synod_instance*) {}
template <const auto* Table>
const void* fake_query(synod_instance*, const char*) {
    return Table;
}
template <const auto* Table>
inline const synod_plugin_api kFakeApi{sizeof(synod_plugin_api), 0, fake_create, fake_ok, fake_drain,
                                       fake_ok, fake_destroy, nullptr, nullptr, nullptr, nullptr,
                                       fake_query<Table>};
inline const char* const kNoIds[] = {nullptr};
inline const synod_descriptor kFakeDescriptors[] = {
    {sizeof(synod_descriptor), 0, 0, 0, "test.chain", "chain", "1", "", "", "", SYNOD_KIND_CONSENSUS, kNoIds,
     kNoIds, kNoIds, "{}", &kFakeApi<&kFakeConsensus>},
    {sizeof(synod_descriptor), 0, 0, 0, "test.backend", "backend", "1", "", "", "", SYNOD_KIND_VALIDATION,
     kNoIds, kNoIds, kNoIds, "{}", &kFakeApi<&kFakeValidation>},
    {sizeof(synod_descriptor), 0, 0, 0, "test.sure", "sure", "1", "", "", "", SYNOD_KIND_VALIDATION, kNoIds,
     kNoIds, kNoIds, "{}", &kFakeApi<&kSureValidation>},
};
inline const synod_descriptor* const kFakePlugins[] = {&kFakeDescriptors[0], &kFakeDescriptors[1],
                                                       &kFakeDescriptors[2]};
inline const synod_entry kFakeEntry{{'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'}, sizeof(synod_entry), 1, 0, 0,
                                    "test", kFakePlugins, 3};

//! A registry with the instances "chain", "backend" and "sure", all active.
struct FakeHost {
    host::Registry registry;
    host::Instance* chain = nullptr;
    host::Instance* backend = nullptr;
    host::Instance* sure = nullptr;

    explicit FakeHost(host::HostServices services = {}) : registry(std::move(services)) {
        how = Do::kWell;
        blocks_read = 0;
        states = 0;
        released_twice = 0;
        on_cancel = {};
        sure_pends = false;
        const auto plugins = registry.register_static(&kFakeEntry).value();
        chain = registry.add(*plugins[0], "chain").value();
        backend = registry.add(*plugins[1], "backend").value();
        sure = registry.add(*plugins[2], "sure").value();
        if (!registry.start()) {
            chain = nullptr;
        }
    }
    ~FakeHost() {
        how = Do::kWell;
        host::thread_role = host::Role::kUnset;
    }
};

//! Blocks `from` to `from + n - 1`, back to back.
inline Bytes fake_run(std::uint64_t from, std::size_t n) {
    Bytes out(n * kFakeBlockBytes);
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t height = from + i;
        std::memcpy(out.data() + i * kFakeBlockBytes, &height, sizeof height);
    }
    return out;
}

}  // namespace synod::testing
