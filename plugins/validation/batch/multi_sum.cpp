// SPDX-License-Identifier: Apache-2.0
#include "multi_sum.hpp"

#include <algorithm>
#include <limits>

namespace synod::batch {
namespace {

constexpr unsigned kBits = 128;  // of a signed factor, so that magnitudes reach 2^127
constexpr unsigned kMinWidth = 4;
constexpr unsigned kMaxWidth = 12;
//! Field products of an addition to a bucket, and of a bucket's share in the sum of its window.
constexpr std::uint64_t kPerEntry = 7;
constexpr std::uint64_t kPerBucket = 18;

}  // namespace

Point MultiSum::of(const std::vector<Term>& terms, const Niels* points) {
    return terms.size() < kernel_.straus_below ? straus_sum(terms, points)
                                               : by_buckets(terms, points, best_width(terms.size()));
}

unsigned MultiSum::best_width(std::size_t terms) const noexcept {
    const std::uint64_t lanes = kernel_.lanes;
    unsigned best = kMinWidth;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (unsigned width = kMinWidth; width <= kMaxWidth; ++width) {
        const std::uint64_t windows = (kBits + width - 1) / width;
        const std::uint64_t buckets = std::uint64_t{1} << (width - 1);
        const std::uint64_t cost =
            windows * terms / lanes * kPerEntry + (windows + lanes - 1) / lanes * buckets * kPerBucket;
        if (cost < least) {
            least = cost;
            best = width;
        }
    }
    return best;
}

//! Digits from -2^(width - 1) + 1 to 2^(width - 1): a magnitude up to 2^127 leaves no carry out of the top.
void MultiSum::recode(const std::vector<Term>& terms, unsigned width) {
    const std::size_t n = terms.size();
    const int half = 1 << (width - 1);
    for (std::size_t i = 0; i < n; ++i) {
        Uint128 m = magnitude(terms[i].k);
        const bool negative = terms[i].k < 0;
        int carry = 0;
        for (std::size_t w = 0; w < windows_; ++w, m >>= width) {
            int digit = static_cast<int>(m & static_cast<unsigned>(2 * half - 1)) + carry;
            carry = digit > half ? 1 : 0;
            digit -= carry * 2 * half;
            digits_[w * n + i] = static_cast<std::int16_t>(negative ? -digit : digit);
            if (digit != 0) {
                ++counts_[w * each_ + static_cast<std::size_t>(digit < 0 ? -digit : digit) - 1];
            }
        }
    }
}

//! Sorts the entries by bucket and the lists by their length, so that lanes that run together end together.
void MultiSum::make_lists(const std::vector<Term>& terms) {
    const std::size_t n = terms.size();
    by_count_.assign(n + 2, 0);
    std::size_t lists = 0;
    for (const std::uint32_t count : counts_) {
        ++by_count_[n - count];
        lists += count != 0 ? 1 : 0;
    }
    std::uint32_t at = 0;
    for (std::size_t i = 0; i <= n; ++i) {
        const std::uint32_t here = by_count_[i];
        by_count_[i] = at;
        at += here;
    }
    lists_.resize(lists);
    buckets_.resize(counts_.size());
    std::uint32_t first = 0;
    for (std::size_t b = 0; b < counts_.size(); ++b) {
        const std::uint32_t count = counts_[b];
        if (count == 0) {
            buckets_[b] = kIdentity;
            continue;
        }
        lists_[by_count_[n - count]++] = {first, count, static_cast<std::uint32_t>(b)};
        counts_[b] = first;
        first += count;
    }
    entries_.resize(first);
    for (std::size_t w = 0; w < windows_; ++w) {
        for (std::size_t i = 0; i < n; ++i) {
            const int digit = digits_[w * n + i];
            if (digit != 0) {
                const std::size_t bucket = w * each_ + static_cast<std::size_t>(digit < 0 ? -digit : digit) - 1;
                entries_[counts_[bucket]++] = 2 * terms[i].point + (digit < 0 ? 1u : 0u);
            }
        }
    }
}

Point MultiSum::by_buckets(const std::vector<Term>& terms, const Niels* points, unsigned width) {
    windows_ = (kBits + width - 1) / width;
    each_ = std::size_t{1} << (width - 1);
    digits_.resize(windows_ * terms.size());
    counts_.assign(windows_ * each_, 0);
    recode(terms, width);
    make_lists(terms);
    kernel_.accumulate(points, entries_.data(), lists_.data(), lists_.size(), buckets_.data());
    sums_.resize(windows_);
    kernel_.reduce(buckets_.data(), windows_, each_, sums_.data());
    return horner(sums_.data(), static_cast<unsigned>(windows_), width);
}

}  // namespace synod::batch
