// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A temporary folder and a made-up chain for the store's tests: block i's content and hash follow
//! from i and a salt, so that any block read back can be checked without keeping a copy.

#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/store/store.hpp"

namespace synod::store::test {

class TempDir {
  public:
    TempDir() {
        auto pattern = (std::filesystem::temp_directory_path() / "synod-store-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string db() const { return path_ + "/synod.db"; }

  private:
    std::string path_;
};

inline std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31U);
}

inline Hash hash_of(std::uint64_t height, std::uint64_t salt = 0) {
    Hash out;
    for (std::size_t i = 0; i < 32; ++i) {
        out.data[i] = static_cast<std::uint8_t>(mix(mix(height + 1) ^ salt ^ i) >> 8U);
    }
    return out;
}

inline Bytes block_of(std::uint64_t height, std::size_t size, std::uint64_t salt = 0) {
    Bytes out(size);
    auto x = mix(height ^ (salt << 40U));
    for (auto& byte : out) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        byte = static_cast<std::uint8_t>(x >> 56U);
    }
    return out;
}

inline BlockRun run_of(std::uint64_t first, std::size_t count, std::size_t size,
                       std::uint64_t salt = 0) {
    BlockRun run;
    run.first_height = first;
    Bytes bytes;
    bytes.reserve(count * size);
    for (std::size_t i = 0; i < count; ++i) {
        const auto block = block_of(first + i, size, salt);
        bytes.insert(bytes.end(), block.begin(), block.end());
        run.ends.push_back(static_cast<std::uint32_t>(bytes.size()));
        run.hashes.push_back(hash_of(first + i, salt));
    }
    run.bytes = SharedBytes(std::move(bytes));
    return run;
}

inline Commit commit_of(std::uint64_t first, std::size_t count, std::size_t size) {
    Commit out;
    out.runs.push_back(run_of(first, count, size));
    const auto last = first + count - 1;
    out.head = ChainPointer{last, hash_of(last)};
    out.committed = out.head;
    return out;
}

inline StoreOptions options() {
    StoreOptions out;
    out.network_id = "test-net";
    out.genesis_hash = hash_of(0);
    return out;
}

inline bool equal(ByteView a, const Bytes& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

//! Every block of [0, count) reads back as `size` bytes of block_of.
inline bool holds_chain(Store& store, std::uint64_t count, std::size_t size) {
    for (std::uint64_t at = 0; at < count;) {
        const auto range = store.read_range(at, 4096, 4U << 20U, 8U << 20U);
        if (!range || range->count == 0) {
            return false;
        }
        for (const auto& part : range->parts) {
            std::uint32_t start = 0;
            for (const auto end : part.ends) {
                if (!equal(part.bytes.view.subspan(start, end - start), block_of(at, size))) {
                    return false;
                }
                start = end;
                ++at;
            }
        }
    }
    const auto beyond = store.read_range(count, 1, 1, 1U << 20U);
    return beyond && beyond->count == 0;
}

}  // namespace synod::store::test
