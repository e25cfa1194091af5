// SPDX-License-Identifier: Apache-2.0
//! The consensus state: its entries, root, proofs and the recent ancestry. Consensus worker.
#include "plugins/consensus/federation/state.hpp"

#include "plugins/consensus/federation/governance.hpp"

#include <sodium.h>

#include <algorithm>

namespace synod::federation {
namespace {

Bytes little(uint64_t v, size_t n) { return Writer{}.little(v, n).take(); }

void write_leaf(Writer& w, const Entry& entry) {
    w.bytes({reinterpret_cast<const uint8_t*>(kStateTag), kTagBytes}).u32(static_cast<uint32_t>(entry.key.size()));
    w.bytes({reinterpret_cast<const uint8_t*>(entry.key.data()), entry.key.size()}).bytes(entry.value);
}

bool same(const Entry& a, const Entry& b) { return a.key == b.key && a.value == b.value; }

// Leaves of entries that stand in `before` are taken from there; the others are hashed in one call, since single
// hashes cost several times as much.
std::vector<Hash32> leaves_of(const std::vector<Entry>& entries, const Sealed* before, const Hasher& hash) {
    std::vector<Hash32> out(entries.size());
    std::vector<size_t> changed, ends;
    Writer w;
    for (size_t i = 0; i < entries.size(); ++i) {
        if (before != nullptr && i < before->entries.size() && same(before->entries[i], entries[i])) {
            out[i] = before->leaves[i];
            continue;
        }
        write_leaf(w, entries[i]);
        changed.push_back(i);
        ends.push_back(w.size());
    }
    const Bytes preimages = w.take();
    std::vector<synod_bytes> spans;
    size_t at = 0;
    for (const size_t end : ends) {
        spans.push_back({preimages.data() + at, end - at});
        at = end;
    }
    std::vector<Hash32> digests(spans.size());
    hash.function(hash.ctx, spans.data(), spans.size(), digests.empty() ? nullptr : digests[0].data());
    for (size_t i = 0; i < changed.size(); ++i) {
        out[changed[i]] = digests[i];
    }
    return out;
}

// A block heads three certified blocks in direct line and consecutive slots when the newest of them is certified.
uint64_t committed_from(const synod_state& state, uint64_t newest_certified) {
    if (newest_certified < 2 || newest_certified - 2 <= state.committed || !state.ancestry.has(newest_certified - 2)) {
        return state.committed;
    }
    const uint64_t first = state.ancestry.at(newest_certified - 2).slot;
    const bool consecutive = state.ancestry.at(newest_certified - 1).slot == first + 1 &&
                             state.ancestry.at(newest_certified).slot == first + 2;
    return consecutive ? newest_certified - 2 : state.committed;
}

void commit_from(synod_state& state, uint64_t newest_certified) {
    if (const uint64_t height = committed_from(state, newest_certified); height != state.committed) {
        state.committed = height;
        state.committed_hash = state.ancestry.at(height).hash;
    }
}

} // namespace

bool valid_key(const uint8_t* key) { return crypto_core_ed25519_is_valid_point(key) == 1; }

std::vector<Entry> Rooted::entries() const {
    std::vector<Entry> out;
    for (size_t i = 0; i < set->keys.size(); ++i) {
        const char digits[3] = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10), 0};
        out.push_back({std::string("authority/") + digits, Bytes(set->keys[i].begin(), set->keys[i].end())});
    }
    out.push_back({"authority_set", little(set->number, 4)});
    out.push_back({"chain/id", little(chain_id, 4)});
    out.push_back({"chain/name", Bytes(name.begin(), name.end())});
    out.push_back({"final/hash", Bytes(final_hash.begin(), final_hash.end())});
    out.push_back({"final/height", little(final_height, 8)});
    out.push_back({"governance/halted", little(halted ? 1 : 0, 1)});
    out.push_back({"governance/hash", Bytes(governance_hash.begin(), governance_hash.end())});
    for (const Change& change : pending) {
        const std::string digits = std::to_string(change.sequence);
        out.push_back({"governance/pending/" + std::string(20 - digits.size(), '0') + digits, encode_change(change)});
    }
    out.push_back({"governance/sequence", little(governance_sequence, 8)});
    if (max_block_bytes != 0) {
        out.push_back({"param/max_block_bytes", little(max_block_bytes, 8)});
    }
    out.push_back({"param/max_blocks_without_pow", little(max_blocks_without_pow, 8)});
    out.push_back({"param/pow_limit_bits", little(pow_limit_bits, 4)});
    if (slot_base != 0) {
        out.push_back({"param/slot_base", little(slot_base, 8)});
        out.push_back({"param/slot_base_ms", little(slot_base_ms, 8)});
    }
    out.push_back({"param/slot_ms", little(slot_ms, 8)});
    out.push_back({"param/threshold", little(threshold, 4)});
    out.push_back({"record/bits", little(record_bits, 4)});
    out.push_back({"record/count", little(record_count, 8)});
    out.push_back({"record/previous_s", little(record_previous_s, 8)});
    out.push_back({"record/time_s", little(record_time_s, 8)});
    return out;
}

Hash32 state_leaf(const Entry& entry, const Hasher& hash) {
    Writer w;
    write_leaf(w, entry);
    return hash(w.take());
}

void Rooted::seal(const Hasher& hash) {
    auto now = std::make_shared<Sealed>();
    now->entries = entries();
    now->leaves = leaves_of(now->entries, sealed.get(), hash);
    root = merkle_root(now->leaves, hash);
    sealed = std::move(now);
}

Bytes state_proof(const Rooted& rooted, std::string_view key, const Hasher& hash) {
    const auto entries = rooted.entries();
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
    if (found == entries.end()) {
        return {};
    }
    const auto index = static_cast<size_t>(found - entries.begin());
    std::vector<Hash32> level = leaves_of(entries, nullptr, hash), siblings;
    for (size_t i = index; level.size() > 1; i /= 2) {
        if ((i ^ 1) < level.size()) {
            siblings.push_back(level[i ^ 1]);
        }
        size_t out = 0;
        for (size_t k = 0; k < level.size(); k += 2) {
            level[out++] = k + 1 < level.size() ? hash.pair(level[k], level[k + 1]) : level[k];
        }
        level.resize(out);
    }
    Writer w;
    w.u32(static_cast<uint32_t>(key.size())).bytes({reinterpret_cast<const uint8_t*>(key.data()), key.size()});
    w.u32(static_cast<uint32_t>(found->value.size())).bytes(found->value);
    w.u32(static_cast<uint32_t>(index)).u32(static_cast<uint32_t>(entries.size()));
    w.u32(static_cast<uint32_t>(siblings.size()));
    for (const Hash32& s : siblings) {
        w.bytes(s);
    }
    return w.take();
}

bool verify_state_proof(ByteView proof, const Hash32& root, Entry& out, const Hasher& hash) {
    Reader in(proof);
    const ByteView key = in.take(in.u32());
    const ByteView value = in.take(in.u32());
    uint64_t index = in.u32(), count = in.u32();
    const uint32_t siblings = in.u32();
    if (!in.ok() || index >= count || siblings > 32) {
        return false;
    }
    out = {std::string(key.begin(), key.end()), Bytes(value.begin(), value.end())};
    Hash32 node = state_leaf(out, hash);
    uint32_t used = 0;
    for (; count > 1; index /= 2, count = (count + 1) / 2) {
        if ((index ^ 1) >= count) {
            continue;
        }
        const Hash32 sibling = in.hash();
        node = (index & 1) != 0 ? hash.pair(sibling, node) : hash.pair(node, sibling);
        ++used;
    }
    return in.ok() && in.left() == 0 && used == siblings && node == root;
}

void Ancestry::start(uint64_t height, const Ancestor& first) {
    chunks_.clear();
    base_ = height;
    size_ = 0;
    append(first);
}

void Ancestry::append(const Ancestor& next) {
    const size_t in_chunk = size_ % kAncestryChunk;
    if (in_chunk == 0) {
        chunks_.push_back(std::make_shared<Chunk>());
    } else if (chunks_.back().use_count() > 1) {
        chunks_.back() = std::make_shared<Chunk>(*chunks_.back());
    }
    chunks_.back()->items[in_chunk] = next;
    ++size_;
}

void Ancestry::prune(uint64_t height) {
    size_t drop = 0;
    while (base_ + (drop + 1) * kAncestryChunk <= height && drop + 1 < chunks_.size()) {
        ++drop;
    }
    if (drop > 0) {
        chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(drop));
        base_ += drop * kAncestryChunk;
        size_ -= drop * kAncestryChunk;
    }
}

const Ancestor& Ancestry::at(uint64_t height) const noexcept {
    assert(has(height));
    const uint64_t i = height - base_;
    return chunks_[i / kAncestryChunk]->items[i % kAncestryChunk];
}

void advance(synod_state& state, const Ancestor& block, const uint8_t* signature,
             std::shared_ptr<const Rooted> rooted) {
    if (state.signers != state.rooted->set) {
        state.signers = state.rooted->set;
    }
    if (rooted != state.rooted) {
        state.rooted = std::move(rooted);
    }
    state.ancestry.append(block);
    ++state.height;
    if (state.sets.back().set != state.rooted->set) {
        state.sets.push_back({state.height + 1, state.rooted->set});
        if (state.sets.size() > kKeptSets) {
            state.sets.erase(state.sets.begin());
        }
    }
    state.certified = false;
    std::memcpy(state.head_signature.data(), signature, kSignatureBytes);
    commit_from(state, state.height - 1);
    uint64_t floor = state.committed; // the locked and the committed block stay
    if (state.rooted->max_blocks_without_pow != 0) {
        floor = std::min(floor, state.rooted->final_height);
    }
    if (state.height - floor > kMaxUncommitted + state.rooted->max_blocks_without_pow) {
        floor = state.height - kMaxUncommitted - state.rooted->max_blocks_without_pow;
    }
    if (floor > state.ancestry.base() + kAncestryChunk) {
        state.ancestry.prune(floor);
    }
}

uint64_t committed_under_child(const synod_state& state) { return committed_from(state, state.height); }

void certify_head(synod_state& state) {
    state.certified = true;
    commit_from(state, state.height);
}

} // namespace synod::federation
