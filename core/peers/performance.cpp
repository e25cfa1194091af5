// SPDX-License-Identifier: Apache-2.0
#include "core/peers/performance.hpp"

#include <synod/scoring.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/q32.hpp"

namespace synod::peers {

namespace {

void smooth(std::optional<double>& value, double sample) {
    value = value ? *value + kEmaAlpha * (sample - *value) : sample;
}

std::int64_t q32(double ratio) {
    return std::isnan(ratio) ? 0
                             : static_cast<std::int64_t>(std::llround(std::clamp(ratio, 0.0, 1.0) * kQ32));
}

std::int64_t whole(double value) {
    // Below 2^63 a double converts exactly enough; what is above says no more than "very large".
    return value > 0 ? static_cast<std::int64_t>(std::min(value, 9.0e18)) : 0;
}

std::int64_t count(std::uint64_t value) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

std::optional<std::int64_t> value_of(std::uint32_t column, const PeerMetrics& m) {
    switch (column) {
        case SYNOD_COL_LATENCY_US: return std::max<std::int64_t>(-1, m.latency_us);
        case SYNOD_COL_RELIABILITY: return q32(m.reliability);
        case SYNOD_COL_GOODPUT_BPS: return whole(m.goodput_bps);
        case SYNOD_COL_IS_AUTHORITY: return m.is_authority ? 1 : 0;
        case SYNOD_COL_HISTORY: return q32(m.history);
        case SYNOD_COL_REPUTATION: return q32(m.reputation);
        case SYNOD_COL_PARTICIPATION: return q32(m.participation);
        case SYNOD_COL_MISSED_SLOTS: return count(m.missed_slots);
        case SYNOD_COL_EQUIVOCATIONS: return count(m.equivocations);
        case SYNOD_COL_IN_FLIGHT_BYTES: return count(m.in_flight_bytes);
        case SYNOD_COL_CONNECTED_S: return count(m.connected_s);
        default: return std::nullopt;
    }
}

}  // namespace

void Performance::round_trip(Duration rtt) {
    if (rtt >= Duration::zero()) {
        smooth(latency_us_, static_cast<double>(rtt.count()) / 1e3);
    }
}

void Performance::answered(std::uint64_t bytes, Duration took) {
    // A reply on the same machine may take no measurable time; a microsecond bounds the quotient.
    const auto seconds = static_cast<double>(std::max<std::int64_t>(1'000, took.count())) / 1e9;
    smooth(goodput_, static_cast<double>(bytes) / seconds);
    reliability_ += kEmaAlpha * (1 - reliability_);
    ++good_;
}

void Performance::failed() {
    reliability_ -= kEmaAlpha * reliability_;
    ++bad_;
}

std::optional<Duration> Performance::latency() const {
    if (!latency_us_) {
        return std::nullopt;
    }
    return Duration(static_cast<std::int64_t>(*latency_us_ * 1e3));
}

double Performance::history() const {
    return (static_cast<double>(good_) + 1) / (static_cast<double>(good_ + bad_) + 2);
}

void Performance::describe(PeerMetrics& out) const {
    out.latency_us = latency_us_ ? std::llround(*latency_us_) : -1;
    out.reliability = reliability_;
    out.goodput_bps = goodput_bps();
    out.history = history();
}

Result<void> ScoringColumns::fill(std::span<const std::uint32_t> ids,
                                  std::span<const PeerMetrics> rows) {
    columns_.clear();
    rows_ = padded_ = 0;
    if (ids.size() > kMaxScoringColumns) {
        return fail("peers.too_many_columns", std::to_string(ids.size()) + " columns; at most " +
                                                  std::to_string(kMaxScoringColumns));
    }
    if (rows.size() > kMaxScoringRows) {
        return fail("peers.too_many_rows", std::to_string(rows.size()) + " peers; at most " +
                                               std::to_string(kMaxScoringRows));
    }
    for (const auto id : ids) {
        if (!value_of(id, PeerMetrics{})) {
            return fail("peers.unknown_column", "no scoring column " + std::to_string(id), {},
                        "the plugin was built for a newer host");
        }
    }
    const auto padded = (rows.size() + kRowPadding - 1) / kRowPadding * kRowPadding;
    if (const auto need = padded * ids.size(); need > capacity_) {
        values_.reset(new (std::align_val_t{kColumnAlignment}) std::int64_t[need]);
        capacity_ = need;
    }
    std::fill_n(values_.get(), padded * ids.size(), 0);
    for (std::size_t c = 0; c < ids.size(); ++c) {
        auto* column = values_.get() + c * padded;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            column[r] = *value_of(ids[c], rows[r]);
        }
        columns_.push_back(column);
    }
    rows_ = rows.size();
    padded_ = padded;
    return {};
}

}  // namespace synod::peers
