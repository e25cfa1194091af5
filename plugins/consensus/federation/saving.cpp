// SPDX-License-Identifier: Apache-2.0
//! A state as bytes and back: canonical, versioned, strict. Consensus worker; any bytes are safe to load.
#include "plugins/consensus/federation/governance.hpp"

namespace synod::federation {
namespace {

constexpr char kMagic[8] = {'S', 'Y', 'N', 'F', 'E', 'D', 'S', 'T'};
constexpr size_t kAncestorBytes = 40;
constexpr uint64_t kMaxHeight = uint64_t{1} << 62; // so that no sum of heights can wrap

void write_set(Writer& w, const AuthoritySet& set) {
    w.u32(static_cast<uint32_t>(set.keys.size())).u32(set.number).u32(set.quorum);
    for (const Key& k : set.keys) {
        w.bytes(k);
    }
}

void write_rooted(Writer& w, const Rooted& r) {
    w.u32(static_cast<uint32_t>(r.name.size()));
    w.bytes({reinterpret_cast<const uint8_t*>(r.name.data()), r.name.size()});
    w.u32(r.chain_id).u32(r.threshold).u32(r.pow_limit_bits).u64(r.slot_ms).u64(r.max_blocks_without_pow);
    w.u64(r.slot_base).u64(r.slot_base_ms).u64(r.max_block_bytes);
    w.u64(r.final_height).bytes(r.final_hash).u64(r.record_count).u64(r.record_time_s).u64(r.record_previous_s);
    w.u32(r.record_bits).u64(r.governance_sequence).bytes(r.governance_hash).u8(r.halted ? 1 : 0);
    w.u8(static_cast<uint8_t>(r.pending.size()));
    for (const Change& change : r.pending) {
        w.bytes(encode_change(change));
    }
}

Fault corrupt(const char* what, const Reader& in) {
    return {"state.corrupt", what, "byte " + std::to_string(in.at())};
}

Outcome<std::shared_ptr<const AuthoritySet>> read_set(Reader& in) {
    auto set = std::make_shared<AuthoritySet>();
    const uint32_t n = in.u32();
    set->number = in.u32();
    set->quorum = in.u32();
    if (!in.ok() || n == 0 || n > kMaxAuthorities || set->quorum > n || set->quorum < quorum_of(n, 0)) {
        return corrupt("a set of 1 to 64 authorities with its quorum is needed", in);
    }
    for (uint32_t i = 0; i < n; ++i) {
        set->keys.push_back(in.hash());
        if (!in.ok() || !valid_key(set->keys.back().data())) {
            return corrupt("an authority's key is not valid", in);
        }
    }
    return std::shared_ptr<const AuthoritySet>(std::move(set));
}

// The sets by rising height; the last is in force.
std::optional<Fault> read_sets(Reader& in, std::vector<SetSpan>& out) {
    const uint8_t count = in.u8();
    if (!in.ok() || count == 0 || count > kKeptSets) {
        return corrupt("1 to 16 sets of authorities are needed", in);
    }
    for (uint8_t i = 0; i < count; ++i) {
        const uint64_t from = in.u64();
        auto set = read_set(in);
        if (!set) {
            return set.fault();
        }
        if (i > 0 && (from <= out.back().from || (*set)->number <= out.back().set->number)) {
            return corrupt("the sets of authorities do not rise", in);
        }
        out.push_back({from, *set});
    }
    return std::nullopt;
}

Outcome<std::shared_ptr<const Rooted>> read_rooted(Reader& in, std::shared_ptr<const AuthoritySet> set,
                                                   const Hasher& hash) {
    auto out = std::make_shared<Rooted>();
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
    out->slot_base = in.u64();
    out->slot_base_ms = in.u64();
    out->max_block_bytes = in.u64();
    out->final_height = in.u64();
    out->final_hash = in.hash();
    out->record_count = in.u64();
    out->record_time_s = in.u64();
    out->record_previous_s = in.u64();
    out->record_bits = in.u32();
    out->governance_sequence = in.u64();
    out->governance_hash = in.hash();
    const uint8_t halted = in.u8();
    const uint8_t pending = in.u8();
    const bool bytes_fit = out->max_block_bytes == 0 || (out->max_block_bytes >= kLeastMaxBlockBytes &&
                                                         out->max_block_bytes <= SYNOD_BLOCK_MAX);
    if (!in.ok() || halted > 1 || out->slot_ms == 0 || out->max_blocks_without_pow > kMaxBlocksWithoutPowLimit ||
        set->quorum != quorum_of(static_cast<uint32_t>(set->keys.size()), out->threshold) || !bytes_fit ||
        pending > kMaxPendingEvents) {
        return corrupt("the parameters can't be right", in);
    }
    out->halted = halted != 0;
    out->set = std::move(set);
    for (uint8_t i = 0; i < pending; ++i) {
        Change change;
        if (!read_change(in, change) || (i > 0 && change.sequence <= out->pending.back().sequence) ||
            change.sequence > out->governance_sequence) {
            return corrupt("the pending events can't be right", in);
        }
        out->pending.push_back(change);
    }
    out->seal(hash);
    return std::shared_ptr<const Rooted>(std::move(out));
}

} // namespace

Bytes save_state(const synod_state& s, const Hash32& genesis) {
    Writer w;
    w.bytes({reinterpret_cast<const uint8_t*>(kMagic), sizeof(kMagic)}).u32(kStateFormat).bytes(genesis);
    w.u8(static_cast<uint8_t>(s.sets.size()));
    for (const SetSpan& span : s.sets) {
        w.u64(span.from);
        write_set(w, *span.set);
    }
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
    auto out = std::make_unique<synod_state>();
    if (auto wrong = read_sets(in, out->sets)) {
        return *wrong;
    }
    auto rooted = read_rooted(in, out->sets.back().set, hash);
    if (!rooted) {
        return rooted.fault();
    }
    out->rooted = *rooted;
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
    out->signers = set_at(*out, out->height);
    if (out->sets.back().from > out->height + 1 || out->signers == nullptr) {
        return corrupt("the head's authorities are not known", in);
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
