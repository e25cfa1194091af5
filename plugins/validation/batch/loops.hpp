// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The functions of a Kernel over a field type: what runs in lanes, and how lanes are filled. Private to the file that
//! includes it.

#include "edwards.hpp"
#include "kernels.hpp"

namespace synod::batch {
namespace {

template <class F>
void decode_points(const std::uint8_t* const* encodings, std::uint64_t n, Niels* out, std::uint8_t* is_point) {
    using E = Edwards<F>;
    using Mask = typename F::Mask;
    for (std::uint64_t at = 0; at < n; at += F::kLanes) {
        const unsigned lanes = n - at < F::kLanes ? static_cast<unsigned>(n - at) : F::kLanes;
        alignas(64) std::uint64_t y[F::kLanes][8];
        const std::uint64_t* from[F::kLanes];
        Mask sign = 0;
        for (unsigned i = 0; i < F::kLanes; ++i) {
            const std::uint8_t* encoding = encodings[at + (i < lanes ? i : 0)];
            limbs_of(encoding, y[i]);
            sign = static_cast<Mask>(sign | (encoding[31] >> 7) << i);
            from[i] = y[i];
        }
        typename F::Fe in;
        F::template gather<1>(from, &in);
        typename E::Affine affine;
        const Mask found = E::decode(in, sign, affine);
        std::uint64_t* to[F::kLanes];
        for (unsigned i = 0; i < lanes; ++i) {
            to[i] = out[at + i].plus;
            is_point[at + i] = (found >> i) & 1;
        }
        const typename F::Fe fields[3] = {affine.plus, affine.minus, affine.xy2d};
        F::template scatter<3>(fields, to, lanes);
    }
}

//! A lane whose list has ended goes on with the neutral element.
template <class F>
void accumulate_lists(const Niels* points, const std::uint32_t* entries, const List* lists, std::uint64_t n,
                      Point* buckets) {
    using E = Edwards<F>;
    using Mask = typename F::Mask;
    for (std::uint64_t at = 0; at < n; at += F::kLanes) {
        const unsigned lanes = n - at < F::kLanes ? static_cast<unsigned>(n - at) : F::kLanes;
        typename E::Extended sum;
        for (std::uint32_t step = 0; step < lists[at].count; ++step) {
            const std::uint64_t* from[F::kLanes];
            Mask negative = 0;
            for (unsigned i = 0; i < F::kLanes; ++i) {
                from[i] = kNielsIdentity.plus;
                if (i < lanes && step < lists[at + i].count) {
                    const std::uint32_t entry = entries[lists[at + i].first + step];
                    from[i] = points[entry >> 1].plus;
                    negative = static_cast<Mask>(negative | (entry & 1) << i);
                }
            }
            typename F::Fe in[3];
            F::template gather<3>(from, in);
            const auto q = E::negated_if(negative, {in[0], in[1], in[2]});
            sum = step == 0 ? E::extended(q) : E::extended(E::add(sum, q, negative));
        }
        std::uint64_t* to[F::kLanes];
        for (unsigned i = 0; i < lanes; ++i) {
            to[i] = buckets[lists[at + i].bucket].x;
        }
        const typename F::Fe fields[4] = {sum.x, sum.y, sum.z, sum.t};
        F::template scatter<4>(fields, to, lanes);
    }
}

//! From the highest bucket down, a running sum is added to the total: so bucket b is counted b + 1 times.
template <class F>
void reduce_windows(const Point* buckets, std::uint64_t windows, std::uint64_t each, Point* out) {
    using E = Edwards<F>;
    for (std::uint64_t at = 0; at < windows; at += F::kLanes) {
        const unsigned lanes = windows - at < F::kLanes ? static_cast<unsigned>(windows - at) : F::kLanes;
        typename E::Extended running = E::identity();
        typename E::Extended total = running;
        for (std::uint64_t b = each; b-- > 0;) {
            const std::uint64_t* from[F::kLanes];
            for (unsigned i = 0; i < F::kLanes; ++i) {
                from[i] = buckets[(at + (i < lanes ? i : 0)) * each + b].x;
            }
            typename F::Fe in[4];
            F::template gather<4>(from, in);
            running = E::extended(E::add(running, {in[0], in[1], in[2], in[3]}));
            total = E::extended(E::add(total, running));
        }
        std::uint64_t* to[F::kLanes];
        for (unsigned i = 0; i < lanes; ++i) {
            to[i] = out[at + i].x;
        }
        const typename F::Fe fields[4] = {total.x, total.y, total.z, total.t};
        F::template scatter<4>(fields, to, lanes);
    }
}

}  // namespace
}  // namespace synod::batch
