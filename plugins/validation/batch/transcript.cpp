// SPDX-License-Identifier: Apache-2.0
#include "transcript.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace synod::batch {
namespace {

//! Tags stand at the end, and none is the end of another: no input of one kind is also one of another kind.
constexpr std::uint8_t kLeafTag[] = "synod batch leaf 1";
constexpr std::uint8_t kSeedTag[] = "synod batch seed 1";
constexpr std::uint8_t kWeightTag[] = "synod batch weights 1";
//! Signatures; a leaf fills twelve blocks and a bit.
constexpr std::size_t kPerLeaf = 16;
constexpr std::size_t kPerHash = 4;

using Digest = std::array<std::uint8_t, 64>;
using Number = std::array<std::uint8_t, 8>;

Number little_endian(std::uint64_t n) noexcept {
    Number out;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return out;
}

}  // namespace

void draw_weights(const Kernel& kernel, const std::vector<Sealed>& sealed, std::vector<Int128>& weights) {
    static_assert(sizeof(Sealed) == 96);
    const std::size_t n = sealed.size();
    HashQueue queue(kernel);
    std::vector<Digest> leaves((n + kPerLeaf - 1) / kPerLeaf);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        const std::size_t first = i * kPerLeaf;
        const std::size_t here = std::min(kPerLeaf, n - first);
        queue.push({synod_bytes{sealed[first].digest, here * sizeof(Sealed)}, {kLeafTag, sizeof kLeafTag}, {}},
                   leaves[i].data());
    }
    queue.flush();

    Digest seed;
    const Number count = little_endian(n);
    queue.push({synod_bytes{leaves.data()->data(), leaves.size() * sizeof(Digest)},
                {count.data(), count.size()},
                {kSeedTag, sizeof kSeedTag}},
               seed.data());
    queue.flush();

    const std::size_t hashes = (n + kPerHash - 1) / kPerHash;
    std::vector<Number> numbers(hashes);
    std::vector<Digest> drawn(hashes);
    for (std::size_t i = 0; i < hashes; ++i) {
        numbers[i] = little_endian(i);
        queue.push({synod_bytes{seed.data(), seed.size()},
                    {numbers[i].data(), numbers[i].size()},
                    {kWeightTag, sizeof kWeightTag}},
                   drawn[i].data());
    }
    queue.flush();
    weights.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        std::memcpy(&weights[i], drawn[i / kPerHash].data() + 16 * (i % kPerHash), 16);
    }
}

}  // namespace synod::batch
