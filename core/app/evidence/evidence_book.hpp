// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Proven evidence of equivocation, kept over restarts: who contradicted itself, when, and the bytes that show
//! it. A plain value; control thread.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/store/store.hpp"

namespace synod::app {

inline constexpr const char* kEvidenceSpace = "evidence";
//! One piece convicts; some more show that it was no single mishap.
inline constexpr std::size_t kMaxEvidenceOfOne = 4;
//! Pieces in all; later ones are not kept.
inline constexpr std::size_t kMaxEvidence = 256;

struct ProvenEvidence {
    Hash id;  //!< gossip_digest of the bytes
    PublicKey author;
    std::uint32_t purpose = 0;  //!< SYNOD_SIGN_PROPOSE or SYNOD_SIGN_APPROVE
    std::uint64_t slot = 0;
    Hash first, second;  //!< the blocks, the smaller hash first
    std::uint64_t first_height = 0, second_height = 0;
    UnixMs seen_at = 0;  //!< by this node
    Bytes bytes;         //!< the plugin's encoding

    bool operator==(const ProvenEvidence&) const = default;
};

class EvidenceBook {
  public:
    //! The record to be stored; nothing when it is known, or enough is kept.
    std::optional<store::Record> add(ProvenEvidence evidence);
    //! Records of earlier runs. Errors: evidence.corrupt for the first that can't be read; the others are taken.
    Result<void> restore(const std::vector<store::Record>& records);

    [[nodiscard]] bool guilty(const PublicKey& author) const { return by_author_.contains(author); }
    [[nodiscard]] std::size_t count(const PublicKey& author) const;
    //! By author, oldest first.
    [[nodiscard]] std::vector<ProvenEvidence> list() const;
    //! Of each author the first.
    [[nodiscard]] std::vector<Bytes> one_of_each() const;
    [[nodiscard]] std::vector<PublicKey> authors() const;

  private:
    std::map<PublicKey, std::vector<ProvenEvidence>> by_author_;
    std::size_t size_ = 0;
};

}  // namespace synod::app
