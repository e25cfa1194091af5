// SPDX-License-Identifier: Apache-2.0
//! Runs a fuzz target without libFuzzer: every file of a corpus folder, then a fixed number of
//! deterministic mutations of each and of the empty input. Prints how many inputs it ran; a crash
//! leaves the input that did it in the working directory. Memory is limited, so that a length read
//! from the input and allocated as it stands ends the run.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr int kMutations = 5'000;              // of each input, unless the second argument says another number
constexpr std::size_t kMaxGrowth = 64;         // bytes added at once
constexpr std::size_t kMaxPiece = 256;         // bytes moved or doubled at once
constexpr rlim_t kMemoryLimit = rlim_t{2} << 30;  // bytes of address space
constexpr char kCrashFile[] = "fuzz-crash.bin";

const std::uint8_t* current = nullptr;
std::size_t current_size = 0;

void on_crash(int signal) {
    const int file = ::open(kCrashFile, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0) {
        const auto written = ::write(file, current, current_size);
        (void)written;
    }
    const char text[] = "the input is in fuzz-crash.bin\n";
    const auto told = ::write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)told;
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

void run(const Input& input) {
    current = input.data();
    current_size = input.size();
    LLVMFuzzerTestOneInput(input.data(), input.size());
}

void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const rlimit limit{kMemoryLimit, kMemoryLimit};
    (void)::setrlimit(RLIMIT_AS, &limit);
#endif
}

std::uint8_t telling_byte(std::mt19937_64& random) {
    constexpr std::uint8_t kTelling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '"', '[', '{', '\n', ':', '-', '0'};
    return random() % 2 == 0 ? kTelling[random() % sizeof(kTelling)] : static_cast<std::uint8_t>(random());
}

//! Bytes doubled, cut out or overwritten by others of the same input.
void move_piece(Input& input, std::mt19937_64& random) {
    const std::size_t from = random() % input.size();
    const std::size_t length = 1 + random() % std::min(kMaxPiece, input.size() - from);
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(from);
    const Input piece(begin, begin + static_cast<std::ptrdiff_t>(length));
    const std::size_t to = random() % input.size();
    switch (random() % 3) {
        case 0:
            input.insert(input.begin() + static_cast<std::ptrdiff_t>(to), piece.begin(), piece.end());
            break;
        case 1:
            input.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
            break;
        default:
            std::copy_n(piece.begin(), std::min(length, input.size() - to),
                        input.begin() + static_cast<std::ptrdiff_t>(to));
    }
}

Input mutate(const Input& input, std::mt19937_64& random) {
    Input copy = input;
    if (random() % 4 == 0) {
        for (auto n = random() % kMaxGrowth; n > 0; --n) {
            copy.push_back(static_cast<std::uint8_t>(random()));
        }
    }
    if (random() % 4 == 0 && !copy.empty()) {
        move_piece(copy, random);
    }
    for (auto places = random() % 4; places > 0 && !copy.empty(); --places) {
        copy[random() % copy.size()] = telling_byte(random);
    }
    if (random() % 8 == 0 && copy.size() >= 8) {
        std::memset(copy.data() + random() % (copy.size() - 7), random() % 2 == 0 ? 0xff : 0, 1u << random() % 4);
    }
    if (random() % 4 == 0 && !copy.empty()) {
        copy.resize(random() % copy.size());
    }
    return copy;
}

std::vector<Input> read_corpus(const char* folder) {
    std::vector<std::filesystem::path> files;
    if (folder != nullptr && std::filesystem::is_directory(folder)) {
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());  // the same run everywhere
    std::vector<Input> inputs(1);
    for (const auto& path : files) {
        std::ifstream file(path, std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return inputs;
}

}  // namespace

int main(int argc, char** argv) {
    const auto inputs = read_corpus(argc > 1 ? argv[1] : nullptr);
    const int mutations = argc > 2 ? std::atoi(argv[2]) : kMutations;
    limit_memory();
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        ::signal(signal, &on_crash);
    }
    std::size_t runs = 0;
    std::mt19937_64 random(1);
    for (const auto& input : inputs) {
        run(input);
        ++runs;
        for (int i = 0; i < mutations; ++i, ++runs) {
            run(mutate(input, random));
        }
    }
    std::printf("%zu inputs from %zu seeds\n", runs, inputs.size());
    return inputs.size() > 1 || argc < 2 ? 0 : 1;  // a corpus that is not found proves little
}
