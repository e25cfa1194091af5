// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Test support: a validation plugin loaded from its real library, and a batch that owns what its columns point to.

#include <synod/testing.hpp>
#include <synod/validation.h>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace synod::validation_test {

using Bytes = std::vector<std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;

//! One active instance of plugins/synod-validation-<name>.so.
class Backend {
public:
    explicit Backend(const std::string& name, const std::string& config = "{}",
                     testing::Parallel parallel = testing::Parallel::Inline)
        : host_(1, parallel) {
        const std::string path = std::string(SYNOD_BINARY_DIR) + "/plugins/synod-validation-" + name + ".so";
        std::string why;
        const synod_entry* entry = testing::open_entry(path, &why);
        REQUIRE_MESSAGE(entry != nullptr, why);
        driver_ = std::make_unique<testing::Driver>(*entry, host_, config);
        if (driver_->created()) {
            REQUIRE(driver_->activate() == SYNOD_OK);
            api_ = driver_->table<synod_validation_api>();
            REQUIRE(api_ != nullptr);
        }
    }
    [[nodiscard]] bool created() const { return driver_->created(); }
    [[nodiscard]] testing::Driver& driver() { return *driver_; }
    [[nodiscard]] const synod_validation_api& api() const { return *api_; }
    synod_status validate(const synod_check_batch& batch) {
        return api_->validate(driver_->instance(), &batch, driver_->fresh());
    }
    [[nodiscard]] std::string isa() const {
        const synod_str text = api_->isa(driver_->instance());
        return {text.p, text.n};
    }

private:
    testing::FakeHost host_;
    std::unique_ptr<testing::Driver> driver_;
    const synod_validation_api* api_ = nullptr;
};

//! A plugin's automatic choice, and each of these instruction sets that this processor has.
inline std::vector<std::string> configs_of(const std::string& name, std::initializer_list<const char*> isas) {
    std::vector<std::string> out{"{}"};
    for (const char* isa : isas) {
        std::string config = std::string(R"({"isa":")") + isa + "\"}";
        if (Backend(name, config).created()) {
            out.push_back(std::move(config));
        } else {
            MESSAGE("skipped: this processor has no ", std::string(isa));
        }
    }
    return out;
}

inline std::vector<std::string> simd_configs() {
    auto out = configs_of("simd", {"portable", "sse2", "avx2", "avx512", "sha-ni"});
    out.emplace_back(R"({"simd":false})");
    return out;
}

inline const std::vector<std::string>& batch_configs() {
    static const auto out = configs_of("batch", {"portable", "avx2", "avx512ifma"});
    return out;
}

struct SignatureCheck {
    Digest key;
    std::array<std::uint8_t, 64> signature;
    Bytes message;
};
struct DigestCheck {
    Bytes span;
    Digest digest;
};
struct MerkleCheck {
    std::vector<Digest> leaves;
    Digest root;
};
struct TargetCheck {
    std::array<std::uint8_t, 80> header;
    Digest target;
};

//! Checks of every kind, in the order in which they were added.
struct Checks {
    std::vector<SignatureCheck> signatures;
    std::vector<DigestCheck> digests;
    std::vector<MerkleCheck> merkles;
    std::vector<TargetCheck> targets;
};

struct Verdicts {
    Bytes signatures, digests, merkles, targets;
    bool operator==(const Verdicts&) const = default;
};

//! The verdicts of one backend on all checks as one batch. Every verdict must be HOLDS or FAILS.
inline Verdicts judge(Backend& backend, const Checks& checks) {
    std::vector<const std::uint8_t*> keys, signatures, digests, leaves, roots, headers, targets;
    std::vector<synod_bytes> messages, spans;
    std::vector<std::uint64_t> counts;
    for (const auto& c : checks.signatures) {
        keys.push_back(c.key.data());
        signatures.push_back(c.signature.data());
        messages.push_back({c.message.data(), c.message.size()});
    }
    for (const auto& c : checks.digests) {
        spans.push_back({c.span.data(), c.span.size()});
        digests.push_back(c.digest.data());
    }
    for (const auto& c : checks.merkles) {
        leaves.push_back(reinterpret_cast<const std::uint8_t*>(c.leaves.data()));
        counts.push_back(c.leaves.size());
        roots.push_back(c.root.data());
    }
    for (const auto& c : checks.targets) {
        headers.push_back(c.header.data());
        targets.push_back(c.target.data());
    }
    Verdicts v{Bytes(keys.size()), Bytes(spans.size()), Bytes(leaves.size()), Bytes(headers.size())};
    synod_check_batch batch{};
    batch.size = sizeof batch;
    batch.signatures = {keys.size(), keys.data(), signatures.data(), messages.data(), v.signatures.data()};
    batch.digests = {spans.size(), spans.data(), digests.data(), v.digests.data()};
    batch.merkles = {leaves.size(), leaves.data(), counts.data(), roots.data(), v.merkles.data()};
    batch.targets = {headers.size(), headers.data(), targets.data(), v.targets.data()};
    REQUIRE(backend.validate(batch) == SYNOD_OK);
    for (const Bytes* column : {&v.signatures, &v.digests, &v.merkles, &v.targets}) {
        for (const std::uint8_t verdict : *column) {
            REQUIRE((verdict == SYNOD_VERDICT_HOLDS || verdict == SYNOD_VERDICT_FAILS));
        }
    }
    return v;
}

}  // namespace synod::validation_test
