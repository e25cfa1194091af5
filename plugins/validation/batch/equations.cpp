// SPDX-License-Identifier: Apache-2.0
#include "equations.hpp"

#include <cstring>

namespace synod::batch {
namespace {

void write(std::uint8_t& verdict, bool holds) noexcept {
    verdict = holds ? SYNOD_VERDICT_HOLDS : SYNOD_VERDICT_FAILS;
}

}  // namespace

std::size_t Equations::KeyHash::operator()(const Key& key) const noexcept {
    std::size_t h;
    std::memcpy(&h, key.data(), sizeof h);
    return h;
}

std::uint32_t Equations::slot_of(const std::uint8_t* key) {
    Key name;
    std::memcpy(name.data(), key, name.size());
    const auto [at, added] = slots_.try_emplace(name, static_cast<std::uint32_t>(keys_.size()));
    if (added) {
        keys_.push_back(signers_.of(key));
    }
    return at->second;
}

//! What fails here has no place in the equation: it would spoil it for the others.
void Equations::screen(const synod_signature_checks& checks, std::uint64_t first, std::uint64_t last) {
    slots_.clear();
    keys_.clear();
    live_.clear();
    for (std::uint64_t i = first; i < last; ++i) {
        const std::uint8_t* signature = checks.signatures[i];
        const std::uint32_t slot = slot_of(checks.keys[i]);
        if (keys_[slot] != nullptr && ed25519::below(signature + 32, ed25519::kOrder) &&
            ed25519::canonical(signature)) {
            live_.push_back({i, slot, {}, scalar_below_l(signature + 32)});
        } else {
            write(checks.verdicts[i], false);
        }
    }
}

void Equations::decode(const synod_signature_checks& checks) {
    encodings_.clear();
    for (const Live& one : live_) {
        encodings_.push_back(checks.signatures[one.check]);
    }
    is_point_.resize(live_.size());
    points_.resize(live_.size() + kQuarters * (keys_.size() + 1));
    // For one point a register is mostly empty, and plain registers are faster.
    const Kernel& kernel = live_.size() == 1 ? kKernelPortable : kernel_;
    kernel.decode(encodings_.data(), live_.size(), points_.data(), is_point_.data());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < live_.size(); ++i) {
        if (is_point_[i] == 0) {
            write(checks.verdicts[live_[i].check], false);
            continue;
        }
        if (kept != i) {
            live_[kept] = live_[i];
            points_[kept] = points_[i];
        }
        ++kept;
    }
    live_.resize(kept);
    for (std::size_t slot = 0; slot <= keys_.size(); ++slot) {
        const FixedPoint* fixed = slot < keys_.size() ? keys_[slot].get() : &base_;
        if (fixed != nullptr) {
            for (std::size_t quarter = 0; quarter < kQuarters; ++quarter) {
                points_[kept + kQuarters * slot + quarter] = fixed->odd[quarter][0];
            }
        }
    }
}

void Equations::hash(const synod_signature_checks& checks) {
    sealed_.resize(live_.size());
    for (std::size_t i = 0; i < live_.size(); ++i) {
        const std::uint64_t check = live_[i].check;
        const std::uint8_t* signature = checks.signatures[check];
        hashes_.push({synod_bytes{signature, 32}, {checks.keys[check], 32}, checks.messages[check]},
                     sealed_[i].digest);
        std::memcpy(sealed_[i].s, signature + 32, 32);
    }
    hashes_.flush();
    for (std::size_t i = 0; i < live_.size(); ++i) {
        live_[i].h = scalar_mod_l(sealed_[i].digest, 64);
    }
}

void Equations::add_halves(std::uint32_t slot, const Scalar& k) {
    const FixedPoint& fixed = slot < keys_.size() ? *keys_[slot] : base_;
    const auto point = static_cast<std::uint32_t>(live_.size() + kQuarters * slot);
    const Halves half = halves(k);
    terms_.push_back({half.low, point, fixed.odd[0]});
    terms_.push_back({half.high, point + 2, fixed.odd[2]});
}

void Equations::add_quarters(std::uint32_t slot, const Scalar& k) {
    const FixedPoint& fixed = slot < keys_.size() ? *keys_[slot] : base_;
    const auto point = static_cast<std::uint32_t>(live_.size() + kQuarters * slot);
    const Quarters quarter = quarters(k);
    for (unsigned i = 0; i < kQuarters; ++i) {
        terms_.push_back({quarter.part[i], point + i, fixed.odd[i]});
    }
}

//! The sum of weight * (R + hA - sB) over live checks [first, last).
Point Equations::sum_of(std::size_t first, std::size_t last) {
    terms_.clear();
    by_key_.assign(keys_.size(), {});
    key_used_.assign(keys_.size(), 0);
    ProductSum of_base;
    for (std::size_t i = first; i < last; ++i) {
        const Live& one = live_[i];
        terms_.push_back({weights_[i], static_cast<std::uint32_t>(i), nullptr});
        by_key_[one.slot].add(weights_[i], one.h);
        key_used_[one.slot] = 1;
        of_base.add(weights_[i], one.s);
    }
    for (std::uint32_t slot = 0; slot < keys_.size(); ++slot) {
        if (key_used_[slot] != 0) {
            add_halves(slot, by_key_[slot].mod_l());
        }
    }
    add_halves(static_cast<std::uint32_t>(keys_.size()), negated(of_base.mod_l()));
    ++work_.sums;
    work_.terms += terms_.size();
    return sum_.of(terms_, points_.data());
}

//! The rule's own equation. There is no weight, so nothing rests on chance and a quarter of the doublings is enough.
void Equations::judge_alone(const synod_signature_checks& checks, std::size_t which) {
    const Live& one = live_[which];
    terms_.clear();
    terms_.push_back({1, static_cast<std::uint32_t>(which), nullptr});
    add_quarters(one.slot, one.h);
    add_quarters(static_cast<std::uint32_t>(keys_.size()), negated(one.s));
    ++work_.sums;
    work_.terms += terms_.size();
    write(checks.verdicts[one.check], has_small_order(straus_sum(terms_, points_.data())));
}

//! Live checks [first, last) have this sum. The right half's is what the left half's leaves of it, so that a level of
//! the search costs a sum over half of what is in doubt.
void Equations::judge(const synod_signature_checks& checks, std::size_t first, std::size_t last, const Point& sum) {
    if (has_small_order(sum)) {
        for (std::size_t i = first; i < last; ++i) {
            write(checks.verdicts[live_[i].check], true);
        }
    } else if (last - first <= kAloneUpTo) {
        for (std::size_t i = first; i < last; ++i) {
            judge_alone(checks, i);
        }
    } else {
        const std::size_t middle = first + (last - first) / 2;
        const Point left = sum_of(first, middle);
        judge(checks, first, middle, left);
        judge(checks, middle, last, difference(sum, left));
    }
}

Work Equations::check(const synod_signature_checks& checks, std::uint64_t first, std::uint64_t last) {
    work_ = {};
    screen(checks, first, last);
    decode(checks);
    hash(checks);
    if (live_.size() >= kTogetherFrom) {
        draw_weights(kernel_, sealed_, weights_);
        judge(checks, 0, live_.size(), sum_of(0, live_.size()));
    } else {
        for (std::size_t i = 0; i < live_.size(); ++i) {
            judge_alone(checks, i);
        }
    }
    return work_;
}

}  // namespace synod::batch
