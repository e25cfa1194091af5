// SPDX-License-Identifier: Apache-2.0
#include "core/sync/tuning.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/base/q32.hpp"

namespace synod::sync {
namespace {

//! A cost below this is noise: nothing is better or worse.
constexpr double kLeastCost = 0.01;

std::int64_t q32(double ratio) {
    return std::isfinite(ratio) ? static_cast<std::int64_t>(std::clamp(ratio, 0.0, 1.0) * kQ32) : 0;
}

std::int64_t micros(Duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

synod_knob knob(std::uint32_t id, std::int64_t min, std::int64_t max, std::int64_t step,
                std::int64_t max_delta, std::int64_t value) {
    return {id, 0, std::min(min, value), std::max(max, value), step, max_delta, value};
}

double over(double value, double limit) { return limit > 0 && value > limit ? value / limit - 1 : 0; }

}  // namespace

std::optional<TuneLevel> tune_level(std::string_view name) {
    constexpr std::string_view kNames[] = {"disabled", "conservative", "balanced", "aggressive"};
    const auto it = std::find(std::begin(kNames), std::end(kNames), name);
    if (it == std::end(kNames)) {
        return std::nullopt;
    }
    return static_cast<TuneLevel>(it - std::begin(kNames));
}

Tuning::Tuning(const SyncConfig& c, TuneLevel level, TuneTargets targets)
    : level_(level), targets_(targets) {
    const auto window = static_cast<std::int64_t>(c.window_bytes);
    knobs_ = {
        knob(SYNOD_KNOB_BATCH_BLOCKS, 16, c.batch_blocks_max, 16, 128, c.batch_blocks),
        knob(SYNOD_KNOB_REQUESTS_PER_PEER, 1, 16, 1, 2, c.peer_requests_max),
        knob(SYNOD_KNOB_PARALLEL_DOWNLOADS, 1, 64, 1, 4, c.parallel_downloads),
        knob(SYNOD_KNOB_WINDOW_BYTES, 4 << 20, std::max<std::int64_t>(window, 256 << 20), 1 << 20, 16 << 20,
             window),
    };
    for (auto& k : knobs_) {
        if (level_ == TuneLevel::conservative) {
            k.max_delta = std::max(k.step, k.max_delta / 2);
        } else if (level_ == TuneLevel::aggressive) {
            k.max_delta *= 2;
        }
    }
}

Signals Tuning::signals(const Measured& m, bool bulk) const {
    Signals out{};
    out[SYNOD_SIG_THROUGHPUT_BPS] = static_cast<std::int64_t>(m.blocks_per_s);
    out[SYNOD_SIG_LATENCY_P50_US] = micros(m.latency_p50);
    out[SYNOD_SIG_LATENCY_P99_US] = micros(m.latency_p99);
    out[SYNOD_SIG_QUEUE_DEPTH] = m.queue_depth;
    out[SYNOD_SIG_WINDOW_USE] = q32(m.window_use);
    out[SYNOD_SIG_GOODPUT_BPS] = static_cast<std::int64_t>(m.goodput_bps);
    out[SYNOD_SIG_ERROR_RATE] = q32(m.error_rate);
    out[SYNOD_SIG_CPU] = q32(m.cpu);
    out[SYNOD_SIG_MEMORY_BYTES] = static_cast<std::int64_t>(m.memory_bytes);
    out[SYNOD_SIG_TARGET_BPS] = static_cast<std::int64_t>(targets_.blocks_per_s);
    out[SYNOD_SIG_TARGET_LATENCY_US] = bulk ? 0 : micros(targets_.latency);
    out[SYNOD_SIG_MEMORY_LIMIT] = static_cast<std::int64_t>(targets_.memory_bytes);
    return out;
}

double Tuning::cost(const Measured& m, bool bulk) const {
    double out = 0;
    if (targets_.blocks_per_s > 0) {
        out += std::max(0.0, 1 - m.blocks_per_s / targets_.blocks_per_s);
    }
    if (!bulk) {
        out += over(static_cast<double>(m.latency_p99.count()),
                    static_cast<double>(targets_.latency.count()));
    }
    out += over(static_cast<double>(m.memory_bytes), static_cast<double>(targets_.memory_bytes));
    return out + m.error_rate;
}

std::int64_t Tuning::clamped(const synod_knob& k, std::int64_t wanted) const {
    // In this order no sum or difference can overflow: bounds first, then the largest change.
    const auto within = std::clamp(wanted, k.min, k.max);
    const auto low = k.value - k.min > k.max_delta ? k.value - k.max_delta : k.min;
    const auto high = k.max - k.value > k.max_delta ? k.value + k.max_delta : k.max;
    const auto near = std::clamp(within, low, high);
    return k.value + (near - k.value) / k.step * k.step;
}

std::optional<Tune> Tuning::propose(std::span<const std::int64_t> proposed, double cost_now) {
    assert(!before_ && proposed.size() == knobs_.size());
    ++decisions_;
    Before before{{}, cost_now};
    bool changed = false;
    for (std::size_t i = 0; i < knobs_.size(); ++i) {
        auto& k = knobs_[i];
        before.values.push_back(k.value);
        const auto wanted = clamped(k, proposed[i]);
        const auto refused = refused_.find(k.id);
        if (refused != refused_.end() && refused->second.value == wanted &&
            decisions_ < refused->second.until) {
            continue;
        }
        changed = changed || wanted != k.value;
        k.value = wanted;
    }
    if (!changed) {
        return std::nullopt;
    }
    before_ = std::move(before);
    return as_tune();
}

Trial Tuning::judge(double cost_now) {
    assert(before_);
    Trial out;
    out.cost_before = before_->cost;
    out.cost_after = cost_now;
    out.kept = cost_now <= std::max(before_->cost, kLeastCost) * kWorseRatio;
    if (!out.kept) {
        for (std::size_t i = 0; i < knobs_.size(); ++i) {
            auto& k = knobs_[i];
            if (k.value != before_->values[i]) {
                refused_[k.id] = {k.value, decisions_ + kRememberedDecisions};
                k.value = before_->values[i];
            }
        }
        out.back = as_tune();
    }
    before_.reset();
    return out;
}

Tune Tuning::as_tune() const {
    Tune out;
    for (const auto& k : knobs_) {
        const auto value = static_cast<std::uint32_t>(k.value);
        switch (k.id) {
            case SYNOD_KNOB_BATCH_BLOCKS: out.batch_blocks = value; break;
            case SYNOD_KNOB_REQUESTS_PER_PEER: out.peer_requests_max = value; break;
            case SYNOD_KNOB_PARALLEL_DOWNLOADS: out.parallel_downloads = value; break;
            case SYNOD_KNOB_WINDOW_BYTES:
                out.window_bytes = static_cast<std::uint64_t>(k.value);
                break;
            default: break;
        }
    }
    return out;
}

}  // namespace synod::sync
