// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Sums of many points, each times a signed number of 128 bits. Few terms go to Straus' method; many to Pippenger's,
//! whose buckets a kernel fills. An instance holds memory for the next sum; one thread at a time.

#include "kernels.hpp"
#include "points.hpp"

#include <vector>

namespace synod::batch {

class MultiSum {
public:
    explicit MultiSum(const Kernel& kernel) : kernel_(kernel) {}

    //! The sum of k * points[point] over the terms. Up to 2^31 points. Throws std::bad_alloc.
    [[nodiscard]] Point of(const std::vector<Term>& terms, const Niels* points);

    //! Pippenger's method whatever the number of terms, with digits of `width` bits (2 to 12).
    [[nodiscard]] Point by_buckets(const std::vector<Term>& terms, const Niels* points, unsigned width);

private:
    [[nodiscard]] unsigned best_width(std::size_t terms) const noexcept;
    void recode(const std::vector<Term>& terms, unsigned width);
    void make_lists(const std::vector<Term>& terms);

    const Kernel& kernel_;
    std::size_t windows_ = 0;
    std::size_t each_ = 0;                // buckets of a window
    std::vector<std::int16_t> digits_;    // [window][term]
    std::vector<std::uint32_t> counts_;   // of each bucket, then where its entries go
    std::vector<std::uint32_t> entries_;  // as Kernel::accumulate takes them
    std::vector<std::uint32_t> by_count_;
    std::vector<List> lists_;
    std::vector<Point> buckets_;
    std::vector<Point> sums_;
};

}  // namespace synod::batch
