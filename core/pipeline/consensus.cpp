// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/consensus.hpp"

#include <algorithm>
#include <cassert>

#include "core/pipeline/plugin_call.hpp"

namespace synod::pipeline {

namespace {

//! A sink that grows a byte string up to a bound.
struct ByteSink {
    explicit ByteSink(std::size_t max) : max_bytes(max) {
        sink.size = sizeof sink;
        sink.ctx = this;
        sink.write = [](void* ctx, synod_bytes more) -> synod_status {
            auto& self = *static_cast<ByteSink*>(ctx);
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
Result<Unsigned> checked(Unsigned made) {
    if (made.request.signature_offset > made.bytes.size() ||
        made.bytes.size() - made.request.signature_offset < Signature::size() ||
        made.request.message_length > sizeof made.request.message) {
        return fail("plugin.misbehaving", "a sign request points outside its bytes", "consensus");
    }
    return made;
}

}  // namespace

Consensus::Consensus(synod_instance* instance, const synod_consensus_api* api,
                     std::function<void(std::function<void()>)> defer_release)
    : instance_(instance), api_(api), defer_release_(std::move(defer_release)) {
    assert(instance != nullptr && api != nullptr && defer_release_);
}

State Consensus::own(synod_state* raw) {
    return {raw, [this](synod_state* s) {
                defer_release_([instance = instance_, api = api_, s] { api->release(instance, s); });
            }};
}

Refusal Consensus::refused(const synod_refusal& refusal) const {
    return {refusal.block, refusal.rule, rule_name(refusal.rule),
            std::string(refusal.detail, ::strnlen(refusal.detail, sizeof refusal.detail))};
}

Result<Consensus::Genesis> Consensus::genesis() {
    ByteSink sink(SYNOD_BLOCK_MAX);
    synod_state* raw = nullptr;
    if (auto done = plugin_call("consensus.genesis",
                                [&](synod_error* e) {
                                    return api_->genesis(instance_, &sink.sink, &raw, e);
                                });
        !done) {
        return std::unexpected(done.error());
    }
    return Genesis{std::move(sink.bytes), own(raw)};
}

Result<synod_chain_info> Consensus::info(const State& state) const {
    synod_chain_info out{};
    out.size = sizeof out;
    auto done = plugin_call("consensus.info", [&](synod_error* e) {
        return api_->info(instance_, state.get(), &out, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<Decoded> Consensus::decode(std::uint32_t form, ByteView run, std::size_t capacity) const {
    Decoded out;
    out.views.resize(capacity);
    std::uint64_t n = 0;
    auto done = plugin_call("consensus.decode", [&](synod_error* e) {
        return api_->decode(instance_, form, borrow(run), out.views.data(), capacity, &n,
                            &out.consumed, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (n > capacity || out.consumed > run.size()) {
        return fail("plugin.misbehaving", "decode answered more than it was given", "consensus.decode");
    }
    out.views.resize(n);
    return out;
}

Outcome<void> Consensus::plan(const State& state, ByteView run,
                                        std::span<const HeaderView> views,
                                        synod_plan_options options, CheckSet& checks) {
    options.size = sizeof options;
    auto refusal = empty_refusal();
    auto done = plugin_call("consensus.plan", [&](synod_error* e) {
        return api_->plan(instance_, state.get(), borrow(run), views.data(), views.size(), &options,
                          checks.writer(), &refusal, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
    }
    return {};
}

Outcome<void> Consensus::plan_headers(const State& state, const HeaderView& parent,
                                                ByteView run, std::span<const HeaderView> views,
                                                synod_plan_options options) {
    options.size = sizeof options;
    auto refusal = empty_refusal();
    auto done = plugin_call("consensus.plan_headers", [&](synod_error* e) {
        return api_->plan_headers(instance_, state.get(), &parent, borrow(run), views.data(),
                                  views.size(), &options, &refusal, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
    }
    return {};
}

Result<Bytes> Consensus::prove_head(ByteView block, ByteView child, ByteView certificate) const {
    ByteSink sink(SYNOD_HEAD_PROOF_MAX);
    auto done = plugin_call("consensus.prove_head", [&](synod_error* e) {
        return api_->prove_head(instance_, borrow(block), borrow(child), borrow(certificate),
                                &sink.sink, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return std::move(sink.bytes);
}

Outcome<HeaderView> Consensus::check_head(const State& state, ByteView proof, CheckSet& checks) {
    HeaderView view{};
    auto refusal = empty_refusal();
    auto done = plugin_call("consensus.check_head", [&](synod_error* e) {
        return api_->check_head(instance_, state.get(), borrow(proof), &view, checks.writer(),
                                &refusal, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
    }
    return view;
}

Result<State> Consensus::fork(const State& state) {
    synod_state* raw = nullptr;
    auto done = plugin_call("consensus.fork", [&](synod_error* e) {
        return api_->fork(instance_, state.get(), &raw, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return own(raw);
}

Result<Bytes> Consensus::save(const State& state) {
    ByteSink sink(kMaxStateBytes);
    auto done = plugin_call("consensus.save", [&](synod_error* e) {
        return api_->save(instance_, state.get(), &sink.sink, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return std::move(sink.bytes);
}

Result<State> Consensus::load(ByteView bytes) {
    ByteSource source(bytes);
    synod_state* raw = nullptr;
    auto done = plugin_call("consensus.load", [&](synod_error* e) {
        return api_->load(instance_, &source.source, &raw, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return own(raw);
}

Result<Hash> Consensus::root(const State& state) {
    Hash out;
    auto done = plugin_call("consensus.root", [&](synod_error* e) {
        return api_->root(instance_, state.get(), out.data.data(), e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<synod_weight> Consensus::weigh(const State& state) {
    synod_weight out{};
    out.size = sizeof out;
    auto done = plugin_call("consensus.weigh", [&](synod_error* e) {
        return api_->weigh(instance_, state.get(), &out, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<std::uint32_t> Consensus::author_of(const State& state, std::uint64_t slot, PublicKey* key) {
    std::uint32_t out = 0;
    auto done = plugin_call("consensus.author_of", [&](synod_error* e) {
        return api_->author_of(instance_, state.get(), slot, &out,
                               key == nullptr ? nullptr : key->data.data(), e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<std::uint32_t> Consensus::authority_index(const State& state, const PublicKey& key) const {
    std::uint32_t out = 0;
    auto done = plugin_call("consensus.authority_index", [&](synod_error* e) {
        return api_->authority_index(instance_, state.get(), key.data.data(), &out, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<Unsigned> Consensus::propose(const State& state, std::uint64_t slot, ByteView certificate,
                                    const synod_payload& payload) {
    ByteSink sink(SYNOD_BLOCK_MAX);
    Unsigned out{{}, empty_request()};
    auto done = plugin_call("consensus.propose", [&](synod_error* e) {
        return api_->propose(instance_, state.get(), slot, borrow(certificate), &payload, &sink.sink,
                             &out.request, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    return checked(std::move(out));
}

Outcome<Unsigned> Consensus::vote(const State& state, std::uint32_t author, std::uint64_t last_slot,
                                  const synod_lock& lock) {
    ByteSink sink(SYNOD_GOSSIP_MAX);
    Unsigned out{{}, empty_request()};
    auto refusal = empty_refusal();
    auto done = plugin_call("consensus.vote", [&](synod_error* e) {
        return api_->vote(instance_, state.get(), author, last_slot, &lock, &sink.sink, &out.request,
                          &refusal, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
    }
    out.bytes = std::move(sink.bytes);
    auto good = checked(std::move(out));
    if (!good) {
        return std::unexpected(good.error());
    }
    return std::move(*good);
}

Result<Unsigned> Consensus::stalled(const State& state, std::uint32_t author, std::uint64_t slot) {
    ByteSink sink(SYNOD_GOSSIP_MAX);
    Unsigned out{{}, empty_request()};
    auto done = plugin_call("consensus.stalled", [&](synod_error* e) {
        return api_->stalled(instance_, state.get(), author, slot, &sink.sink, &out.request, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    return checked(std::move(out));
}

Outcome<synod_attestation> Consensus::check_attestation(const State& state, ByteView bytes,
                                                        CheckSet& checks) {
    synod_attestation out{};
    out.size = sizeof out;
    auto refusal = empty_refusal();
    auto done = plugin_call("consensus.check_attestation", [&](synod_error* e) {
        return api_->check_attestation(instance_, state.get(), borrow(bytes), &out, checks.writer(),
                                       &refusal, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
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
    auto done = plugin_call("consensus.certify", [&](synod_error* e) {
        return api_->certify(instance_, state.get(), spans.data(), spans.size(), &sink.sink, &refusal,
                             e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
    }
    return std::move(sink.bytes);
}

Outcome<void> Consensus::accept_certificate(const State& state, ByteView certificate,
                                                      CheckSet& checks) {
    auto refusal = empty_refusal();
    auto done = plugin_call("consensus.accept_certificate", [&](synod_error* e) {
        return api_->accept_certificate(instance_, state.get(), borrow(certificate), checks.writer(),
                                        &refusal, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    if (*done == SYNOD_REFUSED) {
        return std::unexpected(refused(refusal));
    }
    return {};
}

Result<Bytes> Consensus::carried(ByteView block) const {
    ByteSink sink(SYNOD_HEAD_PROOF_MAX);
    auto done = plugin_call("consensus.carried", [&](synod_error* e) {
        return api_->carried(instance_, borrow(block), &sink.sink, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return std::move(sink.bytes);
}

std::string Consensus::rule_name(std::uint32_t rule) const {
    const auto* name = api_->rule_name(instance_, rule);
    return name == nullptr ? "rule-" + std::to_string(rule) : name;
}

Result<std::string> Consensus::explain_block(ByteView block) const {
    ByteSink sink(kMaxJsonBytes);
    auto done = plugin_call("consensus.explain", [&](synod_error* e) {
        return api_->explain(instance_, borrow(block), nullptr, &sink.sink, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return sink.text();
}

Result<std::string> Consensus::explain_state(const State& state) const {
    ByteSink sink(kMaxJsonBytes);
    auto done = plugin_call("consensus.explain", [&](synod_error* e) {
        return api_->explain(instance_, {}, state.get(), &sink.sink, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return sink.text();
}

Result<std::string> Consensus::methods() const {
    ByteSink sink(kMaxJsonBytes);
    auto done = plugin_call("consensus.methods", [&](synod_error* e) {
        return api_->methods(instance_, &sink.sink, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return sink.text();
}

Result<std::string> Consensus::call(const State& state, const std::string& method,
                                    const std::string& params_json) {
    ByteSink sink(kMaxJsonBytes);
    const ByteView params{reinterpret_cast<const std::uint8_t*>(params_json.data()),
                          params_json.size()};
    auto done = plugin_call("consensus.call", [&](synod_error* e) {
        return api_->call(instance_, state.get(), synod_str{method.data(), method.size()},
                          borrow(params), &sink.sink, e);
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return sink.text();
}

}  // namespace synod::pipeline
