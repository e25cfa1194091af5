// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The consensus state: what the header's state root covers (Rooted), and what else the rules need of the recent past
//! (Ancestry, head, committed block). Copying a state is cheap: the parts are shared and immutable. Used on the
//! consensus worker; const access from any thread. It never verifies signatures and keeps no clock.
#include <algorithm>
#include <memory>
#include <optional>

#include "plugins/consensus/federation/auxpow/bundle.hpp"
#include "plugins/consensus/federation/format.hpp"

namespace synod::federation {

inline constexpr uint32_t kDefaultMaxBlocksWithoutPow = 10000; // blocks
inline constexpr uint32_t kMaxBlocksWithoutPowLimit = 1u << 20; // blocks: bounds the ancestry that a state keeps
inline constexpr size_t kAncestryChunk = 128;                  // blocks in one shared piece of the ancestry
inline constexpr uint64_t kMaxUncommitted = 65536;             // blocks kept above the last final or committed one
inline constexpr uint32_t kStateFormat = 2;
inline constexpr size_t kKeptSets = 16; // sets of authorities that a state remembers, the one in force included
inline constexpr size_t kMaxNameBytes = 64;

using Key = std::array<uint8_t, kKeyBytes>;

/// The authorities in force. Keys were checked (canonical, prime order) when they entered.
struct AuthoritySet {
    std::vector<Key> keys;
    uint32_t number = 0; ///< changes of the set so far
    uint32_t quorum = 0; ///< signatures of a certificate: max(floor(2n/3)+1, the configured threshold)

    std::optional<uint32_t> index_of(const Key& key) const {
        const auto at = std::find(keys.begin(), keys.end(), key);
        return at == keys.end() ? std::nullopt : std::optional(static_cast<uint32_t>(at - keys.begin()));
    }
};

/// A set of authorities and the first height that it authors and certifies.
struct SetSpan {
    uint64_t from = 0;
    std::shared_ptr<const AuthoritySet> set;
};

enum class EventKind : uint8_t {
    kAddAuthority = 1,
    kRemoveAuthority = 2,
    kRotateKey = 3,
    kThreshold = 4,
    kParameter = 5,
    kHalt = 6,
    kResume = 7,
};
enum class Parameter : uint8_t { kSlotMs = 1, kMaxBlocksWithoutPow = 2, kMaxBlockBytes = 3 };

/// What a governance event will do from its effective height on: what of it a state has to keep until then.
struct Change {
    EventKind kind = EventKind::kHalt;
    uint64_t sequence = 0, effective = 0;
    Key key{}, replacement{};                 ///< kinds 1 to 3
    Parameter parameter = Parameter::kSlotMs; ///< kind 5
    uint64_t value = 0;                       ///< kinds 4 and 5
};

struct Entry {
    std::string key;
    Bytes value;
};

/// What a state root was made of: the next one differs in few entries.
struct Sealed {
    std::vector<Entry> entries; ///< sorted by key
    std::vector<Hash32> leaves; ///< one an entry
};

/// Everything under the state root. Immutable once made by seal().
struct Rooted {
    std::shared_ptr<const AuthoritySet> set;
    std::string name;
    uint32_t chain_id = 0, threshold = 0, pow_limit_bits = 0;
    uint64_t slot_ms = 0, max_blocks_without_pow = 0; ///< 0: no merged mining
    /// Slot `slot_base` began at `slot_base_ms`; both move when slot_ms does, so that slots go on rising.
    uint64_t slot_base = 0, slot_base_ms = 0;
    uint64_t max_block_bytes = 0; ///< 0: what the format bears
    uint64_t final_height = 0;
    Hash32 final_hash{};       ///< zeros: genesis, which can't contain its own hash
    uint64_t record_count = 0; ///< finality records so far
    uint64_t record_time_s = 0, record_previous_s = 0;
    uint32_t record_bits = 0;  ///< of the last record; before the first, those that it must have
    uint64_t governance_sequence = 0;
    Hash32 governance_hash{};
    bool halted = false;
    std::vector<Change> pending; ///< carried and not in force yet, by sequence
    Hash32 root{};
    std::shared_ptr<const Sealed> sealed; ///< beside root

    /// Unix milliseconds when the slot began.
    uint64_t time_of(uint64_t slot) const { return slot_base_ms + (slot - slot_base) * slot_ms; }
    /// Sorted by key.
    std::vector<Entry> entries() const;
    /// Makes the root. A copy of a sealed state hashes only the leaves of entries that changed since.
    void seal(const Hasher& hash);
};

/// Hash of one entry: the leaf of the state's tree.
Hash32 state_leaf(const Entry& entry, const Hasher& hash);
/// {u32 key, u32 value lengths with bytes, u32 index, u32 count, u32 n, n siblings}; empty when there is no such key.
Bytes state_proof(const Rooted& rooted, std::string_view key, const Hasher& hash);
/// What state_proof() wrote leads to `root`; fills the entry.
bool verify_state_proof(ByteView proof, const Hash32& root, Entry& out, const Hasher& hash);

struct Ancestor {
    Hash32 hash{};
    uint64_t slot = 0;
};

/// The newest blocks of a branch, oldest first, without gap. Pieces are shared between states; a state that appends to
/// a shared piece copies that piece first.
class Ancestry {
public:
    void start(uint64_t height, const Ancestor& first);
    void append(const Ancestor& next);
    /// Forgets whole pieces below `height`.
    void prune(uint64_t height);
    bool has(uint64_t height) const noexcept { return height >= base_ && height < base_ + size_; }
    const Ancestor& at(uint64_t height) const noexcept;
    uint64_t base() const noexcept { return base_; }
    uint64_t size() const noexcept { return size_; }

private:
    struct Chunk {
        std::array<Ancestor, kAncestryChunk> items;
    };
    std::vector<std::shared_ptr<Chunk>> chunks_;
    uint64_t base_ = 0, size_ = 0;
};

} // namespace synod::federation

/// The handle of the ABI.
struct synod_state {
    std::shared_ptr<const synod::federation::Rooted> rooted;
    /// The set that authored and certifies the head; the next block's is rooted->set.
    std::shared_ptr<const synod::federation::AuthoritySet> signers;
    /// The sets in force at recent heights, by rising height; the last is rooted->set.
    std::vector<synod::federation::SetSpan> sets;
    synod::federation::Ancestry ancestry; ///< ends with the head
    uint64_t height = 0;
    std::array<uint8_t, synod::federation::kSignatureBytes> head_signature{};
    bool certified = false; ///< a certificate of the head is known
    uint64_t committed = 0; ///< height
    synod::federation::Hash32 committed_hash{};

    const synod::federation::Ancestor& head() const noexcept { return ancestry.at(height); }
};

namespace synod::federation {

/// Moves `state` onto a block whose rules hold: its parent becomes certified, commits follow.
void advance(synod_state& state, const Ancestor& block, const uint8_t* signature,
             std::shared_ptr<const Rooted> rooted);
/// The committed height once the head counts as certified, as it does for every block built upon it.
uint64_t committed_under_child(const synod_state& state);
/// The head's certificate is known: commits follow (three certified blocks, consecutive slots).
void certify_head(synod_state& state);

/// The canonical bytes; load_state() of them gives an equal state. Strict: nothing else is accepted.
Bytes save_state(const synod_state& state, const Hash32& genesis);
Outcome<std::unique_ptr<synod_state>> load_state(ByteView bytes, const Hash32& genesis, const Hasher& hash);

/// Quorum of n authorities with a configured threshold (raise only).
constexpr uint32_t quorum_of(uint32_t n, uint32_t threshold) {
    const uint32_t least = 2 * n / 3 + 1;
    return threshold > least ? threshold : least;
}
/// A canonical point of the prime-order subgroup, by libsodium.
bool valid_key(const uint8_t* key);

} // namespace synod::federation
