// SPDX-License-Identifier: Apache-2.0
//! Real proofs of several chains: all pass, and each with one thing changed is refused for that
//! reason.
#include "plugins/consensus/federation/auxpow/check_json.hpp"
#include "tests/unit/plugins/federation_auxpow/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

using namespace synod::federation;
using namespace synod::federation::test;

namespace {

std::vector<RealProof> all_proofs() {
    auto out = real_proofs();
    auto more = regtest_proofs();
    std::ranges::move(more, std::back_inserter(out));
    return out;
}

std::optional<U256> target_of(const RealProof& real) {
    return real.sha256d ? std::optional(*target_from_bits(real.bits)) : std::nullopt;
}

Verdict verdict(const CheckReport& report, std::string_view code) {
    const auto at =
        std::ranges::find_if(report.rules, [&](const Rule& r) { return r.code == code; });
    REQUIRE(at != report.rules.end());
    return at->verdict;
}

/// Codes of the rules that fail.
std::vector<std::string> failures(const CheckReport& report) {
    std::vector<std::string> out;
    for (const Rule& rule : report.rules) {
        if (rule.verdict == Verdict::fails && std::string_view(rule.code) != "auxpow.target") {
            out.emplace_back(rule.code);
        }
    }
    return out;
}

using Codes = std::vector<std::string>;

size_t root_offset(const AuxPow& proof, const Hash32& aux_hash) {
    const Hash32 root = reversed(proof.chain_branch.fold(sodium_hasher(), aux_hash));
    const Bytes& script = proof.coinbase.script_sig;
    return static_cast<size_t>(std::ranges::search(script, root).begin() - script.begin());
}

/// Rewrites the coinbase's script in place (both copies) and mends the parent's merkle root, so
/// that only the rules on the commitment can fail. The script keeps its length.
void change_script(AuxPow& proof, const std::function<void(Bytes&)>& change) {
    Bytes script = proof.coinbase.script_sig;
    change(script);
    REQUIRE(script.size() == proof.coinbase.script_sig.size());
    auto& base = proof.coinbase.base;
    const auto at = std::ranges::search(base, proof.coinbase.script_sig).begin();
    std::ranges::copy(script, at);
    proof.coinbase.script_sig = script;
    proof.parent.merkle_root =
        proof.coinbase_branch.fold(sodium_hasher(), proof.coinbase.txid(sodium_hasher()));
}

CheckReport check(const RealProof& real, const AuxPow& proof) {
    // Through the wire once more: what is checked is what a peer could send.
    const auto again = parse_auxpow(encode_auxpow(proof));
    REQUIRE(again);
    return check_auxpow(*again, real.hash, real.chain_id, target_of(real), sodium_hasher());
}

} // namespace

TEST_CASE("the vectors are whole") {
    const auto real = real_proofs();
    const auto regtest = regtest_proofs();
    if (real.empty() || regtest.empty()) {
        MESSAGE("skipped: vectors are not there");
        return;
    }
    CHECK(real.size() == 18);
    CHECK(regtest.size() == 414);
}

TEST_CASE("real proofs pass every rule and re-encode to the same bytes") {
    const auto proofs = all_proofs();
    if (proofs.empty()) {
        MESSAGE("skipped: vectors are not there");
        return;
    }
    size_t witnesses = 0, legacy = 0;
    for (const RealProof& real : proofs) {
        CAPTURE(real.name);
        const auto proof = parse_auxpow(real.proof);
        REQUIRE(proof);
        CHECK(encode_auxpow(*proof) == real.proof);
        const CheckReport report =
            check_auxpow(*proof, real.hash, real.chain_id, target_of(real), sodium_hasher());
        CHECK(report.rules.size() == kRuleCount);
        for (const Rule& rule : report.rules) {
            CAPTURE(rule.code);
            CAPTURE(rule.detail);
            const bool no_target = std::string_view(rule.code) == "auxpow.target" && !real.sha256d;
            CHECK(rule.verdict == (no_target ? Verdict::unreached : Verdict::holds));
        }
        witnesses += proof->coinbase.witness_form.empty() ? 0 : 1;
        const auto& script = proof->coinbase.script_sig;
        legacy += std::ranges::search(script, kMergedMiningMagic).empty() ? 1 : 0;
        AuxPow normal = *proof;
        normalise(normal);
        CHECK(check(real, normal).ok());
    }
    CHECK(witnesses > 0);
    CHECK(legacy > 0);
}

TEST_CASE("a real proof with one field changed is refused for that reason") {
    const auto proofs = all_proofs();
    if (proofs.empty()) {
        MESSAGE("skipped: vectors are not there");
        return;
    }
    for (const RealProof& real : proofs) {
        CAPTURE(real.name);
        AuxPow good = *parse_auxpow(real.proof);
        normalise(good); // the witness form would keep the unchanged coinbase
        const auto with = [&](const std::function<void(AuxPow&)>& change) {
            AuxPow bad = good;
            change(bad);
            return failures(check(real, bad));
        };
        CHECK(with([](AuxPow& p) { p.block_hash[7] ^= 1; }).empty()); // nothing looks at it
        CHECK(with([](AuxPow& p) { p.parent.merkle_root[3] ^= 1; }) == Codes{"auxpow.merkle_root"});
        CHECK(with([&](AuxPow& p) { p.parent.version = real.chain_id << 16; }) ==
              Codes{"auxpow.parent_chain_id"});
        CHECK(with([](AuxPow& p) { p.coinbase.base[0] ^= 1; }) == Codes{"auxpow.merkle_root"});
        CHECK(with([](AuxPow& p) { p.chain_branch.index ^= 1u << 31; }) == Codes{"auxpow.slot"});
        CHECK(with([](AuxPow& p) { p.coinbase_branch.siblings.push_back({}); }) ==
              Codes{"auxpow.merkle_root"});
        for (size_t i = 0; i < good.coinbase_branch.siblings.size(); ++i) {
            CHECK(with([i](AuxPow& p) { p.coinbase_branch.siblings[i][31] ^= 0x80; }) ==
                  Codes{"auxpow.merkle_root"});
            CHECK(with([i](AuxPow& p) { p.coinbase_branch.index = 1u << i; }) ==
                  Codes{"auxpow.coinbase_index", "auxpow.merkle_root"});
        }
        for (size_t i = 0; i < good.chain_branch.siblings.size(); ++i) {
            CHECK(with([i](AuxPow& p) { p.chain_branch.siblings[i][0] ^= 1; }) ==
                  Codes{"auxpow.root_missing"});
        }
        CHECK(with([](AuxPow& p) { p.coinbase_branch.siblings.resize(31); }) ==
              Codes{"auxpow.coinbase_branch_length"});
        CHECK(with([](AuxPow& p) { p.chain_branch.siblings.resize(31); }) ==
              Codes{"auxpow.chain_branch_length"});
        // The null previous output starts after version and input count.
        CHECK(with([](AuxPow& p) { p.coinbase.base[5] ^= 1; }) ==
              Codes{"auxpow.not_coinbase", "auxpow.merkle_root"});
        CHECK(with([](AuxPow& p) { p.coinbase.base[37] ^= 1; }) ==
              Codes{"auxpow.not_coinbase", "auxpow.merkle_root"});
    }
}

TEST_CASE("a real proof with its commitment changed is refused for that reason") {
    const auto proofs = all_proofs();
    if (proofs.empty()) {
        MESSAGE("skipped: vectors are not there");
        return;
    }
    size_t with_magic = 0, without = 0, shifted = 0;
    for (const RealProof& real : proofs) {
        CAPTURE(real.name);
        AuxPow good = *parse_auxpow(real.proof);
        normalise(good); // the witness form would keep the unchanged script
        const size_t root = root_offset(good, real.hash);
        const auto with = [&](const std::function<void(Bytes&)>& change) {
            AuxPow bad = good;
            change_script(bad, change);
            return failures(check(real, bad));
        };
        CHECK(with([&](Bytes& s) { s[root + 5] ^= 1; }) == Codes{"auxpow.root_missing"});
        CHECK(with([&](Bytes& s) {
                  std::reverse(s.begin() + static_cast<long>(root),
                               s.begin() + static_cast<long>(root) + 32);
              }) == Codes{"auxpow.root_missing"}); // the byte order that pools don't write
        CHECK(with([&](Bytes& s) { s[root + 32] ^= 0x40; }) == Codes{"auxpow.tree_size"});
        if (!good.chain_branch.siblings.empty()) {
            CHECK(with([&](Bytes& s) { s[root + 36] ^= 1; }) == Codes{"auxpow.slot"});
        }
        if (root >= 4 &&
            std::equal(kMergedMiningMagic.begin(), kMergedMiningMagic.end(),
                       good.coinbase.script_sig.begin() + static_cast<long>(root) - 4)) {
            ++with_magic;
            const auto lost = with([&](Bytes& s) { s[root - 2] ^= 1; });
            CHECK(lost == (root <= kLegacyRootReach ? Codes{} : Codes{"auxpow.legacy_place"}));
            if (root >= 5) {
                ++shifted;
                CHECK(with([&](Bytes& s) {
                          std::ranges::copy(kMergedMiningMagic,
                                            s.begin() + static_cast<long>(root) - 5);
                      }) == Codes{"auxpow.magic_place"});
            }
            if (root >= 8) {
                CHECK(with([&](Bytes& s) {
                          std::ranges::copy(kMergedMiningMagic,
                                            s.begin() + static_cast<long>(root) - 8);
                      }) == Codes{"auxpow.magic_repeated", "auxpow.magic_place"});
            }
            if (good.coinbase.script_sig.size() >= root + 44) {
                CHECK(with([&](Bytes& s) {
                          std::ranges::copy(kMergedMiningMagic,
                                            s.begin() + static_cast<long>(s.size()) - 4);
                      }).front() == "auxpow.magic_repeated");
            }
        } else {
            ++without;
        }
    }
    CHECK(with_magic > 0);
    CHECK(without > 0);
    CHECK(shifted > 0);
}

TEST_CASE("another block, another chain and a harder target are refused") {
    const auto proofs = all_proofs();
    if (proofs.empty()) {
        MESSAGE("skipped: vectors are not there");
        return;
    }
    const Hasher hash = sodium_hasher();
    for (const RealProof& real : proofs) {
        CAPTURE(real.name);
        const AuxPow proof = *parse_auxpow(real.proof);
        Hash32 other = real.hash;
        other[0] ^= 1;
        CHECK(failures(check_auxpow(proof, other, real.chain_id, std::nullopt, hash)) ==
              Codes{"auxpow.root_missing"});
        if (!proof.chain_branch.siblings.empty()) {
            // The slot is linear in the chain id's lowest bit: an odd neighbour never has the same
            // one.
            CHECK(failures(check_auxpow(proof, real.hash, real.chain_id ^ 0x1001, std::nullopt,
                                        hash)) == Codes{"auxpow.slot"});
        }
        const U256 work = U256::from_hash(proof.parent.hash(hash));
        CHECK(verdict(check_auxpow(proof, real.hash, real.chain_id, work, hash), "auxpow.target") ==
              Verdict::holds);
        U256 below = work;
        REQUIRE(below.limb[0] != 0);
        --below.limb[0];
        const auto report = check_auxpow(proof, real.hash, real.chain_id, below, hash);
        REQUIRE(report.first_failure() != nullptr);
        CHECK(std::string_view(report.first_failure()->code) == "auxpow.target");
    }
}

TEST_CASE("any single flipped bit of a real proof is refused, but for those that no rule binds") {
    const auto proofs = real_proofs();
    if (proofs.empty()) {
        MESSAGE("skipped: vectors are not there");
        return;
    }
    const Hasher hash = sodium_hasher();
    for (const RealProof& real : proofs) {
        if (!real.sha256d) {
            continue; // without a target the parent's other fields are free
        }
        CAPTURE(real.name);
        const AuxPow good = *parse_auxpow(real.proof);
        const size_t free_from = good.coinbase.wire().size(), free_to = free_from + 32;
        for (size_t bit = 0; bit < 8 * real.proof.size(); ++bit) {
            Bytes bytes = real.proof;
            bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
            const auto proof = parse_auxpow(bytes);
            const bool accepted =
                proof && check_auxpow(*proof, real.hash, real.chain_id, target_of(real), hash).ok();
            CAPTURE(bit);
            CHECK(accepted == (bit / 8 >= free_from && bit / 8 < free_to));
        }
    }
}
