// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Whether this node is cut off from a part of its network, since when, and how badly (behaviour.md section 9).
//! Plain values; measurements are passed in, about once a second. Control thread. It dials nobody and stops
//! nothing: that is for whoever reads the severity.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/health/monitor.hpp"

namespace synod::health {

inline constexpr Duration kNoProgress = std::chrono::seconds(60);        //!< without a new block
inline constexpr double kFewPeersLeft = .3;                              //!< of the links that there were
inline constexpr Duration kPeersRemembered = std::chrono::minutes(10);   //!< how long links count that are gone
inline constexpr double kPartedLatencyMs = 10'000;                       //!< mean round trip, above
inline constexpr Duration kPartitionConfirm = std::chrono::seconds(120); //!< from suspected to confirmed

//! How much of the federation is out of reach. What the reached may be decides, not a share of them: with no
//! more than may be Byzantine, nothing that they say needs to be true.
PartitionSeverity severity_of(std::uint32_t seen, std::uint32_t quorum, std::uint32_t authorities, bool authority);

struct PartitionInputs {
    std::uint32_t links = 0;
    std::optional<double> mean_latency_ms;
    std::uint32_t authorities_seen = 0;  //!< within the consensus time-out, this node included
    std::uint32_t authorities = 0, quorum = 1;
    bool authority = false;        //!< this node is one
    std::uint64_t head_height = 0;
    bool blocks_expected = true;   //!< false: the chain stands for a known reason (no proof of work, halted)
    bool conflicting_tips = false; //!< a quorum certified what isn't on our committed chain
};

class PartitionWatch {
  public:
    enum class Change : std::uint8_t { none, suspected, confirmed, over };

    explicit PartitionWatch(Duration confirm = kPartitionConfirm) : confirm_(confirm) {}

    //! What was only suspected ends without a word.
    Change step(const PartitionInputs& in, Instant now);
    //! Of the confirmed one; kNone while none is. It moves as authorities come and go.
    [[nodiscard]] PartitionSeverity severity() const { return severity_; }
    //! Of the one that is suspected or confirmed.
    [[nodiscard]] std::optional<Instant> since() const { return since_; }
    //! What shows it, for people.
    [[nodiscard]] const std::string& signs() const { return signs_; }
    [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }  //!< so many since the start

  private:
    [[nodiscard]] bool looks_parted(const PartitionInputs& in, Instant now);
    void remember_links(std::uint32_t links, Instant now);

    const Duration confirm_;
    PartitionSeverity severity_ = PartitionSeverity::kNone;
    std::optional<Instant> since_, progress_;
    std::uint64_t head_height_ = 0, confirmed_ = 0;
    bool seen_quorum_ = false;
    std::array<std::uint32_t, 2> most_links_{};  //!< in this half of what is remembered, and in the one before
    Instant half_began_{};
    std::string signs_;
};

}  // namespace synod::health
