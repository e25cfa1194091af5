// SPDX-License-Identifier: Apache-2.0
//! The oracle among the validation backends: one check after the other on libsodium, nothing batched, nothing cached,
//! no threads. Every other backend must give its verdicts on every input.

#include <synod/extra/ed25519_rule.hpp>
#include <synod/validation.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

namespace {

using Digest = std::array<uint8_t, 32>;

constexpr uint64_t kHeaderBytes = 80;

Digest sha256d(synod_bytes span) noexcept {
    static constexpr uint8_t kNothing = 0;
    Digest once;
    Digest twice;
    crypto_hash_sha256(once.data(), span.n != 0 ? span.p : &kNothing, span.n);
    crypto_hash_sha256(twice.data(), once.data(), once.size());
    return twice;
}

bool equal(const Digest& digest, const uint8_t* expected) noexcept {
    return std::memcmp(digest.data(), expected, digest.size()) == 0;
}

bool merkle_holds(const uint8_t* leaves, uint64_t count, const uint8_t* root) {
    if (count == 0) {
        return false;
    }
    std::vector<Digest> level(count);
    std::memcpy(level.data(), leaves, 32 * count);
    while (level.size() > 1) {
        std::vector<Digest> above;
        above.reserve((level.size() + 1) / 2);
        for (size_t i = 0; i < level.size(); i += 2) {
            const bool partner = i + 1 < level.size();
            above.push_back(partner ? sha256d({level[i].data(), 64}) : level[i]);
        }
        level = std::move(above);
    }
    return equal(level[0], root);
}

bool at_or_below(const Digest& hash, const uint8_t* target) noexcept {
    for (size_t i = hash.size(); i-- > 0;) {
        if (hash[i] != target[i]) {
            return hash[i] < target[i];
        }
    }
    return true;
}

void write(uint8_t& verdict, bool holds) noexcept {
    verdict = holds ? SYNOD_VERDICT_HOLDS : SYNOD_VERDICT_FAILS;
}

template <class... Columns>
void need(uint64_t n, const char* what, const Columns*... columns) {
    if (n != 0 && ((columns == nullptr) || ...)) {
        throw synod::Failure(SYNOD_E_INVALID, "a column is missing", "report this to the host's author", what);
    }
}

class Reference final : public synod::Validation {
public:
    explicit Reference(const synod::Context& context) : Validation(context) {
        if (sodium_init() < 0) {
            throw synod::Failure(SYNOD_E_INTERNAL, "libsodium doesn't start");
        }
    }

    synod_status validate(const synod_check_batch& batch) override {
        if (batch.size < sizeof(synod_check_batch)) {
            throw synod::Failure(SYNOD_E_INVALID, "the batch is shorter than that of version 1.0");
        }
        signatures(batch.signatures);
        digests(batch.digests);
        merkles(batch.merkles);
        targets(batch.targets);
        return SYNOD_OK;
    }

    void sha256d(std::span<const synod_bytes> spans, uint8_t* out) noexcept override {
        for (const synod_bytes& span : spans) {
            const Digest digest = ::sha256d(span);
            out = std::copy(digest.begin(), digest.end(), out);
        }
    }

    std::string_view isa() const noexcept override { return "libsodium"; }

private:
    static void signatures(const synod_signature_checks& c) {
        need(c.n, "signatures", c.keys, c.signatures, c.messages, c.verdicts);
        for (uint64_t i = 0; i < c.n; ++i) {
            write(c.verdicts[i], synod::ed25519::key_is_valid(c.keys[i]) &&
                                     synod::ed25519::holds(c.keys[i], c.signatures[i], c.messages[i]));
        }
    }

    static void digests(const synod_digest_checks& c) {
        need(c.n, "digests", c.spans, c.digests, c.verdicts);
        for (uint64_t i = 0; i < c.n; ++i) {
            write(c.verdicts[i], equal(::sha256d(c.spans[i]), c.digests[i]));
        }
    }

    static void merkles(const synod_merkle_checks& c) {
        need(c.n, "merkles", c.leaves, c.leaf_counts, c.roots, c.verdicts);
        for (uint64_t i = 0; i < c.n; ++i) {
            write(c.verdicts[i], merkle_holds(c.leaves[i], c.leaf_counts[i], c.roots[i]));
        }
    }

    static void targets(const synod_target_checks& c) {
        need(c.n, "targets", c.headers, c.targets, c.verdicts);
        for (uint64_t i = 0; i < c.n; ++i) {
            write(c.verdicts[i], at_or_below(::sha256d({c.headers[i], kHeaderBytes}), c.targets[i]));
        }
    }
};

}  // namespace

SYNOD_PLUGIN(Reference, {.id = "synod.validation.reference",
                         .name = "Reference validation",
                         .version = "1.0.0",
                         .vendor = "Synod",
                         .license = "Apache-2.0",
                         .flags = SYNOD_F_DETERMINISTIC});
