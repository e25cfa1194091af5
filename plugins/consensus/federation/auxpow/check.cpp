// SPDX-License-Identifier: Apache-2.0
#include "plugins/consensus/federation/auxpow/auxpow.hpp"

#include <algorithm>

namespace synod::federation {
namespace {

class Report {
public:
    /// `detail` is kept as given: it tells what was found, whether or not the rule holds.
    bool rule(const char* code, const char* name, bool holds, std::string detail) {
        out_.rules.push_back(
            {code, name, holds ? Verdict::holds : Verdict::fails, std::move(detail)});
        return holds;
    }
    void unreached(const char* code, const char* name, std::string why) {
        out_.rules.push_back({code, name, Verdict::unreached, std::move(why)});
    }
    CheckReport take() { return std::move(out_); }

private:
    CheckReport out_;
};

std::string number(uint64_t v) { return std::to_string(v); }

constexpr const char* kRootIn = "the chain merkle root is in the coinbase's script";
constexpr const char* kOneMagic = "the merged-mining magic occurs at most once";
constexpr const char* kMagicPlace = "the magic stands directly before the root";
constexpr const char* kLegacy = "without the magic, the root starts within the first 20 bytes";
constexpr const char* kTail = "tree size and nonce (8 bytes) follow the root";
constexpr const char* kSize = "the tree size is 2 to the chain branch's length";
constexpr const char* kSlot = "the chain branch's index is the slot of this chain id";

void check_shape(Report& out, const AuxPow& proof, uint32_t chain_id) {
    const auto& coinbase = proof.coinbase;
    out.rule("auxpow.coinbase_index", "the coinbase branch's index is 0",
             proof.coinbase_branch.index == 0, "index " + number(proof.coinbase_branch.index));
    out.rule("auxpow.chain_branch_length", "the chain branch has at most 30 hashes",
             proof.chain_branch.siblings.size() <= kMaxChainBranch,
             number(proof.chain_branch.siblings.size()) + " hashes");
    out.rule("auxpow.coinbase_branch_length", "the coinbase branch has at most 30 hashes",
             proof.coinbase_branch.siblings.size() <= kMaxCoinbaseBranch,
             number(proof.coinbase_branch.siblings.size()) + " hashes");
    out.rule("auxpow.not_coinbase",
             "the transaction is a coinbase: one input, null previous output",
             coinbase.is_coinbase(),
             number(coinbase.inputs) + " input(s), first spends " +
                 display_hex(coinbase.first_prevout) + ":" + number(coinbase.first_index));
    out.rule("auxpow.parent_chain_id", "the parent block does not carry this chain's id",
             proof.parent.chain_id() != chain_id,
             "parent " + number(proof.parent.chain_id()) + ", this chain " + number(chain_id));
}

void check_merkle(Report& out, const AuxPow& proof, const Hasher& hash) {
    constexpr const char* kName = "the coinbase's id folds to the parent's merkle root";
    if (proof.coinbase_branch.siblings.size() > kMaxCoinbaseBranch) {
        out.unreached("auxpow.merkle_root", kName, "the coinbase branch is too long");
        return;
    }
    const Hash32 folded = proof.coinbase_branch.fold(hash, proof.coinbase.txid(hash));
    out.rule("auxpow.merkle_root", kName, folded == proof.parent.merkle_root,
             "folds to " + display_hex(folded) + ", the parent has " +
                 display_hex(proof.parent.merkle_root));
}

/// The rules from the tree size on: they read the 8 bytes after the root.
void check_tail(Report& out, ByteView tail, const MerkleBranch& branch, uint32_t chain_id) {
    const bool there =
        out.rule("auxpow.tail", kTail, tail.size() >= 8, number(tail.size()) + " bytes follow");
    if (!there) {
        out.unreached("auxpow.tree_size", kSize, "no tree size");
        out.unreached("auxpow.slot", kSlot, "no nonce");
        return;
    }
    Reader in(tail);
    const uint32_t size = in.u32(), nonce = in.u32();
    const auto height = static_cast<uint32_t>(branch.siblings.size());
    out.rule("auxpow.tree_size", kSize, size == uint32_t{1} << height,
             "size " + number(size) + ", branch length " + number(height));
    const uint32_t slot = expected_slot(nonce, chain_id, height);
    out.rule("auxpow.slot", kSlot, branch.index == slot,
             "index " + number(branch.index) + ", slot " + number(slot) + " of nonce " +
                 number(nonce));
}

void skip_commitment(Report& out, const std::string& why) {
    out.unreached("auxpow.magic_repeated", kOneMagic, why);
    out.unreached("auxpow.magic_place", kMagicPlace, why);
    out.unreached("auxpow.legacy_place", kLegacy, why);
    out.unreached("auxpow.tail", kTail, why);
    out.unreached("auxpow.tree_size", kSize, why);
    out.unreached("auxpow.slot", kSlot, why);
}

// Namecoin's order of search: the first magic and the first occurrence of the reversed root.
void check_commitment(Report& out, const AuxPow& proof, const Hash32& aux_hash, uint32_t chain_id,
                      const Hasher& hash) {
    if (proof.chain_branch.siblings.size() > kMaxChainBranch) {
        out.unreached("auxpow.root_missing", kRootIn, "the chain branch is too long");
        skip_commitment(out, "the chain branch is too long");
        return;
    }
    const Bytes& script = proof.coinbase.script_sig;
    const Hash32 root = reversed(proof.chain_branch.fold(hash, aux_hash));
    const auto at = std::search(script.begin(), script.end(), root.begin(), root.end());
    const auto& magic = kMergedMiningMagic;
    const auto first = std::search(script.begin(), script.end(), magic.begin(), magic.end());
    const bool legacy = first == script.end();
    if (!out.rule("auxpow.root_missing", kRootIn, at != script.end(), "root " + to_hex(root))) {
        skip_commitment(out, "the root is not in the script");
        return;
    }
    const auto offset = static_cast<size_t>(at - script.begin());
    const bool again =
        !legacy && std::search(first + 1, script.end(), magic.begin(), magic.end()) != script.end();
    out.rule("auxpow.magic_repeated", kOneMagic, !again,
             legacy  ? "none: legacy form"
             : again ? "more than one"
                     : "one");
    out.rule("auxpow.magic_place", kMagicPlace, legacy || first + magic.size() == at,
             legacy ? "no magic: legacy form"
                    : "magic at " + number(static_cast<size_t>(first - script.begin())) +
                          ", root at " + number(offset));
    out.rule("auxpow.legacy_place", kLegacy, !legacy || offset <= kLegacyRootReach,
             legacy ? "root at " + number(offset) : "has the magic");
    check_tail(out, ByteView(script).subspan(offset + root.size()), proof.chain_branch, chain_id);
}

} // namespace

uint32_t expected_slot(uint32_t nonce, uint32_t chain_id, uint32_t height) {
    assert(height <= kMaxChainBranch);
    uint32_t r = nonce * 1103515245u + 12345u;
    r += chain_id;
    r = r * 1103515245u + 12345u;
    return r % (uint32_t{1}
                << height); // 2^height divides 2^32: reducing once at the end gives the same
}

bool CheckReport::ok() const noexcept { return first_failure() == nullptr; }

const Rule* CheckReport::first_failure() const noexcept {
    const auto at = std::ranges::find(rules, Verdict::fails, &Rule::verdict);
    return at == rules.end() ? nullptr : &*at;
}

CheckReport check_auxpow(const AuxPow& proof, const Hash32& aux_hash, uint32_t chain_id,
                         const std::optional<U256>& target, const Hasher& hash) {
    Report out;
    check_shape(out, proof, chain_id);
    check_merkle(out, proof, hash);
    check_commitment(out, proof, aux_hash, chain_id, hash);
    constexpr const char* kTarget = "the parent's hash meets the target";
    const Hash32 work = proof.parent.hash(hash);
    if (target) {
        out.rule("auxpow.target", kTarget, U256::from_hash(work) <= *target,
                 "hash " + display_hex(work) + ", target " + target->hex());
    } else {
        out.unreached("auxpow.target", kTarget, "no target given; hash " + display_hex(work));
    }
    CheckReport report = out.take();
    assert(report.rules.size() == kRuleCount);
    return report;
}

} // namespace synod::federation
