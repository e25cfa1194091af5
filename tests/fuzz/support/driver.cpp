// SPDX-License-Identifier: Apache-2.0
//! Runs a fuzz target without libFuzzer: every file of a corpus folder, then a fixed number of
//! deterministic mutations of each and of the empty input. Prints how many inputs it ran.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
constexpr int kMutations = 5'000;  // of each input
constexpr std::size_t kMaxGrowth = 64;  // bytes
}  // namespace

int main(int argc, char** argv) {
    std::vector<std::vector<std::uint8_t>> inputs(1);
    if (argc > 1 && std::filesystem::is_directory(argv[1])) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
            std::ifstream file(entry.path(), std::ios::binary);
            inputs.emplace_back(std::istreambuf_iterator<char>(file),
                                std::istreambuf_iterator<char>());
        }
    }
    std::size_t runs = 0;
    std::mt19937_64 random(1);
    for (const auto& input : inputs) {
        LLVMFuzzerTestOneInput(input.data(), input.size());
        ++runs;
        for (int i = 0; i < kMutations; ++i, ++runs) {
            auto copy = input;
            const auto grow = random() % 4 == 0 ? random() % kMaxGrowth : 0;
            for (std::size_t n = 0; n < grow; ++n) {
                copy.push_back(static_cast<std::uint8_t>(random()));
            }
            for (auto flips = random() % 4; flips > 0 && !copy.empty(); --flips) {
                copy[random() % copy.size()] = static_cast<std::uint8_t>(random());
            }
            if (random() % 4 == 0 && !copy.empty()) {
                copy.resize(random() % copy.size());
            }
            LLVMFuzzerTestOneInput(copy.data(), copy.size());
        }
    }
    std::printf("%zu inputs from %zu seeds\n", runs, inputs.size());
    return 0;
}
