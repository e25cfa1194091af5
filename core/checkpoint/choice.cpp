// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/choice.hpp"

#include <algorithm>
#include <tuple>

#include "core/checkpoint/sections.hpp"

namespace synod::checkpoint {

std::string_view name(Level level) {
    switch (level) {
        case Level::kNone:
            return "none";
        case Level::kBasic:
            return "basic";
        case Level::kFull:
            return "full";
    }
    return "unknown";
}

std::optional<Level> level_of(std::string_view text) {
    for (const auto level : {Level::kNone, Level::kBasic, Level::kFull}) {
        if (text == name(level)) {
            return level;
        }
    }
    return std::nullopt;
}

void sort_newest_first(std::vector<Entry>& entries) {
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
        const auto key = [](const Entry& e) {
            return std::tie(e.metadata.block.height, e.metadata.created, e.metadata.id, e.file);
        };
        return key(a) > key(b);
    });
}

std::vector<std::string> surplus(std::vector<Entry> entries, std::size_t keep) {
    keep = std::max<std::size_t>(keep, 1);
    sort_newest_first(entries);
    const auto newest_verified = std::ranges::find(entries, Standing::kVerified, &Entry::standing);
    std::vector<std::string> out;
    std::size_t usable = 0, damaged = 0;
    for (auto it = entries.begin(); it != entries.end(); ++it) {
        auto& kept = it->standing == Standing::kDamaged ? damaged : usable;
        const auto limit = it->standing == Standing::kDamaged ? kKeptDamaged : keep;
        if (kept < limit) {
            ++kept;
        } else if (it != newest_verified) {
            out.push_back(it->file);
        }
    }
    return out;
}

std::vector<Candidate> recovery_order(std::vector<Entry> entries, const RecoveryLimits& limits) {
    sort_newest_first(entries);
    const auto reason = [&](const Entry& e) -> std::string {
        const auto& m = e.metadata;
        if (limits.named && m.id != *limits.named) {
            return "checkpoint.not_named: another one was asked for";
        }
        if (e.standing == Standing::kDamaged) {
            return "checkpoint.damaged: " + e.why;
        }
        if (m.format > kFormatRevision) {
            return "checkpoint.newer: format revision " + std::to_string(m.format);
        }
        if (m.genesis != limits.genesis) {
            return "checkpoint.other_chain: its genesis is " + to_hex(m.genesis.view());
        }
        if (limits.max_height && m.block.height > *limits.max_height) {
            return "checkpoint.too_high: height " + std::to_string(m.block.height) + " is above " +
                   std::to_string(*limits.max_height);
        }
        if (limits.max_age_ms && !limits.named && limits.now > m.created &&
            limits.now - m.created > *limits.max_age_ms) {
            return "checkpoint.stale: made " + std::to_string((limits.now - m.created) / 1'000) +
                   " s ago, older than " + std::to_string(*limits.max_age_ms / 1'000) + " s";
        }
        return {};
    };
    std::vector<Candidate> out;
    for (auto& entry : entries) {
        auto why = reason(entry);
        out.push_back({std::move(entry), std::move(why)});
    }
    return out;
}

}  // namespace synod::checkpoint
