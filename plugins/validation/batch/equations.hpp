// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Signature checks proven together: [8] of the weighted sum of all (R + hA - sB) is the neutral element, the terms of
//! one key merged. When it isn't, halves of the batch are summed until every culprit stands alone.

#include "hashes.hpp"
#include "multi_sum.hpp"
#include "signers.hpp"
#include "transcript.hpp"

#include <synod/validation.h>

#include <array>
#include <unordered_map>
#include <vector>

namespace synod::batch {

//! What one call of `check` took, in sums and in the terms of all of them.
struct Work {
    std::uint64_t sums = 0;
    std::uint64_t terms = 0;
};

//! One thread at a time; `signers` and `base` are shared and outlive it.
class Equations {
public:
    Equations(const Kernel& kernel, Signers& signers, const FixedPoint& base)
        : kernel_(kernel), signers_(signers), base_(base), hashes_(kernel), sum_(kernel) {}

    //! Writes the verdicts of checks [first, last), at most 2^24 of them, as one batch or, when they are too few to be
    //! worth one, each by itself. Among n checks one bad one costs log2(n) + kAloneUpTo sums and n terms more;
    //! whatever is bad, 2n sums and n/2 * log2(n) terms more, fixed points aside. Throws std::bad_alloc.
    Work check(const synod_signature_checks& checks, std::uint64_t first, std::uint64_t last);

private:
    using Key = std::array<std::uint8_t, 32>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    //! A check that passed the tests which need no equation.
    struct Live {
        std::uint64_t check;
        std::uint32_t slot;  // of its key
        Scalar h, s;
    };

    void screen(const synod_signature_checks& checks, std::uint64_t first, std::uint64_t last);
    void decode(const synod_signature_checks& checks);
    void hash(const synod_signature_checks& checks);
    [[nodiscard]] std::uint32_t slot_of(const std::uint8_t* key);
    void add_halves(std::uint32_t slot, const Scalar& k);
    void add_quarters(std::uint32_t slot, const Scalar& k);
    [[nodiscard]] Point sum_of(std::size_t first, std::size_t last);
    void judge_alone(const synod_signature_checks& checks, std::size_t which);
    void judge(const synod_signature_checks& checks, std::size_t first, std::size_t last, const Point& sum);

    //! From so many on, one sum for all of them is faster than one for each. Measured, with both kernels.
    static constexpr std::size_t kTogetherFrom = 3;
    //! So many, one of them bad, are faster proven each by itself than halved further. Measured.
    static constexpr std::size_t kAloneUpTo = 4;

    const Kernel& kernel_;
    Signers& signers_;
    const FixedPoint& base_;
    HashQueue hashes_;
    MultiSum sum_;
    Work work_;
    std::unordered_map<Key, std::uint32_t, KeyHash> slots_;
    std::vector<Signer> keys_;  // by slot
    std::vector<Live> live_;
    std::vector<const std::uint8_t*> encodings_;
    std::vector<std::uint8_t> is_point_;
    std::vector<Niels> points_;  // R of each live check, then the fixed points: kQuarters a slot, and those of B
    std::vector<Sealed> sealed_;
    std::vector<Int128> weights_;
    std::vector<ProductSum> by_key_;
    std::vector<std::uint8_t> key_used_;
    std::vector<Term> terms_;
};

}  // namespace synod::batch
