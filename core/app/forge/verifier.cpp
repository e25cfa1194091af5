// SPDX-License-Identifier: Apache-2.0
#include "core/app/forge/verifier.hpp"

#include <algorithm>

namespace synod::app::forge {

namespace {

//! Blocks and bytes of one job, and jobs that are under way: bounds the memory.
constexpr std::uint32_t kJobBlocks = 1'024;
constexpr std::uint64_t kJobBytes = 4ull << 20;
constexpr std::size_t kJobs = 4;

std::unexpected<Finding> found(std::string check, std::uint64_t height, std::string detail,
                               std::string hash = {}) {
    return std::unexpected(Finding{std::move(check), height, std::move(hash), std::move(detail)});
}

std::unexpected<Finding> found(const Error& error, std::uint64_t height) {
    return found(error.code, height, error.text());
}

std::unexpected<Finding> found(const pipeline::Fault& fault, std::uint64_t height) {
    return found(fault.rule, fault.height == 0 ? height : fault.height, fault.detail,
                 fault.hash.is_zero() ? std::string() : to_hex(fault.hash.view()));
}

std::string at(const store::ChainPointer& p) {
    return std::to_string(p.height) + " " + to_hex(p.hash.view());
}

}  // namespace

Verifier::Verifier(Runtime& runtime, store::Store& store, bool full)
    : runtime_(runtime), store_(store), full_(full), loop_([&runtime] { runtime.loop().run([] {}); }) {}

Verifier::~Verifier() {
    for (auto& flight : flights_) {
        flight.done.wait();
    }
    runtime_.loop().quit();
}

std::expected<Verified, Finding> Verifier::run(const std::function<void(std::uint64_t)>& progress) {
    for (const auto& step : {std::function<Check()>([&] { return integrity(); }),
                             std::function<Check()>([&] { return begin(); }),
                             std::function<Check()>([&] { return walk(progress); }),
                             std::function<Check()>([&] { return pointers(); }),
                             std::function<Check()>([&] { return forks(); }),
                             std::function<Check()>([&] { return head(); })}) {
        if (auto holds = step(); !holds) {
            return std::unexpected(holds.error());
        }
    }
    return out_;
}

Verifier::Check Verifier::integrity() {
    auto report = store_.check();
    if (!report) {
        return found(report.error(), 0);
    }
    if (!report->sound()) {
        return found("store-integrity", 0, report->faults.front());
    }
    return {};
}

Verifier::Check Verifier::begin() {
    auto stored = store_.load();
    if (!stored) {
        return found(stored.error(), 0);
    }
    stored_ = std::move(*stored);
    if (stored_.packed_count == 0 || !stored_.last_packed || !stored_.committed_state) {
        return found("store-empty", 0, "no chain is stored here, or its saved state is missing");
    }
    auto block = store_.read_block(0);
    if (!block) {
        return found(block.error(), 0);
    }
    Check out;
    runtime_.on_worker([&] {
        auto& consensus = runtime_.consensus();
        auto genesis = consensus.genesis();
        if (!genesis) {
            out = found(genesis.error(), 0);
            return;
        }
        if (!std::ranges::equal(genesis->block, block->view)) {
            out = found("genesis", 0, "the stored genesis is not that of the genesis file");
            return;
        }
        base_ = state_ = genesis->state;
        auto weight = consensus.weigh(state_);
        auto saved = consensus.load(*stored_.committed_state);
        auto saved_weight = saved ? consensus.weigh(*saved) : std::unexpected(saved.error());
        if (!weight || !saved_weight) {
            out = found(weight ? saved_weight.error() : weight.error(), 0);
            return;
        }
        weight_ = *weight;
        submitted_ = Hash::copy(weight->hash);
        saved_height_ = saved_weight->height;
    });
    if (out && saved_height_ >= stored_.packed_count) {
        return found("saved-state", saved_height_, "the saved state is newer than the committed chain");
    }
    if (out && saved_height_ == 0) {
        return saved_state(state_);
    }
    return out;
}

std::future<Verifier::Segment> Verifier::send(std::vector<SharedBytes> pieces, std::uint64_t from,
                                              std::uint32_t count, const Hash& parent, bool vouched,
                                              pipeline::State base) {
    auto promise = std::make_shared<std::promise<Segment>>();
    pipeline::BlocksJob job;
    for (auto& piece : pieces) {
        job.pieces.push_back({std::move(piece), {}});
    }
    job.from = from;
    job.count = count;
    job.parent = parent;
    job.vouched = vouched;
    job.max_slot = ~0ull;
    job.base = std::move(base);
    job.done = [promise](Segment segment) { promise->set_value(std::move(segment)); };
    runtime_.pipeline().submit(std::move(job));
    return promise->get_future();
}

Verifier::Check Verifier::submit(std::uint64_t from, std::uint32_t count) {
    auto range = store_.read_range(from, count, kJobBytes, SYNOD_BLOCK_MAX);
    if (!range || range->count == 0) {
        return range ? found("missing", from, "the block is not there") : found(range.error(), from);
    }
    auto hashes = store_.hashes(from, range->count);
    if (!hashes || hashes->size() != range->count) {
        return hashes ? found("missing", from, "its hash is not there") : found(hashes.error(), from);
    }
    std::vector<SharedBytes> pieces;
    for (const auto& part : range->parts) {
        pieces.push_back(part.bytes);
    }
    if (full_ || range->count == 1) {
        flights_.push_back({from, range->count, send(std::move(pieces), from, range->count, submitted_,
                                                     false, std::exchange(base_, {}))});
    } else {
        // The last block is checked in full: its certificate vouches for all before it.
        auto& part = range->parts.back();
        const std::size_t cut = part.ends.size() > 1 ? part.ends[part.ends.size() - 2] : 0;
        const auto last = part.bytes.slice(cut, part.bytes.view.size() - cut);
        pieces.back() = part.bytes.slice(0, cut);
        if (cut == 0) {
            pieces.pop_back();
        }
        const auto before = range->count - 1;
        flights_.push_back({from, before, send(std::move(pieces), from, before, submitted_, true,
                                               std::exchange(base_, {}))});
        flights_.push_back({from + before, 1, send({last}, from + before, 1,
                                                   (*hashes)[before - 1], false, {})});
    }
    submitted_ = hashes->back();
    return {};
}

Verifier::Check Verifier::land() {
    auto flight = std::move(flights_.front());
    flights_.pop_front();
    auto segment = flight.done.get();
    if (!segment) {
        return found(segment.error(), flight.from);
    }
    auto hashes = store_.hashes(flight.from, flight.count);
    if (!hashes) {
        return found(hashes.error(), flight.from);
    }
    for (std::size_t i = 0; i < segment->blocks.size(); ++i) {
        const auto& view = segment->blocks[i].view;
        if (i >= hashes->size() || (*hashes)[i] != Hash::copy(view.hash)) {
            return found("hash-index", view.height, "the store knows this block by another hash",
                         to_hex({view.hash, 32}));
        }
    }
    state_ = segment->state;
    weight_ = segment->weight;
    if (weight_.height == saved_height_) {
        return saved_state(state_);
    }
    return {};
}

Verifier::Check Verifier::walk(const std::function<void(std::uint64_t)>& progress) {
    const auto end = stored_.packed_count;
    for (std::uint64_t next = 1; next < end || !flights_.empty();) {
        while (next < end && flights_.size() < kJobs) {
            // One job ends where the saved state stands, so that the two can be compared.
            const auto stop = next <= saved_height_ ? saved_height_ + 1 : end;
            const auto count =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(stop - next, kJobBlocks));
            if (auto sent = submit(next, count); !sent) {
                // What is under way may hold an earlier failure: that one is named.
                while (!flights_.empty()) {
                    if (auto landed = land(); !landed) {
                        return landed;
                    }
                }
                return sent;
            }
            next = flights_.back().from + flights_.back().count;
        }
        if (auto landed = land(); !landed) {
            return landed;
        }
        progress(weight_.height);
    }
    out_.blocks = end - 1;
    return {};
}

Verifier::Check Verifier::saved_state(const pipeline::State& state) {
    Check out;
    runtime_.on_worker([&] {
        auto& consensus = runtime_.consensus();
        auto saved = consensus.load(*stored_.committed_state);
        auto weight = saved ? consensus.weigh(*saved) : std::unexpected(saved.error());
        auto root = weight ? consensus.root(*saved) : std::unexpected(weight.error());
        auto expected = consensus.weigh(state);
        auto expected_root = consensus.root(state);
        if (!root || !expected || !expected_root) {
            out = found(root ? (expected ? expected_root.error() : expected.error()) : root.error(),
                        saved_height_);
        } else if (Hash::copy(weight->hash) != Hash::copy(expected->hash) || *root != *expected_root ||
                   weight->final_height != expected->final_height) {
            out = found("saved-state", saved_height_, "the saved state is not what the blocks lead to",
                        to_hex({expected->hash, 32}));
        }
    });
    return out;
}

Verifier::Check Verifier::pointers() {
    const auto& last = *stored_.last_packed;
    if (last.hash != Hash::copy(weight_.hash) || last.height != weight_.height) {
        return found("packs", last.height, "the newest packed block is said to be " + at(last),
                     to_hex({weight_.hash, 32}));
    }
    if (stored_.committed != last) {
        return found("committed-pointer", last.height,
                     stored_.committed ? "it says " + at(*stored_.committed) : "it is missing",
                     to_hex(last.hash.view()));
    }
    if (!stored_.final_ || stored_.final_->height > last.height) {
        return found("final-pointer", stored_.final_ ? stored_.final_->height : 0,
                     "it is missing or above the committed block");
    }
    auto hashes = store_.hashes(stored_.final_->height, 1);
    if (!hashes || hashes->empty() || hashes->front() != stored_.final_->hash) {
        return found("final-pointer", stored_.final_->height, "it names a block off the chain",
                     to_hex(stored_.final_->hash.view()));
    }
    return {};
}

Verifier::Check Verifier::forks() {
    auto blocks = store_.fork_blocks();
    if (!blocks) {
        return found(blocks.error(), stored_.last_packed->height + 1);
    }
    tips_[stored_.last_packed->hash] = state_;
    std::ranges::stable_sort(*blocks, {}, &store::ForkBlock::height);
    for (const auto& fork : *blocks) {
        const auto parent = tips_.find(fork.parent);
        if (parent == tips_.end()) {
            ++out_.orphans;
            continue;
        }
        if (auto holds = fork_block(fork, parent->second); !holds) {
            return holds;
        }
        ++out_.fork_blocks;
    }
    return {};
}

Verifier::Check Verifier::fork_block(const store::ForkBlock& fork, const pipeline::State& parent) {
    auto segment = send({fork.bytes}, fork.height, 1, fork.parent, false, parent).get();
    if (!segment) {
        return found(segment.error(), fork.height);
    }
    if (Hash::copy(segment->blocks[0].view.hash) != fork.hash) {
        return found("hash-index", fork.height, "the store knows this fork block by another hash",
                     to_hex(fork.hash.view()));
    }
    tips_[fork.hash] = segment->state;
    return {};
}

Verifier::Check Verifier::head() {
    const auto tip = stored_.head ? tips_.find(stored_.head->hash) : tips_.end();
    if (tip == tips_.end()) {
        return found("head-pointer", stored_.head ? stored_.head->height : 0,
                     "the head is none of the stored blocks",
                     stored_.head ? to_hex(stored_.head->hash.view()) : "");
    }
    out_.head = *stored_.head;
    if (!stored_.head_certificate || stored_.head_certificate->empty()) {
        return {};
    }
    Check out;
    auto checks = std::make_shared<pipeline::CheckSet>();
    runtime_.on_worker([&] {
        auto& consensus = runtime_.consensus();
        auto state = consensus.fork(tip->second);
        auto weight = state ? consensus.weigh(*state) : std::unexpected(state.error());
        if (!weight) {
            out = found(weight.error(), stored_.head->height);
        } else if (weight->height != stored_.head->height) {
            out = found("head-pointer", stored_.head->height, "the head's height is another",
                        to_hex(stored_.head->hash.view()));
        } else if (auto taken = consensus.accept_certificate(*state, *stored_.head_certificate, *checks);
                   !taken) {
            const auto& failure = taken.error();
            out = found(failure.refusal ? failure.refusal->name : failure.error.code,
                        stored_.head->height, failure.error.text(), to_hex(stored_.head->hash.view()));
        }
    });
    if (!out) {
        return out;
    }
    std::promise<Result<std::optional<pipeline::FailedCheck>>> answer;
    runtime_.pipeline().prove(checks, [&](auto result) { answer.set_value(std::move(result)); });
    auto proven = answer.get_future().get();
    if (!proven) {
        return found(proven.error(), stored_.head->height);
    }
    if (*proven) {
        return found("head-certificate", stored_.head->height,
                     runtime_.consensus().rule_name((*proven)->rule),
                     to_hex(stored_.head->hash.view()));
    }
    out_.head_certified = true;
    return {};
}

}  // namespace synod::app::forge
