// SPDX-License-Identifier: Apache-2.0
//! A state as bytes and back: canonical, versioned, strict. Consensus worker; any bytes are safe to load.
#include "plugins/consensus/federation/state.hpp"

namespace synod::federation {
namespace {

constexpr char kMagic[8] = {'S', 'Y', 'N', 'F', 'E', 'D', 'S', 'T'};
constexpr size_t kAncestorBytes = 40;
constexpr uint64_t kMaxHeight = uint64_t{1} << 62; // so that no sum of heights can wrap

void write_rooted(Writer& w, const Rooted& r) {
    w.u32(static_cast<uint32_t>(r.set->keys.size())).u32(r.set->number);
    for (const Key& k : r.set->keys) {
        w.bytes(k);
    }
    w.u32(static_cast<uint32_t>(r.name.size()));
    w.bytes({reinterpret_cast<const uint8_t*>(r.name.data()), r.name.size()});
    w.u32(r.chain_id).u32(r.threshold).u32(r.pow_limit_bits).u64(r.slot_ms).u64(r.max_blocks_without_pow);
    w.u64(r.final_height).bytes(r.final_hash).u64(r.record_count).u64(r.record_time_s).u64(r.record_previous_s);
    w.u32(r.record_bits).u64(r.governance_sequence).bytes(r.governance_hash).u8(r.halted ? 1 : 0);
}

Fault corrupt(const char* what, const Reader& in) {
    return {"state.corrupt", what, "byte " + std::to_string(in.at())};
}

Outcome<std::shared_ptr<const Rooted>> read_rooted(Reader& in, const Hasher& hash) {
    auto set = std::make_shared<AuthoritySet>();
    auto out = std::make_shared<Rooted>();
    const uint32_t n = in.u32();
    set->number = in.u32();
    if (!in.ok() || n == 0 || n > kMaxAuthorities) {
        return corrupt("a set of 1 to 64 authorities is needed", in);
    }
    for (uint32_t i = 0; i < n; ++i) {
        set->keys.push_back(in.hash());
        if (!in.ok() || !valid_key(set->keys.back().data())) {
            return corrupt("an authority's key is not valid", in);
        }
    }
    const uint32_t name = in.u32();
    if (!in.ok() || name > kMaxNameBytes) {
        return corrupt("the chain's name is too long", in);
    }
    const ByteView text = in.take(name);
    out->name.assign(text.begin(), text.end());
    out->chain_id = in.u32();
    out->threshold = in.u32();
    out->pow_limit_bits = in.u32();
    out->slot_ms = in.u64();
    out->max_blocks_without_pow = in.u64();
    out->final_height = in.u64();
    out->final_hash = in.hash();
    out->record_count = in.u64();
    out->record_time_s = in.u64();
    out->record_previous_s = in.u64();
    out->record_bits = in.u32();
    out->governance_sequence = in.u64();
    out->governance_hash = in.hash();
    const uint8_t halted = in.u8();
    set->quorum = quorum_of(n, out->threshold);
    if (!in.ok() || halted > 1 || out->slot_ms == 0 || out->max_blocks_without_pow > kMaxBlocksWithoutPowLimit ||
        set->quorum > n) {
        return corrupt("the parameters can't be right", in);
    }
    out->halted = halted != 0;
    out->set = std::move(set);
    out->seal(hash);
    return std::shared_ptr<const Rooted>(std::move(out));
}

} // namespace

Bytes save_state(const synod_state& s, const Hash32& genesis) {
    Writer w;
    w.bytes({reinterpret_cast<const uint8_t*>(kMagic), sizeof(kMagic)}).u32(kStateFormat).bytes(genesis);
    write_rooted(w, *s.rooted);
    w.u64(s.height).bytes(s.head_signature).u8(s.certified ? 1 : 0).u64(s.committed).bytes(s.committed_hash);
    const uint64_t base = s.ancestry.base();
    w.u64(base).u32(static_cast<uint32_t>(s.ancestry.size()));
    for (uint64_t h = base; h <= s.height; ++h) {
        w.u64(s.ancestry.at(h).slot).bytes(s.ancestry.at(h).hash);
    }
    return w.take();
}

Outcome<std::unique_ptr<synod_state>> load_state(ByteView bytes, const Hash32& genesis, const Hasher& hash) {
    Reader in(bytes);
    const ByteView magic = in.take(sizeof(kMagic));
    if (!in.ok() || std::memcmp(magic.data(), kMagic, sizeof(kMagic)) != 0) {
        return corrupt("not a state of this plugin", in);
    }
    if (in.u32() != kStateFormat) {
        return corrupt("unknown format of a state", in);
    }
    if (in.hash() != genesis || !in.ok()) {
        return corrupt("a state of another chain", in);
    }
    auto rooted = read_rooted(in, hash);
    if (!rooted) {
        return rooted.fault();
    }
    auto out = std::make_unique<synod_state>();
    out->rooted = *rooted;
    out->signers = out->rooted->set;
    out->height = in.u64();
    const ByteView signature = in.take(kSignatureBytes);
    const uint8_t certified = in.u8();
    out->committed = in.u64();
    out->committed_hash = in.hash();
    const uint64_t base = in.u64();
    const uint32_t count = in.u32();
    if (!in.ok() || certified > 1 || count == 0 || in.left() != uint64_t{count} * kAncestorBytes ||
        out->height > kMaxHeight || base > out->height || out->height - base != count - 1 ||
        out->committed > out->height || out->rooted->final_height > out->height) {
        return corrupt("heights and ancestry do not fit together", in);
    }
    if (out->height > 0 && count < 2) {
        return corrupt("the head's parent is missing", in); // the voting rule looks at it
    }
    std::memcpy(out->head_signature.data(), signature.data(), kSignatureBytes);
    out->certified = certified != 0;
    uint64_t last_slot = 0;
    for (uint32_t i = 0; i < count; ++i) {
        Ancestor a;
        a.slot = in.u64();
        a.hash = in.hash();
        if (i > 0 && a.slot <= last_slot) {
            return corrupt("slots of the ancestry do not rise", in);
        }
        last_slot = a.slot;
        i == 0 ? out->ancestry.start(base, a) : out->ancestry.append(a);
    }
    if (base == 0 && out->ancestry.at(0).hash != genesis) {
        return corrupt("the ancestry begins with another genesis", in);
    }
    if (out->ancestry.has(out->committed) && out->ancestry.at(out->committed).hash != out->committed_hash) {
        return corrupt("the committed block is not an ancestor", in);
    }
    return out;
}

} // namespace synod::federation
