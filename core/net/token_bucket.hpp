// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A token bucket whose time is injected: one a peer, one an address. Pure; not thread-safe.
//! Costs are in units of bytes: a request costs kRequestBaseCost plus the bytes that it returns.

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/base/time.hpp"

namespace synod::net {

inline constexpr std::uint64_t kRequestBaseCost = 4'096;  //!< cost units of any request

//! The cost of a request that returns (or carries) `bytes`.
constexpr std::uint64_t request_cost(std::uint64_t bytes) {
    return kRequestBaseCost + std::min(bytes, std::numeric_limits<std::uint64_t>::max() / 4);
}

class TokenBucket {
  public:
    //! Full at first. Holds `capacity` units and refills them evenly over `period`.
    //! Precondition: both above zero.
    TokenBucket(std::uint64_t capacity, Duration period, Instant now)
        : capacity_(static_cast<double>(capacity)),
          per_ns_(static_cast<double>(capacity) / static_cast<double>(period.count())),
          level_(capacity_),
          at_(now) {}

    //! Takes `cost` units when they are there; otherwise takes none and is false.
    bool try_take(std::uint64_t cost, Instant now) {
        refill(now);
        if (level_ < static_cast<double>(cost)) {
            return false;
        }
        level_ -= static_cast<double>(cost);
        return true;
    }
    //! Takes `cost` units even into debt of at most one capacity: for a reply whose size is known
    //! only once it is built. Ask `wait` before the next.
    void charge(std::uint64_t cost, Instant now) {
        refill(now);
        level_ = std::max(level_ - static_cast<double>(cost), -capacity_);
    }
    //! How long until `cost` units (at most a full bucket) are there; zero when they are.
    [[nodiscard]] Duration wait(std::uint64_t cost, Instant now) {
        refill(now);
        const double missing = std::min(static_cast<double>(cost), capacity_) - level_;
        return missing <= 0 ? Duration{0} : Duration{static_cast<std::int64_t>(missing / per_ns_) + 1};
    }
    //! Whole units there now; 0 in debt.
    [[nodiscard]] std::uint64_t available(Instant now) {
        refill(now);
        return level_ <= 0 ? 0 : static_cast<std::uint64_t>(level_);
    }

  private:
    void refill(Instant now) {
        if (now > at_) {  // time that steps back gives nothing and costs nothing
            level_ = std::min(capacity_,
                              level_ + per_ns_ * static_cast<double>((now - at_).count()));
            at_ = now;
        }
    }

    double capacity_;
    double per_ns_;
    double level_;
    Instant at_;
};

}  // namespace synod::net
