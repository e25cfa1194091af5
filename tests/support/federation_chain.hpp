// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Federated chains in memory for tests: authorities with fixed public seeds, blocks proposed through the plugin's C
//! table and signed with libsodium, checks collected and proven on the spot. One thread; the test owns it.
#include <sodium.h>
#include <synod/consensus.h>
#include <synod/testing.hpp>

#include <array>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" const synod_entry synod_entry_v1_consensus_federation;

namespace synod::testing {

using ByteVector = std::vector<uint8_t>;

/// Key pair number i; its seed is 32 bytes of i + 1. Public by design: for tests and devnets only.
struct TestAuthority {
    std::array<uint8_t, 32> key{};
    std::array<uint8_t, 64> secret{};
    explicit TestAuthority(uint32_t i) {
        std::array<uint8_t, 32> seed{};
        seed.fill(static_cast<uint8_t>(i + 1));
        crypto_sign_ed25519_seed_keypair(key.data(), secret.data(), seed.data());
    }
    void sign(const synod_sign_request& r, ByteVector& bytes) const {
        crypto_sign_ed25519_detached(bytes.data() + r.signature_offset, nullptr, r.message, r.message_length,
                                     secret.data());
    }
};

/// {"genesis": {...}} for n such authorities; `extra` goes in as further members, for example ,"chain_id":7.
inline std::string federation_config(uint32_t n, const std::string& extra = "") {
    std::string keys;
    for (uint32_t i = 0; i < n; ++i) {
        char hex[65];
        sodium_bin2hex(hex, sizeof(hex), TestAuthority(i).key.data(), 32);
        keys += std::string(i == 0 ? "\"" : ",\"") + hex + "\"";
    }
    return R"({"genesis":{"name":"test","authorities":[)" + keys + "]" + extra + "}}";
}

/// What a plan wrote, counted; holds() proves it with libsodium and plain SHA-256.
class CollectedChecks {
public:
    struct Signature {
        uint32_t block, rule;
        const uint8_t *key, *signature;
        synod_bytes message;
    };
    struct Merkle {
        uint32_t block, rule;
        const uint8_t* leaves;
        uint64_t n;
        const uint8_t* root;
    };
    struct Target {
        uint32_t block, rule;
        const uint8_t *header, *target;
    };
    std::vector<Signature> signatures;
    std::vector<Merkle> merkles;
    std::vector<Target> targets;

    CollectedChecks() = default;
    CollectedChecks(const CollectedChecks&) = delete;
    CollectedChecks& operator=(const CollectedChecks&) = delete;
    const synod_check_writer* writer() const { return &writer_; }
    void clear() {
        signatures.clear();
        merkles.clear();
        targets.clear();
        arena_.clear();
    }
    /// 0 when all hold, else the rule of the first that does not.
    uint32_t first_failure() const {
        for (const Signature& s : signatures) {
            if (crypto_sign_ed25519_verify_detached(s.signature, s.message.p, s.message.n, s.key) != 0) {
                return s.rule;
            }
        }
        for (const Merkle& m : merkles) {
            if (std::memcmp(root(m).data(), m.root, 32) != 0) {
                return m.rule;
            }
        }
        for (const Target& t : targets) {
            const Digest32 digest = sha256d({t.header, 80});
            for (size_t i = 32; i-- > 0;) {
                if (digest[i] != t.target[i]) {
                    if (digest[i] > t.target[i]) {
                        return t.rule;
                    }
                    break;
                }
            }
        }
        return 0;
    }

private:
    static Digest32 root(const Merkle& m) {
        std::vector<Digest32> level(m.n);
        std::memcpy(level.data(), m.leaves, 32 * m.n);
        while (level.size() > 1) {
            std::vector<Digest32> next;
            for (size_t i = 0; i < level.size(); i += 2) {
                std::array<uint8_t, 64> both{};
                std::memcpy(both.data(), level[i].data(), 32);
                if (i + 1 < level.size()) {
                    std::memcpy(both.data() + 32, level[i + 1].data(), 32);
                }
                next.push_back(i + 1 < level.size() ? sha256d(both) : level[i]);
            }
            level = std::move(next);
        }
        return level[0];
    }
    static CollectedChecks& of(void* ctx) { return *static_cast<CollectedChecks*>(ctx); }
    static uint8_t* arena(void* ctx, uint64_t n) {
        of(ctx).arena_.emplace_back(n);
        return of(ctx).arena_.back().data();
    }
    static void signature(void* ctx, uint32_t b, uint32_t r, const uint8_t* k, const uint8_t* s, synod_bytes m) {
        of(ctx).signatures.push_back({b, r, k, s, m});
    }
    static void digest(void*, uint32_t, uint32_t, synod_bytes, const uint8_t*) {}
    static void merkle(void* ctx, uint32_t b, uint32_t r, const uint8_t* l, uint64_t n, const uint8_t* root) {
        of(ctx).merkles.push_back({b, r, l, n, root});
    }
    static void target(void* ctx, uint32_t b, uint32_t r, const uint8_t* h, const uint8_t* t) {
        of(ctx).targets.push_back({b, r, h, t});
    }
    std::deque<ByteVector> arena_;
    synod_check_writer writer_{sizeof(synod_check_writer), 0, this, &arena, &signature, &digest, &merkle, &target};
};

/// The plugin with n authorities, and blocks of them.
class FederationChain {
public:
    explicit FederationChain(uint32_t n, const std::string& extra = "")
        : driver(synod_entry_v1_consensus_federation, host, (sodium_init() < 0 ? "" : federation_config(n, extra))) {
        for (uint32_t i = 0; i < n; ++i) {
            authorities.emplace_back(i);
        }
        if (!driver.created() || driver.activate() < 0) {
            throw std::runtime_error(driver.error().message);
        }
        api = driver.table<synod_consensus_api>();
        MemorySink sink;
        check(api->genesis(driver.instance(), sink.raw(), &genesis, driver.fresh()));
        genesis_block = sink.bytes;
        synod_chain_info info{};
        info.size = sizeof(info);
        check(api->info(driver.instance(), genesis, &info, driver.fresh()));
        quorum = info.quorum;
    }
    ~FederationChain() { api->release(driver.instance(), genesis); }

    void check(synod_status status) const {
        if (status < 0) {
            throw std::runtime_error(driver.error().message);
        }
    }
    synod_instance* self() const { return driver.instance(); }
    synod_state* fork(const synod_state* s) {
        synod_state* out = nullptr;
        check(api->fork(self(), s, &out, driver.fresh()));
        return out;
    }
    void release(synod_state* s) { api->release(self(), s); }
    synod_weight weigh(const synod_state* s) {
        synod_weight w{};
        w.size = sizeof(w);
        check(api->weigh(self(), s, &w, driver.fresh()));
        return w;
    }
    /// A signed block on `state` for `slot`.
    ByteVector block(const synod_state* state, uint64_t slot, const ByteVector& certificate,
                     const std::vector<ByteVector>& transactions = {}, const std::vector<ByteVector>& records = {}) {
        std::vector<synod_bytes> tx, rec;
        for (const auto& t : transactions) {
            tx.push_back(to_bytes(std::span(t)));
        }
        for (const auto& r : records) {
            rec.push_back(to_bytes(std::span(r)));
        }
        const synod_payload payload{sizeof(payload), 0, tx.data(), tx.size(), nullptr, 0, rec.data(), rec.size()};
        MemorySink sink;
        synod_sign_request request{};
        request.size = sizeof(request);
        check(api->propose(self(), state, slot, to_bytes(std::span(certificate)), &payload, sink.raw(), &request,
                           driver.fresh()));
        authorities[slot % authorities.size()].sign(request, sink.bytes);
        return sink.bytes;
    }
    /// Plans one or more blocks onto `state`. The checks stay in `checks`.
    synod_status apply(synod_state* state, const ByteVector& run, uint64_t vouched = 0, uint64_t max_slot = UINT64_MAX) {
        views.resize(run.size() / 203 + 1);
        uint64_t n = 0, used = 0;
        checks.clear();
        const synod_status decoded = api->decode(self(), SYNOD_FORM_BLOCKS, to_bytes(std::span(run)), views.data(),
                                                 views.size(), &n, &used, driver.fresh());
        if (decoded < 0) {
            return decoded;
        }
        views.resize(n);
        const synod_plan_options options{sizeof(options), SYNOD_LEVEL_FULL, vouched, max_slot};
        refusal = {};
        refusal.size = sizeof(refusal);
        return api->plan(self(), state, to_bytes(std::span(run)), views.data(), n, &options, checks.writer(), &refusal,
                         driver.fresh());
    }
    std::string refused_rule() const { return api->rule_name(self(), refusal.rule); }
    /// The first `quorum` authorities approve the head of `state`, without asking the voting rule.
    ByteVector certificate(const synod_state* state) {
        const synod_weight w = weigh(state);
        if (w.height == 0) {
            return {};
        }
        ByteVector out(8);
        out[0] = static_cast<uint8_t>((1u << std::min(quorum, 8u)) - 1);
        for (uint32_t i = 8; i < quorum; ++i) {
            out[i / 8] = static_cast<uint8_t>(out[i / 8] | 1u << (i % 8));
        }
        std::array<uint8_t, 48> message{};
        std::memcpy(message.data(), "synod/approve/1\0", 16);
        std::memcpy(message.data() + 16, w.hash, 32);
        for (uint32_t i = 0; i < quorum; ++i) {
            out.resize(out.size() + 64);
            crypto_sign_ed25519_detached(out.data() + out.size() - 64, nullptr, message.data(), message.size(),
                                         authorities[i].secret.data());
        }
        return out;
    }
    /// `count` certified blocks in consecutive slots on `state`, which moves along. Their bytes, back to back.
    ByteVector extend(synod_state* state, uint64_t count, const std::vector<ByteVector>& transactions = {}) {
        ByteVector run;
        for (uint64_t i = 0; i < count; ++i) {
            const ByteVector b = block(state, weigh(state).slot + 1, certificate(state), transactions);
            if (apply(state, b, 1) != SYNOD_OK) {
                throw std::runtime_error("forged block refused: " + refused_rule() + ": " + refusal.detail);
            }
            run.insert(run.end(), b.begin(), b.end());
        }
        return run;
    }
    std::string call(const synod_state* state, const std::string& method, const std::string& params) {
        MemorySink sink;
        check(api->call(self(), state, to_str(method), to_bytes(std::string_view(params)), sink.raw(), driver.fresh()));
        return sink.text();
    }

    FakeHost host;
    Driver driver;
    const synod_consensus_api* api = nullptr;
    std::vector<TestAuthority> authorities;
    synod_state* genesis = nullptr;
    ByteVector genesis_block;
    uint32_t quorum = 0;
    CollectedChecks checks;
    std::vector<synod_header_view> views;
    synod_refusal refusal{};
};

} // namespace synod::testing
