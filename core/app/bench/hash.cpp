// SPDX-License-Identifier: Apache-2.0
//! hash.*: double SHA-256 by the simd backend's kernels, one instruction set after the other, beside
//! libsodium on the same input; one core. 80 bytes are a Bitcoin header, 64 an inner node of a Merkle tree.
#include <sodium.h>

#include <algorithm>
#include <array>

#include "core/app/bench/families.hpp"
#include "core/app/bench/micro.hpp"
#include "core/host/guard.hpp"

namespace synod::app::bench {

namespace {

constexpr std::size_t kMessages = 1'024;  // a call
constexpr std::size_t kDigestBytes = 32;
constexpr std::string_view kSets[] = {"sse2", "avx2", "avx512"};

struct Shape {
    std::string_view name;
    std::size_t bytes;  // of one message
};
constexpr Shape kShapes[] = {{"hash.sha256d80.", 80}, {"hash.merkle64.", 64}};

//! kMessages different messages of one length.
class Input {
  public:
    explicit Input(std::size_t bytes) : bytes_(kMessages * bytes) {
        const std::array<std::uint8_t, randombytes_SEEDBYTES> seed{};
        randombytes_buf_deterministic(bytes_.data(), bytes_.size(), seed.data());
        for (std::size_t i = 0; i < kMessages; ++i) {
            spans_.push_back({bytes_.data() + i * bytes, bytes});
        }
    }
    [[nodiscard]] const std::vector<synod_bytes>& spans() const { return spans_; }

  private:
    Bytes bytes_;
    std::vector<synod_bytes> spans_;
};

void hash_with_libsodium(const Input& input, Bytes& out) {
    auto* to = out.data();
    for (const auto& span : input.spans()) {
        std::array<std::uint8_t, kDigestBytes> once;
        crypto_hash_sha256(once.data(), span.p, span.n);
        crypto_hash_sha256(to, once.data(), once.size());
        to += kDigestBytes;
    }
}

//! The simd backend on one instruction set.
struct Kernel {
    std::string_view set;
    std::unique_ptr<Runtime> runtime;
    std::string missing;

    void hash(const Input& input, Bytes& out) const {
        auto* plugin = runtime->registry().of_kind(SYNOD_KIND_VALIDATION);
        plugin->table<synod_validation_api>()->sha256d(plugin->handle(), input.spans().data(), kMessages,
                                                       out.data());
    }
};

Kernel kernel(Workspace& work, std::string_view set) {
    auto runtime = work.runtime("simd", std::string(set), 1);
    if (!runtime) {
        return {set, nullptr, runtime.error().text()};
    }
    return {set, std::move(*runtime), {}};
}

std::string name_of(const Shape& shape, std::string_view set) {
    return std::string(shape.name) + std::string(set);
}

Figure figure_of(const Shape& shape, const Kernel& kernel, const std::vector<double>& seconds,
                 const std::vector<double>& baseline) {
    Figure out;
    out.name = name_of(shape, kernel.set);
    out.value = sample(per_second(seconds));
    out.baseline = "libsodium on the same messages, one core";
    out.baseline_value = sample(per_second(baseline));
    out.details["ns_per_hash"] = median(seconds) * 1e9;
    return out;
}

void measure_shape(const Shape& shape, const std::vector<Kernel>& kernels, std::size_t runs, Figures& out) {
    const Input input(shape.bytes);
    Bytes expected(kMessages * kDigestBytes), got(expected.size());
    hash_with_libsodium(input, expected);
    Micro micro;
    micro.add("libsodium", kMessages, [&] { hash_with_libsodium(input, got); });
    std::vector<const Kernel*> right;
    for (const auto& kernel : kernels) {
        if (!kernel.runtime) {
            out.push_back(absent(name_of(shape, kernel.set), kernel.missing));
            continue;
        }
        std::ranges::fill(got, std::uint8_t{0});
        kernel.hash(input, got);
        if (got != expected) {
            out.push_back(failure(name_of(shape, kernel.set),
                                  {"bench.wrong_hash", "its digests differ from libsodium's", "", ""}));
            continue;
        }
        right.push_back(&kernel);
        micro.add(std::string(kernel.set), kMessages, [&] { kernel.hash(input, got); });
    }
    auto seconds = micro.run(runs);
    for (const auto* kernel : right) {
        out.push_back(figure_of(shape, *kernel, seconds[std::string(kernel->set)], seconds["libsodium"]));
    }
}

}  // namespace

Figures bench_hash(Workspace& work) {
    if (auto genesis = work.genesis(); !genesis) {
        return all_failed("hash", genesis.error());
    }
    std::vector<Kernel> kernels;
    for (const auto set : kSets) {
        kernels.push_back(kernel(work, set));
    }
    Figures out;
    for (const auto& shape : kShapes) {
        measure_shape(shape, kernels, work.options().runs, out);
    }
    return out;
}

}  // namespace synod::app::bench
