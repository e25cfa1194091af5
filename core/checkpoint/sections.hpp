// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a checkpoint is made of: numbered sections of records, and the largest sizes. The numbers
//! and keys are written into files that outlive this code: they are never reused for something
//! else. Constants only; pure.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace synod::checkpoint {

//! Raised when a record changes its meaning; a reader refuses what is newer (checkpoint.newer).
inline constexpr std::uint32_t kFormatRevision = 1;

//! Records are sorted by section, then by key (as bytes). Unknown sections and keys of a known
//! format revision are covered by the content root and otherwise ignored, so that a section can
//! grow.
enum class Section : std::uint32_t {
    kMetadata = 1,
    kChain = 2,
    kSync = 3,
    kPeers = 4,
    kFederation = 5,
    kGovernance = 6,
    kMetrics = 7,
    //! The content root and, later, signatures of it: not under the root, and last in the file.
    kSeal = 255,
};

//! Keys of `metadata`; integers are little-endian.
namespace key {
inline constexpr std::string_view kBlockHash = "block_hash";  //!< 32 bytes
inline constexpr std::string_view kCreated = "created";       //!< u64, unix ms
inline constexpr std::string_view kFormat = "format";         //!< u32, kFormatRevision
inline constexpr std::string_view kGenesis = "genesis";       //!< 32 bytes: the chain
inline constexpr std::string_view kHeight = "height";         //!< u64
inline constexpr std::string_view kId = "id";                 //!< 16 bytes
inline constexpr std::string_view kKind = "kind";             //!< text, see Kind
inline constexpr std::string_view kParent = "parent";         //!< 16 bytes; absent: the first one
inline constexpr std::string_view kVersion = "version";       //!< text: the program that wrote it
//! Keys of `chain`.
inline constexpr std::string_view kCommitted = "committed";   //!< u64 height, 32 bytes hash
inline constexpr std::string_view kFinal = "final";           //!< u64 height, 32 bytes hash
inline constexpr std::string_view kHeader = "header";         //!< header form of the block
inline constexpr std::string_view kHeadProof = "head_proof";  //!< see prove_head; absent: not known
inline constexpr std::string_view kState = "state/";          //!< + u32 big-endian number: a chunk
inline constexpr std::string_view kStateRoot = "state_root";  //!< 32 bytes
inline constexpr std::string_view kStateSize = "state_size";  //!< u64, bytes of all chunks
//! Key of `seal`.
inline constexpr std::string_view kRoot = "root";  //!< 32 bytes: the content root
}  // namespace key

inline constexpr std::size_t kMaxKeyBytes = 256;           //!< as SYNOD_CHECKPOINT_KEY_MAX
inline constexpr std::size_t kMaxValueBytes = 16u << 20;   //!< as SYNOD_CHECKPOINT_VALUE_MAX
inline constexpr std::size_t kStateChunkBytes = 1u << 20;  //!< all but the last chunk have it
inline constexpr std::uint64_t kMaxContentBytes = 256u
                                                  << 20;  //!< keys and values of one checkpoint
inline constexpr std::uint64_t kMaxRecords = 1u << 20;
inline constexpr std::uint32_t kMaxSealRecords = 1'024;
inline constexpr std::size_t kMaxHeaderBytes = 64u << 10;
inline constexpr std::size_t kMaxTextBytes = 128;

}  // namespace synod::checkpoint
