// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/pipeline_feed.hpp"

#include <sodium.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>

#include "core/app/bench/micro.hpp"
#include "core/app/forge/authorities.hpp"

namespace synod::app::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Segment = std::expected<pipeline::ChainSegment, pipeline::Fault>;

constexpr std::uint64_t kPieceBytes = 4u << 20;
constexpr std::size_t kSignedBytes = 48;

//! Of this process so far, microseconds.
double cpu_us() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

}  // namespace

PipelineFeed::PipelineFeed(std::unique_ptr<Runtime> runtime)
    : runtime_(std::move(runtime)), loop_([this] { runtime_->loop().run([] {}); }) {}

PipelineFeed::~PipelineFeed() {
    runtime_->loop().quit();
    loop_.join();
}

Result<std::unique_ptr<PipelineFeed>> PipelineFeed::make(Workspace& work, std::uint64_t count) {
    auto chain = work.chain(count);
    if (!chain) {
        return std::unexpected(chain.error());
    }
    auto runtime = work.runtime();
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    std::unique_ptr<PipelineFeed> out(new PipelineFeed(std::move(*runtime)));
    if (auto done = out->read(*chain, count); !done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<void> PipelineFeed::read(const BenchChain& chain, std::uint64_t count) {
    auto store = runtime_->open_store(chain.store().string(), false, true, false);
    if (!store) {
        return std::unexpected(store.error());
    }
    auto parent = (*store)->hashes(0, 1);
    // What isn't committed yet lies in no pack: the chain's last few blocks.
    for (std::uint64_t next = 1; next <= count && parent && !parent->empty();) {
        const auto wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>(count + 1 - next, kJobBlocks));
        auto range = (*store)->read_range(next, wanted, kPieceBytes, SYNOD_BLOCK_MAX);
        if (!range) {
            return std::unexpected(range.error());
        }
        if (range->count == 0) {
            break;
        }
        for (const auto& part : range->parts) {
            // A copy: the store's own cache must not be what is measured.
            const SharedBytes bytes(Bytes(part.bytes.view.begin(), part.bytes.view.end()));
            pieces_.push_back({bytes, part.first_height, part.ends, parent->front()});
            next = part.first_height + part.ends.size();
            parent = (*store)->hashes(next - 1, 1);
            if (!parent) {
                return std::unexpected(parent.error());
            }
        }
    }
    blocks_ = pieces_.empty() ? 0 : pieces_.back().from + pieces_.back().ends.size() - 1;
    return blocks_ == 0 ? fail("bench.no_blocks", "the forged chain has no committed block") : Result<void>{};
}

Result<PipelineFeed::Run> PipelineFeed::run(bool full, std::uint64_t count) {
    auto& pipeline = runtime_->pipeline();
    pipeline.reset();
    pipeline::State base;
    runtime_->on_worker([&] {
        if (auto genesis = runtime_->consensus().genesis()) {
            base = std::move(genesis->state);
        }
    });
    std::deque<std::future<Segment>> flights;
    std::uint64_t done = 0;
    std::optional<pipeline::Fault> fault;
    const auto land = [&] {
        auto segment = flights.front().get();
        flights.pop_front();
        if (segment) {
            done += segment->blocks.size();
        } else if (!fault) {
            fault = segment.error();
        }
    };
    // As a node does: every reply is read at once, side by side, and submitted in the chain's order.
    std::deque<std::future<std::expected<pipeline::Piece, pipeline::Fault>>> reads;
    std::size_t next = 0;
    const auto read_ahead = [&] {
        for (; next < pieces_.size() && pieces_[next].from <= count && reads.size() < kJobs; ++next) {
            auto promise = std::make_shared<std::promise<std::expected<pipeline::Piece, pipeline::Fault>>>();
            reads.push_back(promise->get_future());
            pipeline.submit(pipeline::ReadJob{pieces_[next].bytes,
                                              static_cast<std::uint32_t>(pieces_[next].ends.size()),
                                              pieces_[next].from,
                                              [promise](auto piece) { promise->set_value(std::move(piece)); }});
        }
    };
    const auto cpu = cpu_us();
    const auto began = Clock::now();
    for (std::size_t i = 0; i < pieces_.size() && pieces_[i].from <= count && !fault; ++i) {
        const auto& piece = pieces_[i];
        read_ahead();
        auto bytes = reads.front().get();
        reads.pop_front();
        if (!bytes) {
            fault = bytes.error();
            break;
        }
        auto promise = std::make_shared<std::promise<Segment>>();
        flights.push_back(promise->get_future());
        pipeline::BlocksJob job;
        job.pieces.push_back(std::move(*bytes));
        job.from = piece.from;
        job.count = static_cast<std::uint32_t>(piece.ends.size());
        job.parent = piece.parent;
        job.vouched = !full;
        job.max_slot = ~0ull;
        job.base = std::exchange(base, {});
        job.done = [promise](Segment segment) { promise->set_value(std::move(segment)); };
        pipeline.submit(std::move(job));
        if (flights.size() >= kJobs) {
            land();
        }
    }
    while (!flights.empty()) {
        land();
    }
    pipeline.drain_reads();
    const auto took = to_seconds(Clock::now() - began);
    if (fault) {
        return fail("bench.refused", "the pipeline refused block " + std::to_string(fault->height) + ": " +
                                         fault->rule + " " + fault->detail);
    }
    const auto blocks = static_cast<double>(done);
    return Run{blocks / took, (cpu_us() - cpu) / blocks};
}

double PipelineFeed::seconds_on_all_workers(std::uint64_t count, const std::function<void(ByteView)>& work) {
    const auto began = Clock::now();
    const auto n = static_cast<std::uint32_t>(std::ranges::count_if(
        pieces_, [&](const Piece& piece) { return piece.from <= count; }));
    runtime_->on_worker([&] {
        runtime_->pool().parallel(n, [&](std::uint32_t i) {
            std::uint32_t begin = 0;
            for (const auto end : pieces_[i].ends) {
                work(pieces_[i].bytes.view.subspan(begin, end - begin));
                begin = end;
            }
        });
    });
    return to_seconds(Clock::now() - began);
}

double PipelineFeed::signatures_alone(std::uint64_t count) {
    const auto key = forge::make_authorities(kSeed, 1).front();
    std::array<std::uint8_t, kSignedBytes> message{};
    const auto signature = key->sign(message);
    std::atomic<std::uint64_t> blocks{0};
    const auto took = seconds_on_all_workers(count, [&](ByteView) {
        for (std::uint32_t i = 0; i < signatures_per_block(); ++i) {
            const auto held = crypto_sign_verify_detached(signature.data.data(), message.data(),
                                                          message.size(), key->public_key().data.data());
            keep(&held);
        }
        blocks.fetch_add(1, std::memory_order_relaxed);
    });
    return static_cast<double>(blocks) / took;
}

double PipelineFeed::hashes_alone(std::uint64_t count) {
    std::atomic<std::uint64_t> blocks{0};
    const auto took = seconds_on_all_workers(count, [&](ByteView block) {
        std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest;
        crypto_hash_sha256(digest.data(), block.data(), block.size());
        crypto_hash_sha256(digest.data(), digest.data(), digest.size());
        blocks.fetch_add(1, std::memory_order_relaxed);
    });
    return static_cast<double>(blocks) / took;
}

std::vector<SharedBytes> PipelineFeed::single_blocks() const {
    std::vector<SharedBytes> out;
    for (const auto& piece : pieces_) {
        std::uint32_t begin = 0;
        for (const auto end : piece.ends) {
            out.push_back(piece.bytes.slice(begin, end - begin));
            begin = end;
        }
    }
    return out;
}

double PipelineFeed::mean_block_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& piece : pieces_) {
        bytes += piece.bytes.view.size();
    }
    return static_cast<double>(bytes) / static_cast<double>(blocks_);
}

std::uint32_t PipelineFeed::signatures_per_block() const { return 1 + runtime_->info().quorum; }

}  // namespace synod::app::bench
