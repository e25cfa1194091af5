// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The performance ledger (behaviour.md section 5): what a peer's replies measured, smoothed, and
//! the columns that scoring plugins read (<synod/scoring.h>). It chooses and orders peers and never
//! punishes. Plain values on the control thread; time is passed in.

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::peers {

inline constexpr double kEmaAlpha = .1;         // weight of the newest sample
inline constexpr double kUnknownRatio = .5;     // of a peer that has answered nothing yet
inline constexpr std::size_t kRowPadding = 16;  // rows; as scoring.h promises
inline constexpr std::size_t kColumnAlignment = 64;     // bytes; as scoring.h promises
inline constexpr std::size_t kMaxScoringRows = 4'096;   // peers in one call
inline constexpr std::size_t kMaxScoringColumns = 64;   // columns in one call

//! One row of scoring input. Ratios are 0..1; what lies outside is clamped on the way out.
struct PeerMetrics {
    std::int64_t latency_us = -1;  //!< -1: unknown
    double reliability = kUnknownRatio;
    double goodput_bps = 0;  //!< bytes a second
    bool is_authority = false;
    double history = kUnknownRatio;
    double reputation = 1;  //!< 1 - misbehaviour / 100
    double participation = 0;
    std::uint64_t missed_slots = 0;
    std::uint64_t equivocations = 0;
    std::uint64_t in_flight_bytes = 0;
    std::uint64_t connected_s = 0;
};

//! What one peer's replies showed. Copyable; one a peer.
class Performance {
  public:
    //! A round trip without payload to speak of (ping, status). Negative durations are ignored.
    void round_trip(Duration rtt);
    //! A useful reply of `bytes` that took `took` from request to last byte.
    void answered(std::uint64_t bytes, Duration took);
    //! A request that ended in nothing useful: time-out, refusal, wrong content.
    void failed();

    [[nodiscard]] std::optional<Duration> latency() const;
    [[nodiscard]] double goodput_bps() const { return goodput_.value_or(0); }
    //! Moving: starts at kUnknownRatio, so that one lucky reply doesn't beat a long record.
    [[nodiscard]] double reliability() const { return reliability_; }
    //! Since first met, by Laplace's rule of succession: (good + 1) / (all + 2).
    [[nodiscard]] double history() const;
    //! Whether any reply was judged yet.
    [[nodiscard]] bool measured() const { return good_ + bad_ > 0; }
    //! Fills latency, reliability, goodput and history; the rest isn't known here.
    void describe(PeerMetrics& out) const;

  private:
    std::optional<double> latency_us_, goodput_;
    double reliability_ = kUnknownRatio;
    std::uint64_t good_ = 0, bad_ = 0;
};

//! Struct of arrays for synod_scoring_api::score. Keeps its memory between fills. The pointers are
//! valid until the next fill or the end of this object.
class ScoringColumns {
  public:
    //! One column an id of `ids` (SYNOD_COL_*), one row a peer, padded with zeros to kRowPadding.
    //! Errors: peers.unknown_column, peers.too_many_columns, peers.too_many_rows. After an error
    //! the columns are empty.
    Result<void> fill(std::span<const std::uint32_t> ids, std::span<const PeerMetrics> rows);
    [[nodiscard]] const std::int64_t* const* columns() const { return columns_.data(); }
    [[nodiscard]] std::size_t n_columns() const { return columns_.size(); }
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] std::size_t padded_rows() const { return padded_; }

  private:
    struct Free {
        void operator()(std::int64_t* p) const {
            ::operator delete[](p, std::align_val_t{kColumnAlignment});
        }
    };
    std::unique_ptr<std::int64_t[], Free> values_;
    std::vector<const std::int64_t*> columns_;
    std::size_t capacity_ = 0, rows_ = 0, padded_ = 0;
};

}  // namespace synod::peers
