// SPDX-License-Identifier: Apache-2.0
//! store.*: committed blocks into a store's packs, at its start and at ten million blocks (or at what
//! --blocks says), and looking blocks up by hash in the long one. Slices of the two stores and of a plain
//! file take turns. The store never looks inside a block, so the bytes are random.
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/app/bench/catalogue.hpp"
#include "core/app/bench/families.hpp"
#include "core/app/bench/micro.hpp"
#include "core/store/store.hpp"

namespace synod::app::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kTenMillion = 10'000'000;
constexpr std::uint32_t kCommitBlocks = 1'024;
constexpr std::uint32_t kBlockBytes = 600;
constexpr std::uint64_t kSliceBlocks = 100 * kCommitBlocks;  // measured at a time, at most
constexpr std::uint64_t kSlicePart = 10;                    // of a short store only so much
constexpr std::size_t kLookups = 64;                         // an iteration
//! Bytes between two flushes of the plain file: what SQLite's log holds before it is folded.
constexpr std::size_t kFlushBytes = 16u << 20;
//! A new store folds its log for the first time when it is full, so its first blocks cost less than any
//! that follow; "the start" is what comes after twice as many.
constexpr std::uint64_t kFirstBlocks = (2 * kFlushBytes / kBlockBytes / kCommitBlocks + 1) * kCommitBlocks;

//! The hash that this file gives block number `height`: uniform, and the same every time.
Hash hash_of(std::uint64_t height) {
    Hash out;
    crypto_generichash(out.data.data(), out.data.size(), reinterpret_cast<const std::uint8_t*>(&height),
                       sizeof height, nullptr, 0);
    return out;
}

SharedBytes random_blocks() {
    Bytes bytes(std::size_t{kCommitBlocks} * kBlockBytes);
    const std::array<std::uint8_t, randombytes_SEEDBYTES> seed{};
    randombytes_buf_deterministic(bytes.data(), bytes.size(), seed.data());
    return SharedBytes(std::move(bytes));
}

//! A store that grows by whole commits.
class Growing {
  public:
    static Result<std::unique_ptr<Growing>> open(const std::filesystem::path& dir) {
        store::StoreOptions options;
        options.network_id = "bench";
        options.genesis_hash = hash_of(0);
        auto store = store::Store::open(dir.string(), options);
        if (!store) {
            return std::unexpected(store.error());
        }
        auto out = std::make_unique<Growing>();
        out->store_ = std::move(*store);
        return out;
    }
    //! Seconds for `blocks` more; without the time to make up their hashes. A multiple of a commit.
    Result<double> append(std::uint64_t blocks) {
        double spent = 0;
        for (const auto end = height_ + blocks; height_ < end; height_ += kCommitBlocks) {
            auto change = next_commit();
            const auto began = Clock::now();
            if (auto done = store_->commit(change); !done) {
                return std::unexpected(done.error());
            }
            spent += to_seconds(Clock::now() - began);
        }
        return spent;
    }
    [[nodiscard]] std::uint64_t height() const { return height_; }
    [[nodiscard]] store::Store& store() { return *store_; }

  private:
    store::Commit next_commit() {
        store::BlockRun run{height_, blocks_, {}, {}};
        for (std::uint32_t i = 0; i < kCommitBlocks; ++i) {
            run.ends.push_back((i + 1) * kBlockBytes);
            run.hashes.push_back(hash_of(height_ + i));
        }
        store::Commit out;
        out.head = out.committed = out.final_ =
            store::ChainPointer{height_ + kCommitBlocks - 1, run.hashes.back()};
        out.runs.push_back(std::move(run));
        return out;
    }

    std::unique_ptr<store::Store> store_;
    SharedBytes blocks_ = random_blocks();
    std::uint64_t height_ = 0;
};

//! The same bytes appended to a plain file.
class PlainFile {
  public:
    explicit PlainFile(const std::filesystem::path& file)
        : fd_(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
    ~PlainFile() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    PlainFile(const PlainFile&) = delete;
    PlainFile& operator=(const PlainFile&) = delete;

    Result<double> append(std::uint64_t blocks) {
        const auto began = Clock::now();
        for (std::uint64_t done = 0; done < blocks; done += kCommitBlocks) {
            for (auto left = blocks_.view; !left.empty();) {
                const auto n = ::write(fd_, left.data(), left.size());
                if (n < 0) {
                    return fail("bench.io", std::strerror(errno), "the plain file beside the store");
                }
                left = left.subspan(static_cast<std::size_t>(n));
            }
            unflushed_ += blocks_.view.size();
            if (unflushed_ >= kFlushBytes) {
                ::fdatasync(fd_);
                unflushed_ = 0;
            }
        }
        return to_seconds(Clock::now() - began);
    }

  private:
    int fd_ = -1;
    std::size_t unflushed_ = 0;
    SharedBytes blocks_ = random_blocks();
};

struct Slices {
    std::vector<double> plain, start, end;  // blocks/s
};

//! Whole commits.
std::uint64_t slice_of(std::uint64_t filled) {
    const auto part = filled / kSlicePart / kCommitBlocks * kCommitBlocks;
    return std::clamp<std::uint64_t>(part, kCommitBlocks, kSliceBlocks);
}

//! Fills `end` and measures the three in turns.
Result<Slices> append_slices(Workspace& work, Growing& end, std::uint64_t filled) {
    if (auto done = end.append(filled / kCommitBlocks * kCommitBlocks); !done) {
        return std::unexpected(done.error());
    }
    const auto slice = slice_of(filled);
    Slices out;
    for (std::size_t i = 0; i < work.options().runs; ++i) {
        // A new one each time, with its first blocks in it. It stays till the end: pages of a deleted file
        // are warm, and who gets them next seems faster than who grows.
        auto start = Growing::open(work.fresh("store-start"));
        if (!start) {
            return std::unexpected(start.error());
        }
        if (auto first = (*start)->append(kFirstBlocks); !first) {
            return std::unexpected(first.error());
        }
        PlainFile plain(work.fresh("plain"));
        const auto rate = [slice](const Result<double>& spent) {
            return static_cast<double>(slice) / *spent;
        };
        const auto one = plain.append(slice);
        const auto two = (*start)->append(slice);
        const auto three = end.append(slice);
        for (const auto* done : {&one, &two, &three}) {
            if (!*done) {
                return std::unexpected(done->error());
            }
        }
        out.plain.push_back(rate(one));
        out.start.push_back(rate(two));
        out.end.push_back(rate(three));
    }
    return out;
}

//! 10000000 as "10m", 200000 as "200k", 1234567 as itself.
std::string size_name(std::uint64_t blocks) {
    return blocks % 1'000'000 == 0 ? std::to_string(blocks / 1'000'000) + "m"
           : blocks % 1'000 == 0   ? std::to_string(blocks / 1'000) + "k"
                                   : std::to_string(blocks);
}

Figure lookup(Growing& growing, std::size_t runs) {
    Result<void> outcome;
    std::uint64_t next = 0;
    // Spread over the whole chain: old blocks are the dearer ones.
    const auto height = [&] { return (next += 0x9e3779b97f4a7c15) % growing.height(); };
    Micro micro(Count::kWall);
    micro.add("hash", kLookups, [&] {
        for (std::size_t i = 0; i < kLookups; ++i) {
            const auto wanted = height();
            const auto found = growing.store().find_hash(hash_of(wanted));
            if (!found || *found != wanted) {
                outcome = found ? fail("bench.wrong_height", "a look-up gave another block")
                                : std::unexpected(found.error());
            }
        }
    });
    micro.add("height", kLookups, [&] {
        for (std::size_t i = 0; i < kLookups; ++i) {
            const auto hashes = growing.store().hashes(height(), 1);
            keep(&hashes);
        }
    });
    auto times = micro.run(runs);
    if (!outcome) {
        return failure("store.lookup_hash", outcome.error());
    }
    Figure out;
    out.name = "store.lookup_hash";
    out.value = sample(per_second(times["hash"]));
    out.baseline = "looking the hash up by its height, in the same store";
    out.baseline_value = sample(per_second(times["height"]));
    out.details["blocks"] = growing.height();
    return out;
}

}  // namespace

Figures bench_store(Workspace& work) {
    const auto filled = work.blocks(kTenMillion);
    auto end = Growing::open(work.fresh("store-end"));
    if (!end) {
        return all_failed("store", end.error());
    }
    const auto began = Clock::now();
    auto slices = append_slices(work, **end, filled);
    if (!slices) {
        return all_failed("store", slices.error());
    }
    Figure start, late;
    start.name = "store.append";
    start.value = sample(slices->start);
    start.baseline = "the same bytes appended to a plain file, flushed every 16 MiB";
    start.baseline_value = sample(slices->plain);
    start.details = {{"block_bytes", kBlockBytes},
                     {"blocks_per_commit", kCommitBlocks},
                     {"blocks", kFirstBlocks}};
    late.name = std::string(kLatePrefix) + size_name(filled);
    late.value = sample(slices->end);
    late.baseline = "store.append: a store at its start";
    late.baseline_value = start.value;
    late.details = {{"blocks", filled}, {"seconds_in_all", to_seconds(Clock::now() - began)}};
    return {std::move(start), std::move(late), lookup(**end, work.options().runs)};
}

}  // namespace synod::app::bench
