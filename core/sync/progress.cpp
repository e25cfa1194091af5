// SPDX-License-Identifier: Apache-2.0
#include "core/sync/progress.hpp"

#include <algorithm>
#include <cmath>

namespace synod::sync {
namespace {

constexpr double kAlmost = 99.99;  // what is shown until the machine itself says Synced

double percent(double part, double whole, bool synced) {
    if (synced) {
        return 100.0;
    }
    return whole <= 0 ? 0.0 : std::clamp(100.0 * part / whole, 0.0, kAlmost);
}

}  // namespace

void Progress::begin(Height start, Instant now) {
    start_ = start;
    samples_.clear();
    samples_.push_back({now, start, start});
}

void Progress::record(Height head, std::optional<Height> target, Instant now) {
    if (!samples_.empty() && now - samples_.back().at < kRateSample) {
        return;
    }
    if (!samples_.empty() && head < samples_.back().head) {
        samples_.clear();  // rewound: old speeds say nothing
    }
    samples_.push_back({now, head, target.value_or(0)});
    while (now - samples_.front().at > kRateWindow) {
        samples_.pop_front();
    }
}

double Progress::rate(Instant now) const {
    if (samples_.size() < 2) {
        return 0;
    }
    const double span = to_seconds(std::max(now, samples_.back().at) - samples_.front().at);
    return span <= 0 ? 0
                     : static_cast<double>(samples_.back().head - samples_.front().head) / span;
}

std::optional<Eta> Progress::eta(Height head, std::optional<Height> target, Instant now) const {
    if (!target || samples_.size() <= kEtaSamples) {
        return std::nullopt;
    }
    if (head >= *target) {
        return Eta{0, 0};
    }
    const double n = static_cast<double>(samples_.size() - 1);
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 1; i < samples_.size(); ++i) {
        const double span = std::max(1e-9, to_seconds(samples_[i].at - samples_[i - 1].at));
        const double speed = static_cast<double>(samples_[i].head - samples_[i - 1].head) / span;
        sum += speed;
        squares += speed * speed;
    }
    const double mean = sum / n;
    const double error = std::sqrt(std::max(0.0, squares / n - mean * mean) / n);
    // The target runs away at its own pace; what counts is how fast the gap closes.
    const double window = std::max(1e-9, to_seconds(samples_.back().at - samples_.front().at));
    const auto first = samples_.front().target;
    const double flight = first > 0 && samples_.back().target > first
                              ? static_cast<double>(samples_.back().target - first) / window
                              : 0;
    // A silence since the last sample slows the mean down before it shows in the samples.
    const double closing = std::min(mean, rate(now)) - flight;
    if (closing <= 0 || error > kEtaMaxSpread * closing) {
        return std::nullopt;
    }
    const double left = static_cast<double>(*target - head);
    const Eta out{left / (closing + 2 * error), left / std::max(closing - 2 * error, closing / 4)};
    return out.high_s > kEtaMaxSeconds ? std::nullopt : std::optional<Eta>(out);
}

double Progress::of_run(Height head, std::optional<Height> target, bool synced) const {
    if (!target || *target <= start_) {
        return percent(0, 1, synced);
    }
    return percent(head > start_ ? static_cast<double>(head - start_) : 0,
                   static_cast<double>(*target - start_), synced);
}

double Progress::of_all(Height head, std::optional<Height> target, bool synced) {
    return percent(static_cast<double>(head), static_cast<double>(target.value_or(0)), synced);
}

}  // namespace synod::sync
