// SPDX-License-Identifier: Apache-2.0
#include "core/health/partition.hpp"

#include <algorithm>

namespace synod::health {

PartitionSeverity severity_of(std::uint32_t seen, std::uint32_t quorum, std::uint32_t authorities, bool authority) {
    const auto borne = authorities == 0 ? 0 : (authorities - 1) / 3;
    if (seen >= quorum) {
        return PartitionSeverity::kMinor;
    }
    if (seen > borne) {
        return PartitionSeverity::kModerate;
    }
    return seen > (authority ? 1U : 0U) ? PartitionSeverity::kSevere : PartitionSeverity::kCritical;
}

void PartitionWatch::remember_links(std::uint32_t links, Instant now) {
    // While it looks parted nothing is forgotten: the links that are missed are those from before.
    if (!since_ && now - half_began_ >= kPeersRemembered / 2) {
        most_links_ = {0, most_links_[0]};
        half_began_ = now;
    }
    most_links_[0] = std::max(most_links_[0], links);
}

bool PartitionWatch::looks_parted(const PartitionInputs& in, Instant now) {
    signs_.clear();
    const auto sign = [&](bool is, const std::string& what) {
        if (is) {
            signs_ += (signs_.empty() ? "" : ", ") + what;
        }
        return is ? 1 : 0;
    };
    if (!progress_ || in.head_height != head_height_ || !in.blocks_expected) {
        head_height_ = in.head_height;
        progress_ = now;
    }
    remember_links(in.links, now);
    const auto links_before = std::max(most_links_[0], most_links_[1]);
    // Who starts has lost no quorum yet, and who never links to the authorities never has one.
    const bool quorum = in.authorities_seen >= in.quorum;
    seen_quorum_ = seen_quorum_ || quorum;

    const int weak = sign(now - *progress_ >= kNoProgress, "no new block") +
                     sign(in.links < kFewPeersLeft * links_before,
                          std::to_string(in.links) + " of " + std::to_string(links_before) + " links are left") +
                     sign(in.mean_latency_ms.value_or(0) > kPartedLatencyMs, "round trips above 10 s");
    const int strong = sign(seen_quorum_ && !quorum, std::to_string(in.authorities_seen) + " of " +
                                                         std::to_string(in.authorities) + " authorities are reachable") +
                       sign(in.conflicting_tips, "tips that exclude each other");
    return weak >= 2 || strong > 0;
}

PartitionWatch::Change PartitionWatch::step(const PartitionInputs& in, Instant now) {
    if (!looks_parted(in, now)) {
        since_.reset();
        signs_.clear();
        const bool was = severity_ != PartitionSeverity::kNone;
        severity_ = PartitionSeverity::kNone;
        return was ? Change::over : Change::none;
    }
    const bool fresh = !since_;
    since_ = since_.value_or(now);
    if (severity_ == PartitionSeverity::kNone && now - *since_ < confirm_) {
        return fresh ? Change::suspected : Change::none;
    }
    const bool known = severity_ != PartitionSeverity::kNone;
    severity_ = severity_of(in.authorities_seen, in.quorum, in.authorities, in.authority);
    confirmed_ += known ? 0 : 1;
    return known ? Change::none : Change::confirmed;
}

}  // namespace synod::health
