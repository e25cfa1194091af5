// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/consensus.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cassert>

namespace synod::pipeline {

namespace {

//! A sink that grows a byte string up to a bound.
struct ByteSink {
    explicit ByteSink(std::size_t max) : max_bytes(max) {
        sink.size = sizeof sink;
        sink.ctx = this;
        sink.write = [](void* ctx, synod_bytes more) -> synod_status {
            auto& self = *static_cast<ByteSink*>(ctx);
            if (more.p == nullptr && more.n != 0) {
                return SYNOD_E_INVALID;
            }
            if (more.n > self.max_bytes - self.bytes.size()) {
                return SYNOD_E_NO_MEMORY;
            }
            self.bytes.insert(self.bytes.end(), more.p, more.p + more.n);
            return SYNOD_OK;
        };
    }
    [[nodiscard]] std::string text() const { return {bytes.begin(), bytes.end()}; }

    std::size_t max_bytes;
    Bytes bytes;
    synod_sink sink{};
};

struct ByteSource {
    explicit ByteSource(ByteView from) : left(from) {
        source.size = sizeof source;
        source.ctx = this;
        source.read = [](void* ctx, std::uint8_t* buffer, std::uint64_t capacity) -> std::int64_t {
            auto& self = *static_cast<ByteSource*>(ctx);
            const auto n = std::min<std::size_t>(capacity, self.left.size());
            std::copy_n(self.left.begin(), n, buffer);
            self.left = self.left.subspan(n);
            return static_cast<std::int64_t>(n);
        };
    }
    ByteView left;
    synod_source source{};
};

constexpr std::size_t kMaxStateBytes = 16u << 20;
constexpr std::size_t kMaxJsonBytes = 16u << 20;

synod_bytes borrow(ByteView bytes) { return {bytes.data(), bytes.size()}; }

synod_refusal empty_refusal() {
    synod_refusal out{};
    out.size = sizeof out;
    return out;
}

synod_sign_request empty_request() {
    synod_sign_request out{};
    out.size = sizeof out;
    return out;
}

//! The signature's place lies inside what was written.
Result<Unsigned> checked(host::Instance& instance, const char* function, Unsigned made) {
    if (made.request.signature_offset > made.bytes.size() ||
        made.bytes.size() - made.request.signature_offset < Signature::size() ||
        made.request.message_length > sizeof made.request.message) {
        return host::misbehaved(instance, function, "the sign request points outside its bytes");
    }
    return made;
}

constexpr host::States kActive = host::in(host::State::kActive);
//! Before activation by the header; the node asks again, on a worker, whenever it begins a store.
constexpr host::States kGenesis = host::in(host::State::kCreated) | kActive;

//! [worker & active], with a run of blocks or the like.
constexpr host::Terms batch(const char* name) { return {name, kActive, host::Role::kWorker, true}; }
//! [worker & active], about one thing.
constexpr host::Terms active(const char* name) { return {name, kActive, host::Role::kWorker, false}; }
//! [worker]: state handles.
constexpr host::Terms worker(const char* name) {
    return {name, host::kAlive, host::Role::kWorker, false};
}
//! [shared]
constexpr host::Terms shared(const char* name, bool takes_batch = false) {
    return {name, host::kAlive, host::Role::kUnset, takes_batch};
}

template <auto Member, typename... Args>
Result<synod_status> ask(host::Instance& instance, const host::Terms& terms, std::uint64_t number,
                         Args... args) {
    return host::call<Member>(instance, terms, number, args...);
}

//! What `fn` makes of a success.
template <typename T, typename E, typename Fn>
std::expected<std::invoke_result_t<Fn>, E> given(const std::expected<T, E>& done, Fn fn) {
    if (!done) {
        return std::unexpected(done.error());
    }
    return fn();
}

using Api = synod_consensus_api;
constexpr std::size_t kMaxRuleNameBytes = 128;

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

Result<std::uint32_t> Consensus::author_of(const State& state, std::uint64_t slot, PublicKey* key) {
    std::uint32_t out = 0;
    return given(ask<&Api::author_of>(instance_, active("consensus.author_of"), slot, state.get(), slot, &out,
                                key == nullptr ? nullptr : key->data.data()),
                 [&] { return out; });
}

Result<std::uint32_t> Consensus::authority_index(const State& state, const PublicKey& key) const {
    std::uint32_t out = 0;
    return given(ask<&Api::authority_index>(instance_, shared("consensus.authority_index"), 0, state.get(),
                                      key.data.data(), &out),
                 [&] { return out; });
}

Result<Unsigned> Consensus::propose(const State& state, std::uint64_t slot, ByteView certificate,
                                    const synod_payload& payload) {
    ByteSink sink(SYNOD_BLOCK_MAX);
    Unsigned out{{}, empty_request()};
    auto done = ask<&Api::propose>(instance_, batch("consensus.propose"), slot, state.get(), slot,
                                   borrow(certificate), &payload, &sink.sink, &out.request);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    return checked(instance_, "consensus.propose", std::move(out));
}

Outcome<Unsigned> Consensus::vote(const State& state, std::uint32_t author, std::uint64_t last_slot,
                                  const synod_lock& lock) {
    ByteSink sink(SYNOD_GOSSIP_MAX);
    Unsigned out{{}, empty_request()};
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::vote>(instance_, active("consensus.vote"), last_slot, state.get(), author,
                                        last_slot, &lock, &sink.sink, &out.request, &refusal),
                        refusal);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    auto good = checked(instance_, "consensus.vote", std::move(out));
    if (!good) {
        return std::unexpected(good.error());
    }
    return std::move(*good);
}

Result<Unsigned> Consensus::stalled(const State& state, std::uint32_t author, std::uint64_t slot) {
    ByteSink sink(SYNOD_GOSSIP_MAX);
    Unsigned out{{}, empty_request()};
    auto done = ask<&Api::stalled>(instance_, active("consensus.stalled"), slot, state.get(), author, slot,
                                   &sink.sink, &out.request);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    return checked(instance_, "consensus.stalled", std::move(out));
}

Outcome<synod_attestation> Consensus::check_attestation(const State& state, ByteView bytes,
                                                        CheckSet& checks) {
    synod_attestation out{};
    out.size = sizeof out;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_attestation>(instance_, active("consensus.check_attestation"), 0,
                                                     state.get(), borrow(bytes), &out, checks.writer(),
                                                     &refusal),
                        refusal);
    if (done) {
        checks.set_number(out.height);
        done = within(checks, 1, "consensus.check_attestation");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Outcome<Bytes> Consensus::certify(const State& state, const std::vector<Bytes>& attestations) {
    std::vector<synod_bytes> spans;
    for (const auto& a : attestations) {
        spans.push_back(borrow(a));
    }
    ByteSink sink(SYNOD_HEAD_PROOF_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::certify>(instance_, batch("consensus.certify"), 0, state.get(), spans.data(),
                                      std::uint64_t{spans.size()}, &sink.sink, &refusal),
                   refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<void> Consensus::accept_certificate(const State& state, ByteView certificate, CheckSet& checks) {
    auto refusal = empty_refusal();
    auto out = settled(ask<&Api::accept_certificate>(instance_, batch("consensus.accept_certificate"), 0,
                                                     state.get(), borrow(certificate), checks.writer(),
                                                     &refusal),
                       refusal);
    constexpr std::size_t kAnyBlock = std::size_t{1} << 32;  // its checks stand for no run
    return out ? within(checks, kAnyBlock, "consensus.accept_certificate") : out;
}

Result<Bytes> Consensus::carried(ByteView block) const {
    ByteSink sink(SYNOD_HEAD_PROOF_MAX);
    return given(ask<&Api::carried>(instance_, shared("consensus.carried"), 0, borrow(block), &sink.sink),
                 [&] { return std::move(sink.bytes); });
}

Outcome<Consensus::Work> Consensus::next_work(const State& state, ByteView payout) {
    ByteSink sink(SYNOD_WORK_TASK_MAX);
    Work out;
    out.what.size = sizeof out.what;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::next_work>(instance_, batch("consensus.next_work"), 0, state.get(),
                                             borrow(payout), &sink.sink, &out.what, &refusal),
                        refusal);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.task = std::move(sink.bytes);
    return out;
}

Outcome<Bytes> Consensus::make_record(ByteView task, ByteView proof) const {
    ByteSink sink(SYNOD_WORK_PROOF_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::make_record>(instance_, shared("consensus.make_record"), 0, borrow(task),
                                                borrow(proof), &sink.sink, &refusal),
                         refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<synod_work> Consensus::check_record(const State& state, ByteView record, CheckSet& checks) {
    synod_work out{};
    out.size = sizeof out;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_record>(instance_, batch("consensus.check_record"), 0, state.get(),
                                                borrow(record), &out, checks.writer(), &refusal),
                        refusal);
    if (done) {
        done = within(checks, 1, "consensus.check_record");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<std::uint32_t> Consensus::voter_index(const State& state, const PublicKey& key) const {
    std::uint32_t out = 0;
    auto done = given(ask<&Api::voter_index>(instance_, shared("consensus.voter_index"), 0, state.get(),
                                             key.data.data(), &out),
                      [&] { return out; });
    // Of an older plugin the set never changes.
    return !done && done.error().code == "plugin.unsupported" ? authority_index(state, key) : done;
}

Outcome<void> Consensus::check_event(const State& state, const std::vector<Bytes>& before, ByteView event,
                                     synod_governance_event& what, CheckSet& checks) {
    std::vector<synod_bytes> earlier;
    for (const auto& one : before) {
        earlier.push_back(borrow(one));
    }
    what = {};
    what.size = sizeof what;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_event>(instance_, active("consensus.check_event"), 0, state.get(),
                                               earlier.data(), std::uint64_t{earlier.size()}, borrow(event), &what,
                                               checks.writer(), &refusal),
                        refusal);
    return done ? within(checks, 1, "consensus.check_event") : done;
}

Outcome<Bytes> Consensus::testify(ByteView block, ByteView attestation) const {
    ByteSink sink(SYNOD_TESTIMONY_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::testify>(instance_, shared("consensus.testify"), 0, borrow(block),
                                            borrow(attestation), &sink.sink, &refusal),
                         refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<Bytes> Consensus::accuse(const State& state, ByteView testimony, ByteView other) const {
    ByteSink sink(SYNOD_EVIDENCE_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::accuse>(instance_, shared("consensus.accuse"), 0, state.get(),
                                           borrow(testimony), borrow(other), &sink.sink, &refusal),
                         refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<synod_evidence> Consensus::check_evidence(const State& state, ByteView evidence, CheckSet& checks) {
    synod_evidence out{};
    out.size = sizeof out;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_evidence>(instance_, batch("consensus.check_evidence"), 0, state.get(),
                                                  borrow(evidence), &out, checks.writer(), &refusal),
                        refusal);
    if (done) {
        done = within(checks, 1, "consensus.check_evidence");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<std::uint32_t> Consensus::signed_by(const State& state, ByteView block, const PublicKey& key) const {
    std::uint32_t out = 0;
    return given(ask<&Api::signed_by>(instance_, shared("consensus.signed_by"), 0, state.get(), borrow(block),
                                      key.data.data(), &out),
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
