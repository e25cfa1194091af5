// SPDX-License-Identifier: Apache-2.0
//! The chain's genesis and its plain facts. See chain.hpp for threads.
#include "plugins/consensus/federation/chain.hpp"

#include <sodium.h>

#include <algorithm>

namespace synod::federation {
namespace {

[[noreturn]] void bad(const std::string& where, const std::string& what) {
    throw Failure(SYNOD_E_CONFIG, what, "correct the genesis file", where);
}

uint64_t ranged(const Value& v, std::string_view key, int64_t fallback, int64_t least, int64_t most) {
    const int64_t got = v.get_int(key, fallback);
    if (got < least || got > most) {
        bad("genesis." + std::string(key), "must be from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<uint64_t>(got);
}

std::shared_ptr<AuthoritySet> read_authorities(const Value& genesis) {
    auto set = std::make_shared<AuthoritySet>();
    for (const Value& item : genesis.at("authorities").items()) {
        const auto bytes = from_hex(item.as_string());
        if (!bytes || bytes->size() != kKeyBytes) {
            bad(item.path(), "an authority is a public key of 64 hex digits");
        }
        Key key{};
        std::copy(bytes->begin(), bytes->end(), key.begin());
        if (!valid_key(key.data())) {
            bad(item.path(), "not a canonical Ed25519 key of prime order");
        }
        if (set->index_of(key)) {
            bad(item.path(), "this authority is listed twice");
        }
        set->keys.push_back(key);
    }
    if (set->keys.empty() || set->keys.size() > kMaxAuthorities) {
        bad("genesis.authorities", "1 to 64 authorities are needed");
    }
    return set;
}

} // namespace

Chain::Chain(const Host& host, const Value& config) : host_(host) {
    if (sodium_init() < 0) {
        throw Failure(SYNOD_E_INTERNAL, "libsodium can't start");
    }
    const Value& g = config.at("genesis");
    auto set = read_authorities(g);
    auto r = std::make_shared<Rooted>();
    r->name = g.get_string("name", "synod");
    if (r->name.size() > kMaxNameBytes) {
        bad("genesis.name", "at most 64 bytes");
    }
    r->chain_id = static_cast<uint32_t>(ranged(g, "chain_id", 1, 1, 0xffff)); // AuxPoW has 16 bits for it
    r->slot_ms = ranged(g, "slot_ms", 2000, 1, int64_t{kMaxSlotMs});
    const uint64_t time_ms = ranged(g, "genesis_time_ms", 0, 0, int64_t{1} << 52);
    r->threshold = static_cast<uint32_t>(ranged(g, "signature_threshold", 0, 0, kMaxAuthorities));
    set->quorum = quorum_of(static_cast<uint32_t>(set->keys.size()), r->threshold);
    if (set->quorum > set->keys.size()) {
        bad("genesis.signature_threshold", "more signatures than there are authorities");
    }
    r->set = std::move(set);
    r->max_blocks_without_pow =
        ranged(g, "max_blocks_without_pow", kDefaultMaxBlocksWithoutPow, 0, kMaxBlocksWithoutPowLimit);
    r->pow_limit_bits = static_cast<uint32_t>(ranged(g, "pow_limit_bits", 0x207fffff, 1, 0xffffffff));
    r->record_bits = static_cast<uint32_t>(ranged(g, "initial_bits", r->pow_limit_bits, 1, 0xffffffff));
    const auto limit = target_from_bits(r->pow_limit_bits), first = target_from_bits(r->record_bits);
    if (!limit || !first || *limit < *first) {
        bad("genesis.initial_bits", "the bits are no targets, or easier than pow_limit_bits");
    }
    r->record_time_s = r->record_previous_s = time_ms / 1000;
    r->seal(hasher());
    genesis_.signers = r->set;
    genesis_.sets.push_back({0, r->set});
    genesis_.rooted = std::move(r);
    genesis_.certified = true;
    genesis_.ancestry.start(0, {{}, time_ms / genesis_.rooted->slot_ms});
    make_genesis();
}

Hasher Chain::hasher() const noexcept {
    const auto hash = [](void* ctx, const synod_bytes* spans, uint64_t n, uint8_t* out) {
        static_cast<const Host*>(ctx)->sha256d({spans, static_cast<size_t>(n)}, out);
    };
    return {hash, const_cast<Host*>(&host_)};
}

void Chain::make_genesis() {
    const std::array<uint8_t, kSignatureBytes> no_signature{};
    const std::array<uint8_t, kBitmapBytes + kCountsBytes> tail{}; // empty certificate, no items
    Bytes leaf;
    body_leaf0(no_signature.data(), ByteView(tail).first(kBitmapBytes), tail.data() + kBitmapBytes, leaf);
    Prefix prefix;
    prefix.slot = genesis_.head().slot;
    prefix.body_root = hasher()(leaf);
    prefix.state_root = genesis_.rooted->root;
    const auto bytes = prefix.encode();
    genesis_block_ = Writer{}.bytes(bytes).bytes(no_signature).bytes(tail).take();
    genesis_hash_ = hasher()(bytes);
    genesis_.ancestry.start(0, {genesis_hash_, prefix.slot});
    genesis_.committed_hash = genesis_hash_;
    network_id_ = hasher()(Writer{}
                               .bytes({reinterpret_cast<const uint8_t*>(kNetworkTag), kTagBytes})
                               .bytes(genesis_hash_)
                               .u32(genesis_.rooted->chain_id)
                               .take());
}

void Chain::info(const synod_state& state, synod_chain_info& out) const {
    const Rooted& r = *state.rooted;
    out.authorities = static_cast<uint32_t>(r.set->keys.size());
    out.quorum = r.set->quorum;
    out.chain_id = r.chain_id;
    std::memcpy(out.network_id, network_id_.data(), 32);
    std::memcpy(out.genesis_hash, genesis_hash_.data(), 32);
    out.slot_ms = r.slot_ms;
    out.max_blocks_without_pow = r.max_blocks_without_pow == 0 ? UINT64_MAX : r.max_blocks_without_pow;
    if (has_field(&out, &synod_chain_info::slot_base_ms)) {
        out.authority_set = r.set->number;
        out.head_authorities = static_cast<uint32_t>(state.signers->keys.size());
        out.head_quorum = state.signers->quorum;
        out.halted = r.halted ? 1 : 0;
        out.slot_base = r.slot_base;
        out.slot_base_ms = r.slot_base_ms;
    }
}

synod_status Chain::decode(uint32_t form, ByteView run, std::span<synod_header_view> views, uint64_t& n,
                           uint64_t& consumed, synod_error* error) const {
    constexpr size_t kGroup = 256; // hashed in one call
    if (form != SYNOD_FORM_BLOCKS && form != SYNOD_FORM_HEADERS) {
        throw Failure(SYNOD_E_INVALID, "unknown form");
    }
    std::array<synod_bytes, kGroup> spans;
    std::array<uint8_t, 32 * kGroup> digests;
    const char* why = nullptr;
    size_t at = 0, done = 0, open = 0;
    const auto flush = [&] {
        host_.sha256d({spans.data(), open}, digests.data());
        for (size_t i = 0; i < open; ++i) {
            std::memcpy(views[done + i].hash, digests.data() + 32 * i, 32);
        }
        done += open;
        open = 0;
    };
    uint32_t last_set = 0;
    while (at < run.size() && done + open < views.size()) {
        BlockParts parts;
        if (form == SYNOD_FORM_HEADERS) {
            if (run.size() - at < kPrefixBytes || run[at] != kBlockVersion) {
                why = "cut header or unknown version";
                break;
            }
            parts.length = kPrefixBytes;
        } else if (!read_block(run.subspan(at), parts, &why)) {
            break;
        }
        Prefix prefix;
        (void)read_prefix(run.data() + at, prefix);
        synod_header_view& v = views[done + open];
        v = {};
        v.height = prefix.height;
        v.slot = prefix.slot;
        std::memcpy(v.parent, prefix.parent.data(), 32);
        v.offset = at;
        v.length = static_cast<uint32_t>(parts.length);
        v.header_length = kPrefixBytes;
        v.author = prefix.author;
        const bool first = done + open == 0;
        v.flags = (parts.records > 0 ? SYNOD_VIEW_HAS_PROOF_RECORD : 0) |
                  (parts.events > 0 ? SYNOD_VIEW_HAS_EVENTS : 0) |
                  (!first && prefix.authority_set != last_set ? SYNOD_VIEW_CHANGES_AUTHORITIES : 0);
        last_set = prefix.authority_set;
        spans[open] = {run.data() + at, kPrefixBytes};
        at += static_cast<size_t>(parts.length);
        if (++open == kGroup) {
            flush();
        }
    }
    flush();
    n = done;
    consumed = at;
    if (why != nullptr) {
        return write_error(error, SYNOD_E_CORRUPT, why, {}, std::to_string(at));
    }
    return SYNOD_OK;
}

void Chain::weigh(const synod_state& s, synod_weight& out) const {
    const uint32_t size = out.size;
    out = {};
    out.size = size;
    const Ancestor& head = s.head();
    out.certified_slot = s.certified || s.height == s.ancestry.base() ? head.slot : s.ancestry.at(s.height - 1).slot;
    for (size_t i = 0; i < 8; ++i) {
        out.key[i] = static_cast<uint8_t>(out.certified_slot >> (56 - 8 * i));
        out.key[8 + i] = static_cast<uint8_t>(s.height >> (56 - 8 * i));
    }
    out.height = s.height;
    out.slot = head.slot;
    std::memcpy(out.hash, head.hash.data(), 32);
    out.committed_height = s.committed;
    std::memcpy(out.committed_hash, s.committed_hash.data(), 32);
    out.final_height = s.rooted->final_height;
    std::memcpy(out.final_hash, out.final_height == 0 ? genesis_hash_.data() : s.rooted->final_hash.data(), 32);
    out.blocks_without_pow = s.height - out.final_height;
    out.governance_sequence = s.rooted->governance_sequence;
}

} // namespace synod::federation
