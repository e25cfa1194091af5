// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One checkpoint as values, to records and back. The way back takes bytes from a file that anybody
//! may have written: every size is bounded, every refusal is typed, and nothing counts before the
//! content root matches. Pure; any thread.

#include <functional>
#include <set>
#include <string>

#include "core/base/time.hpp"
#include "core/checkpoint/content_root.hpp"

namespace synod::checkpoint {

using Id = FixedBytes<16, struct CheckpointIdTag>;

//! Why it was made.
enum class Kind : std::uint8_t { kInterval, kOnDemand, kEmergency, kUpgrade };
std::string_view name(Kind kind);
std::optional<Kind> kind_of(std::string_view text);

struct BlockRef {
    std::uint64_t height = 0;
    Hash hash;
    auto operator<=>(const BlockRef&) const = default;
};

struct Metadata {
    std::uint32_t format = 1;
    Id id;
    Hash genesis;
    BlockRef block;  //!< the block after which the state stands
    std::optional<Id> parent;
    UnixMs created = 0;
    std::string version;
    Kind kind = Kind::kInterval;
    bool operator==(const Metadata&) const = default;
};

struct ChainPart {
    BlockRef committed;  //!< at or above the metadata's block
    BlockRef final_;
    Bytes header;      //!< header form of the block, as the consensus plugin encodes it
    Bytes head_proof;  //!< empty: not known
    Hash state_root;
    Bytes state;  //!< as the consensus plugin saves it
    bool operator==(const ChainPart&) const = default;
};

struct Contents {
    Metadata metadata;
    ChainPart chain;
    bool operator==(const Contents&) const = default;
};

//! BLAKE2b-128("synod checkpoint id/1" | genesis | height u64 LE | hash | created u64 LE | parent
//! or nothing | kind): the same facts give the same id.
Id make_id(const Metadata& metadata);

using Put = std::function<Result<void>(std::uint32_t section, ByteView key, ByteView value)>;

//! Hands every record to `put` in order, the seal last, and gives the content root. Stops at the
//! first error of `put`. Errors: those of ContentRoot::add.
Result<Hash> write_records(const Contents& contents, const Put& put);

//! Takes records as they were written and gives the contents.
class Assembler {
  public:
    //! Errors: those of ContentRoot::add, checkpoint.malformed (a field of a wrong size).
    Result<void> put(std::uint32_t section, ByteView key, ByteView value);
    struct Finished {
        Contents contents;
        Hash root;
    };
    //! Everything, its root equal to the sealed one. Errors: checkpoint.missing_field,
    //! checkpoint.malformed, checkpoint.newer, checkpoint.root_mismatch, checkpoint.unsealed.
    Result<Finished> finish();

  private:
    Result<void> complete() const;
    Result<void> metadata(std::string_view key, ByteView value);
    Result<void> chain(std::string_view key, ByteView value);

    ContentRoot root_;
    std::optional<Hash> sealed_;
    Contents out_;
    std::uint32_t chunks_ = 0;
    std::uint64_t state_size_ = 0;
    std::uint32_t seal_records_ = 0;
    std::set<std::string, std::less<>> seen_;  //!< known keys that came
};

}  // namespace synod::checkpoint
