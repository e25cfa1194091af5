// SPDX-License-Identifier: Apache-2.0
//! Consensus: its states, its blocks, and what it says of them. Duties are in consensus_duties.cpp, governance and
//! evidence in consensus_evidence.cpp.
#include "core/pipeline/consensus.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cassert>

#include "core/pipeline/consensus_call.hpp"

namespace synod::pipeline {

namespace {

constexpr std::size_t kMaxStateBytes = 16u << 20;
constexpr std::size_t kMaxJsonBytes = 16u << 20;
constexpr std::size_t kMaxRuleNameBytes = 128;

//! Before activation by the header; the node asks again, on a worker, whenever it begins a store.
constexpr host::States kGenesis = host::in(host::State::kCreated) | kActive;

}  // namespace

//! What the deleters of states share with the Consensus, so that one that comes late finds out.
struct Consensus::Releaser {
    host::Instance& instance;
    std::function<void(std::function<void()>)> defer;
    std::atomic<bool> closed{false};

    static void release(const std::shared_ptr<Releaser>& self, synod_state* state) {
        if (self->closed) {
            return;  // instance may be gone
        }
        self->defer([self, state] {
            if (self->closed) {
                return;
            }
            // Any thread: on the strand as long as there is one, then wherever the last owner is.
            const host::Terms terms{"consensus.release", host::kAlive, host::Role::kUnset, false};
            const auto done = host::guarded(self->instance, terms, 0, [&](synod_error*) {
                self->instance.table<Api>()->release(self->instance.handle(), state);
                return SYNOD_OK;
            });
            if (!done) {
                spdlog::warn("a consensus state was not released: {}", done.error().text());
            }
        });
    }
};

Consensus::Consensus(host::Instance& instance,
                     std::function<void(std::function<void()>)> defer_release)
    : instance_(instance), releaser_(new Releaser{instance, std::move(defer_release)}) {
    assert(instance.table<Api>() != nullptr && releaser_->defer);
}

Consensus::~Consensus() { releaser_->closed = true; }

Result<State> Consensus::own(const char* function, const Result<synod_status>& done,
                             synod_state* const& raw) {
    if (!done) {
        return std::unexpected(done.error());
    }
    if (raw == nullptr) {
        return host::misbehaved(instance_, function, "no state beside success");
    }
    return State{raw, [r = releaser_](synod_state* s) { Releaser::release(r, s); }};
}

Refusal Consensus::refused(const synod_refusal& refusal) const {
    return {refusal.block, refusal.rule, rule_name(refusal.rule),
            std::string(refusal.detail, ::strnlen(refusal.detail, sizeof refusal.detail)),
            (refusal.flags & SYNOD_REFUSAL_NOT_YET) != 0};
}

Outcome<void> Consensus::settled(const Result<synod_status>& done, const synod_refusal& refusal) const {
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
    }
    return {};
}

Outcome<void> Consensus::within(const CheckSet& checks, std::size_t blocks, const char* function) const {
    const char* wrong = checks.has_null() ? "a check came without its bytes"
                        : checks.size() != 0 && checks.last_block() >= blocks
                            ? "a check names a block that isn't in the run"
                            : nullptr;
    if (wrong != nullptr) {
        return std::unexpected(host::misbehaved(instance_, function, wrong).error());
    }
    return {};
}

Result<Consensus::Genesis> Consensus::genesis() {
    ByteSink sink(SYNOD_BLOCK_MAX);
    synod_state* raw = nullptr;
    const host::Terms terms{"consensus.genesis", kGenesis, host::Role::kUnset, true};
    auto state = own(terms.function, ask<&Api::genesis>(instance_, terms, 0, &sink.sink, &raw), raw);
    if (!state) {
        return std::unexpected(state.error());
    }
    return Genesis{std::move(sink.bytes), std::move(*state)};
}

Result<synod_chain_info> Consensus::info(const State& state) const {
    synod_chain_info out{};
    out.size = sizeof out;
    return given(ask<&Api::info>(instance_, shared("consensus.info"), 0, state.get(), &out),
                 [&] { return out; });
}

Result<Decoded> Consensus::decode(std::uint32_t form, ByteView run, std::size_t capacity,
                                  std::uint64_t first_height) const {
    Decoded out;
    out.views.resize(capacity);
    std::uint64_t n = 0;
    auto done = ask<&Api::decode>(instance_, shared("consensus.decode", true), first_height, form,
                                  borrow(run), out.views.data(), std::uint64_t{capacity}, &n,
                                  &out.consumed);
    if (!done) {
        return std::unexpected(done.error());
    }
    if (n > capacity || out.consumed > run.size()) {
        return host::misbehaved(instance_, "consensus.decode", "it answered more than it was given");
    }
    out.views.resize(n);
    for (const auto& view : out.views) {
        if (view.offset > run.size() || view.length > run.size() - view.offset ||
            view.header_length > view.length) {
            return host::misbehaved(instance_, "consensus.decode", "a view lies outside the run");
        }
    }
    return out;
}

Outcome<void> Consensus::plan(const State& state, ByteView run, std::span<const HeaderView> views,
                              synod_plan_options options, CheckSet& checks) {
    options.size = sizeof options;
    auto refusal = empty_refusal();
    const std::uint64_t first = views.empty() ? 0 : views.front().height;
    checks.set_number(first);
    auto out = settled(ask<&Api::plan>(instance_, batch("consensus.plan"), first, state.get(), borrow(run),
                                       views.data(), std::uint64_t{views.size()}, &options,
                                       checks.writer(), &refusal),
                       refusal);
    return out ? within(checks, views.size(), "consensus.plan") : out;
}

Outcome<void> Consensus::plan_headers(const State& state, const HeaderView& parent, ByteView run,
                                      std::span<const HeaderView> views, synod_plan_options options) {
    options.size = sizeof options;
    auto refusal = empty_refusal();
    return settled(ask<&Api::plan_headers>(instance_, batch("consensus.plan_headers"), parent.height + 1,
                                           state.get(), &parent, borrow(run), views.data(),
                                           std::uint64_t{views.size()}, &options, &refusal),
                   refusal);
}

Result<Bytes> Consensus::prove_head(ByteView block, ByteView child, ByteView certificate) const {
    ByteSink sink(SYNOD_HEAD_PROOF_MAX);
    return given(ask<&Api::prove_head>(instance_, shared("consensus.prove_head"), 0, borrow(block),
                                 borrow(child), borrow(certificate), &sink.sink),
                 [&] { return std::move(sink.bytes); });
}

Outcome<HeaderView> Consensus::check_head(const State& state, ByteView proof, CheckSet& checks) {
    HeaderView view{};
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_head>(instance_, active("consensus.check_head"), 0, state.get(),
                                              borrow(proof), &view, checks.writer(), &refusal),
                        refusal);
    if (done) {
        checks.set_number(view.height);
        done = within(checks, 1, "consensus.check_head");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return view;
}

Result<State> Consensus::fork(const State& state) {
    synod_state* raw = nullptr;
    const synod_state* from = state.get();
    return own("consensus.fork", ask<&Api::fork>(instance_, worker("consensus.fork"), 0, from, &raw), raw);
}

Result<Bytes> Consensus::save(const State& state) {
    ByteSink sink(kMaxStateBytes);
    return given(ask<&Api::save>(instance_, worker("consensus.save"), 0, state.get(), &sink.sink),
                 [&] { return std::move(sink.bytes); });
}

Result<State> Consensus::load(ByteView bytes) {
    ByteSource source(bytes);
    synod_state* raw = nullptr;
    return own("consensus.load",
               ask<&Api::load>(instance_, worker("consensus.load"), 0, &source.source, &raw), raw);
}

Result<Hash> Consensus::root(const State& state) {
    Hash out;
    return given(ask<&Api::root>(instance_, worker("consensus.root"), 0, state.get(), out.data.data()),
                 [&] { return out; });
}

Result<synod_weight> Consensus::weigh(const State& state) {
    synod_weight out{};
    out.size = sizeof out;
    return given(ask<&Api::weigh>(instance_, worker("consensus.weigh"), 0, state.get(), &out),
                 [&] { return out; });
}

std::string Consensus::rule_name(std::uint32_t rule) const {
    std::string out;
    // Not through `call`: it answers a text instead of a status.
    const auto done = host::guarded(instance_, shared("consensus.rule_name"), rule, [&](synod_error*) {
        const char* name = instance_.table<Api>()->rule_name(instance_.handle(), rule);
        if (name != nullptr) {
            out.assign(name, ::strnlen(name, kMaxRuleNameBytes));
        }
        return SYNOD_OK;
    });
    return !done || out.empty() ? "rule-" + std::to_string(rule) : out;
}

Result<std::string> Consensus::explain_block(ByteView block) const {
    ByteSink sink(kMaxJsonBytes);
    const synod_state* none = nullptr;
    return given(ask<&Api::explain>(instance_, shared("consensus.explain"), 0, borrow(block), none, &sink.sink),
                 [&] { return sink.text(); });
}

Result<std::string> Consensus::explain_state(const State& state) const {
    ByteSink sink(kMaxJsonBytes);
    return given(ask<&Api::explain>(instance_, shared("consensus.explain"), 0, synod_bytes{}, state.get(),
                              &sink.sink),
                 [&] { return sink.text(); });
}

Result<std::string> Consensus::methods() const {
    ByteSink sink(kMaxJsonBytes);
    return given(ask<&Api::methods>(instance_, shared("consensus.methods"), 0, &sink.sink),
                 [&] { return sink.text(); });
}

Result<std::string> Consensus::call(const State& state, const std::string& method,
                                    const std::string& params_json) {
    ByteSink sink(kMaxJsonBytes);
    const ByteView params{reinterpret_cast<const std::uint8_t*>(params_json.data()),
                          params_json.size()};
    return given(ask<&Api::call>(instance_, batch("consensus.call"), 0, state.get(),
                           synod_str{method.data(), method.size()}, borrow(params), &sink.sink),
                 [&] { return sink.text(); });
}

}  // namespace synod::pipeline
