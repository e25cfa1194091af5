// SPDX-License-Identifier: Apache-2.0
//! Decoding and sums of points: every kernel that this processor can run, against libsodium and against each other.

#include "plugins/validation/batch/edwards.hpp"
#include "plugins/validation/batch/field_portable.hpp"
#include "plugins/validation/batch/multi_sum.hpp"

#include <synod/extra/ed25519_rule.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace {

using namespace synod::batch;
using Encoding = std::array<std::uint8_t, 32>;
using Rng = std::mt19937_64;
using F = Portable;

std::vector<const Kernel*> kernels() {
    std::vector<const Kernel*> out{&kKernelPortable};
    if (const Kernel* wide = choose_kernel("avx512ifma"); wide != nullptr) {
        out.push_back(wide);
    } else {
        MESSAGE("skipped: this processor has no avx512ifma");
    }
    return out;
}

Encoding random_encoding(Rng& rng) {
    Encoding out;
    for (auto& b : out) {
        b = static_cast<std::uint8_t>(rng());
    }
    return out;
}

//! The five limbs of a number below p, for any limbs that kernels may leave in memory.
F::Fe below_p(F::Fe l) {
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 5; ++i) {
            l.l[(i + 1) % 5] += (i == 4 ? 19 : 1) * (l.l[i] >> 51);
            l.l[i] &= F::kMask;
        }
    }
    if (l.l[0] >= F::kMask - 18 && (l.l[1] & l.l[2] & l.l[3] & l.l[4]) == F::kMask) {
        l = {{l.l[0] - (F::kMask - 18), 0, 0, 0, 0}};
    }
    return l;
}

//! The canonical encoding of X/Z, Y/Z.
Encoding encoding_of(const F::Fe& x, const F::Fe& y, const F::Fe& z) {
    const F::Fe inverse = Edwards<F>::inverse(z);
    const F::Fe affine_x = F::mul(x, inverse);
    const F::Fe l = below_p(F::mul(y, inverse));
    const std::uint64_t words[4] = {l.l[0] | l.l[1] << 51, l.l[1] >> 13 | l.l[2] << 38, l.l[2] >> 26 | l.l[3] << 25,
                                    l.l[3] >> 39 | l.l[4] << 12};
    Encoding out;
    std::memcpy(out.data(), words, 32);
    out[31] ^= static_cast<std::uint8_t>(F::is_odd(affine_x) << 7);
    return out;
}

Encoding encoding_of(const Point& p) { return encoding_of(F::splat(p.x), F::splat(p.y), F::splat(p.z)); }

Encoding encoding_of(const Niels& p) {
    const F::Fe plus = F::splat(p.plus), minus = F::splat(p.minus);
    const std::uint64_t two[5] = {2};
    return encoding_of(F::sub(plus, minus), F::add(plus, minus), F::splat(two));
}

Encoding base_times(const Encoding& scalar) {
    Encoding out{1};
    if (sodium_is_zero(scalar.data(), 32) == 0) {
        REQUIRE(crypto_scalarmult_ed25519_base_noclamp(out.data(), scalar.data()) == 0);
    }
    return out;
}

Encoding sum(const Encoding& a, const Encoding& b) {
    Encoding out;
    REQUIRE(crypto_core_ed25519_add(out.data(), a.data(), b.data()) == 0);
    return out;
}

bool is_on_curve(const Encoding& encoding) {
    Encoding out;
    return crypto_core_ed25519_add(out.data(), encoding.data(), encoding.data()) == 0;
}

std::vector<Encoding> encodings(Rng& rng, std::size_t n) {
    std::vector<Encoding> out(n);
    for (std::size_t i = 0; i < n; ++i) {
        out[i] = random_encoding(rng);
        if (i % 16 == 0) {  // small and large y, with either sign
            std::memset(out[i].data(), i % 32 == 0 ? 0 : 0xff, 32);
            out[i][0] = static_cast<std::uint8_t>(i / 32);
            out[i][31] ^= static_cast<std::uint8_t>(rng() % 2 << 7);
        }
    }
    return out;
}

struct Decoded {
    std::vector<Niels> points;
    std::vector<std::uint8_t> is_point;
};

Decoded decode(const Kernel& kernel, const std::vector<Encoding>& in) {
    std::vector<const std::uint8_t*> pointers;
    for (const Encoding& e : in) {
        pointers.push_back(e.data());
    }
    Decoded out{std::vector<Niels>(in.size()), std::vector<std::uint8_t>(in.size(), 7)};
    kernel.decode(pointers.data(), in.size(), out.points.data(), out.is_point.data());
    return out;
}

//! Points with known scalars, so that sums of them are known too.
struct Known {
    std::vector<Encoding> scalars;
    std::vector<Niels> points;
};

Known known_points(Rng& rng, std::size_t n) {
    Known out;
    std::vector<Encoding> points;
    for (std::size_t i = 0; i < n; ++i) {
        std::uint8_t wide[64];
        std::generate(std::begin(wide), std::end(wide), [&] { return static_cast<std::uint8_t>(rng()); });
        Encoding scalar;
        crypto_core_ed25519_scalar_reduce(scalar.data(), wide);
        points.push_back(base_times(scalar));
        out.scalars.push_back(scalar);
    }
    out.points = decode(kKernelPortable, points).points;
    return out;
}

Int128 weight(Rng& rng) {
    const std::uint64_t how = rng() % 32;
    if (how == 0) {
        return static_cast<Int128>(Uint128{1} << 127);
    }
    if (how == 1) {
        return static_cast<Int128>((Uint128{1} << 127) - 1);
    }
    if (how < 6) {
        return static_cast<Int128>(how) - 3;  // -1, 0, 1, 2
    }
    return static_cast<Int128>(Uint128{rng()} << 64 | rng());
}

Encoding expected_sum(const Known& known, const std::vector<Term>& terms) {
    Encoding total{};
    for (const Term& term : terms) {
        Encoding k{};
        const Uint128 m = magnitude(term.k);
        std::memcpy(k.data(), &m, 16);
        crypto_core_ed25519_scalar_mul(k.data(), k.data(), known.scalars[term.point].data());
        if (term.k < 0) {
            crypto_core_ed25519_scalar_sub(total.data(), total.data(), k.data());
        } else {
            crypto_core_ed25519_scalar_add(total.data(), total.data(), k.data());
        }
    }
    return base_times(total);
}

}  // namespace

TEST_CASE("every kernel decodes what libsodium decodes, and to the same point") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(11);
    const auto in = encodings(rng, 3'001);  // no multiple of any number of lanes
    std::size_t points = 0;
    for (const Kernel* kernel : kernels()) {
        CAPTURE(kernel->name);
        const Decoded got = decode(*kernel, in);
        for (std::size_t i = 0; i < in.size(); ++i) {
            if (!synod::ed25519::canonical(in[i].data())) {
                continue;  // the caller's affair
            }
            REQUIRE(got.is_point[i] == (is_on_curve(in[i]) ? 1 : 0));
            if (got.is_point[i] == 1) {
                ++points;
                REQUIRE(encoding_of(got.points[i]) == in[i]);
                for (const std::uint64_t limb : got.points[i].xy2d) {
                    REQUIRE(limb < std::uint64_t{1} << 52);
                }
            }
        }
    }
    CHECK(points > 1'000 * kernels().size());
}

TEST_CASE("fixed points are the odd multiples of the point and of 2^64, 2^128 and 2^192 times it") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(12);
    const Known known = known_points(rng, 3);
    for (std::size_t i = 0; i < known.points.size(); ++i) {
        FixedPoint fixed;
        REQUIRE(make_fixed(base_times(known.scalars[i]).data(), fixed));
        for (std::size_t quarter = 0; quarter < kQuarters; ++quarter) {
            for (std::size_t j = 0; j < kFixedOdd; ++j) {
                Encoding k{};
                k[8 * quarter] = static_cast<std::uint8_t>(2 * j + 1);
                crypto_core_ed25519_scalar_mul(k.data(), k.data(), known.scalars[i].data());
                REQUIRE(encoding_of(fixed.odd[quarter][j]) == base_times(k));
            }
        }
    }
    FixedPoint none;
    CHECK_FALSE(make_fixed(Encoding{2}.data(), none));
}

TEST_CASE("sums by every method and width are libsodium's") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(13);
    const Known known = known_points(rng, 400);
    FixedPoint fixed;
    REQUIRE(make_fixed(base_times(known.scalars[0]).data(), fixed));
    for (const std::size_t n : {1, 2, 3, 9, 40, 95, 96, 400}) {
        CAPTURE(n);
        std::vector<Term> terms;
        for (std::size_t i = 0; i < n; ++i) {
            const auto point = static_cast<std::uint32_t>(rng() % known.points.size());
            terms.push_back({weight(rng), point, point == 0 ? fixed.odd[0] : nullptr});
        }
        terms.back() = {weight(rng), 0, fixed.odd[0]};
        const Encoding expected = expected_sum(known, terms);
        CHECK(encoding_of(straus_sum(terms, known.points.data())) == expected);
        for (const Kernel* kernel : kernels()) {
            CAPTURE(kernel->name);
            MultiSum sum(*kernel);
            CHECK(encoding_of(sum.of(terms, known.points.data())) == expected);
            for (unsigned width = 2; width <= 12; ++width) {
                CAPTURE(width);
                REQUIRE(encoding_of(sum.by_buckets(terms, known.points.data(), width)) == expected);
            }
        }
    }
}

TEST_CASE("every kernel computes the same from limbs at the edges of what they may be") {
    constexpr std::uint64_t kOver = std::uint64_t{1} << 15;  // a limb is below 2^51 + 2^15
    constexpr std::uint64_t kEdges[] = {0, 1, 18, 19, F::kMask - 19, F::kMask - 18, F::kMask - 17, F::kMask,
                                        F::kMask + 1, F::kMask + kOver};
    Rng rng(16);
    const auto edge = [&](std::uint64_t* limbs) {
        for (int i = 0; i < 5; ++i) {
            limbs[i] = rng() % 4 == 0 ? rng() & F::kMask : kEdges[rng() % std::size(kEdges)];
        }
    };
    // No points at all, but the formulas don't know: each coordinate is a polynomial in these.
    std::vector<Niels> points(200);
    for (Niels& p : points) {
        edge(p.plus);
        edge(p.minus);
        edge(p.xy2d);
    }
    std::vector<Point> buckets(16 * 11);
    for (Point& p : buckets) {
        edge(p.x);
        edge(p.y);
        edge(p.z);
        edge(p.t);
    }
    std::vector<std::uint32_t> entries;
    std::vector<List> lists;
    // Lists that run side by side are equally long: a lane that waits would add a neutral point, which only of a point
    // leaves the same.
    for (std::uint32_t i = 0; i < 320; ++i) {
        const std::uint32_t count = 5 - i / 64;
        lists.push_back({static_cast<std::uint32_t>(entries.size()), count, i});
        for (std::uint32_t j = 0; j < count; ++j) {
            entries.push_back(static_cast<std::uint32_t>(rng() % (2 * points.size())));
        }
    }
    const auto results = [&](const Kernel& kernel) {
        std::vector<Point> out(lists.size() + 11);
        kernel.accumulate(points.data(), entries.data(), lists.data(), lists.size(), out.data());
        kernel.reduce(buckets.data(), 11, 16, out.data() + lists.size());
        std::vector<std::uint64_t> limbs;
        for (const Point& p : out) {
            for (const std::uint64_t* coordinate : {p.x, p.y, p.z, p.t}) {
                REQUIRE(std::all_of(coordinate, coordinate + 5, [](std::uint64_t l) { return l <= F::kMask + kOver; }));
                const F::Fe l = below_p(F::splat(coordinate));
                limbs.insert(limbs.end(), l.l, l.l + 5);
            }
        }
        return limbs;
    };
    const auto expected = results(kKernelPortable);
    for (const Kernel* kernel : kernels()) {
        CAPTURE(kernel->name);
        CHECK(results(*kernel) == expected);
    }
}

TEST_CASE("the same point over and over, and a point with its negative, are added rightly") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(14);
    const Known known = known_points(rng, 1);
    for (const Kernel* kernel : kernels()) {
        CAPTURE(kernel->name);
        MultiSum sum(*kernel);
        const std::vector<Term> same(500, {7, 0, nullptr});
        CHECK(encoding_of(sum.by_buckets(same, known.points.data(), 4)) == expected_sum(known, same));
        std::vector<Term> cancel;
        for (int i = 0; i < 300; ++i) {
            cancel.push_back({i % 2 == 0 ? 5 : -5, 0, nullptr});
        }
        const Point none = sum.by_buckets(cancel, known.points.data(), 4);
        CHECK(encoding_of(none) == Encoding{1});
        CHECK(has_small_order(none));
    }
}

TEST_CASE("points of small order are told from all others") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(15);
    const Known known = known_points(rng, 1);
    Encoding order8;
    const char* hex = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    REQUIRE(sodium_hex2bin(order8.data(), 32, hex, 64, nullptr, nullptr, nullptr) == 0);
    const Encoding point = base_times(known.scalars[0]);
    const auto in = decode(kKernelPortable, {order8, point, sum(point, order8)}).points;
    const auto times = [&](std::uint32_t which, Int128 k) { return straus_sum({{k, which, nullptr}}, in.data()); };
    for (int k = 1; k <= 8; ++k) {
        CHECK(has_small_order(times(0, k)));
        CHECK_FALSE(has_small_order(times(1, k)));
        CHECK_FALSE(has_small_order(times(2, k)));
    }
    // P + T - P = T.
    CHECK(has_small_order(difference(times(2, 1), times(1, 1))));
    CHECK(encoding_of(difference(times(2, 1), times(1, 1))) == order8);
    CHECK_FALSE(has_small_order(difference(times(2, 3), times(1, 1))));
}
