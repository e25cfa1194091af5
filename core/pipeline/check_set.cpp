// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/check_set.hpp"

#include <algorithm>

namespace synod::pipeline {

namespace {

constexpr std::size_t kChunkBytes = kKeptArenaBytes;
constexpr std::size_t kArenaAlign = 16;

CheckSet& self(void* ctx) { return *static_cast<CheckSet*>(ctx); }

}  // namespace

CheckSet::CheckSet() {
    writer_.size = sizeof writer_;
    writer_.ctx = this;
    writer_.arena = [](void* ctx, std::uint64_t bytes) { return self(ctx).allocate(bytes); };
    writer_.signature = [](void* ctx, std::uint32_t block, std::uint32_t rule,
                           const std::uint8_t* key, const std::uint8_t* signature,
                           synod_bytes message) {
        auto& s = self(ctx);
        s.add(s.signatures_, block, rule, {key, signature, message.n == 0 ? key : message.p});
        s.keys_.push_back(key);
        s.sigs_.push_back(signature);
        s.messages_.push_back(message);
    };
    writer_.digest = [](void* ctx, std::uint32_t block, std::uint32_t rule, synod_bytes span,
                        const std::uint8_t* digest) {
        auto& s = self(ctx);
        s.add(s.digests_, block, rule, {digest, span.n == 0 ? digest : span.p});
        s.spans_.push_back(span);
        s.digest_values_.push_back(digest);
    };
    writer_.merkle = [](void* ctx, std::uint32_t block, std::uint32_t rule,
                        const std::uint8_t* leaves, std::uint64_t n, const std::uint8_t* root) {
        auto& s = self(ctx);
        s.add(s.merkles_, block, rule, {root, n == 0 ? root : leaves});
        s.leaves_.push_back(leaves);
        s.leaf_counts_.push_back(n);
        s.roots_.push_back(root);
    };
    writer_.target = [](void* ctx, std::uint32_t block, std::uint32_t rule,
                        const std::uint8_t* header, const std::uint8_t* target) {
        auto& s = self(ctx);
        s.add(s.targets_, block, rule, {header, target});
        s.headers_.push_back(header);
        s.target_values_.push_back(target);
    };
}

void CheckSet::clear() {
    const bool keep = size() <= kKeptChecks;
    const auto empty = [keep](auto&... columns) {
        (columns.clear(), ...);
        if (!keep) {
            (columns.shrink_to_fit(), ...);
        }
    };
    for (auto* group : {&signatures_, &digests_, &merkles_, &targets_}) {
        empty(group->at, group->verdicts);
    }
    empty(keys_, sigs_, messages_, spans_, digest_values_, leaves_, roots_, leaf_counts_, headers_,
          target_values_);
    // The first chunk only: it has the usual size unless the first wish was larger than that.
    const bool usual = !chunks_.empty() && first_chunk_bytes_ == kChunkBytes;
    chunks_.resize(usual ? 1 : 0);
    chunk_used_ = 0;
    chunk_size_ = arena_bytes_ = usual ? kChunkBytes : 0;
    last_block_ = 0;
    has_null_ = false;
    number_ = 0;
}

void CheckSet::add(Group& group, std::uint32_t block, std::uint32_t rule,
                   std::initializer_list<const std::uint8_t*> spans) {
    group.at.push_back({block, rule});
    last_block_ = std::max(last_block_, block);
    for (const auto* span : spans) {
        has_null_ = has_null_ || span == nullptr;
    }
}

std::uint8_t* CheckSet::allocate(std::uint64_t bytes) {
    if (chunk_used_ == 0 && bytes > chunk_size_) {
        chunks_.clear();  // what was kept is too small: it must not count against what a new set has
        chunk_size_ = arena_bytes_ = 0;
    }
    if (bytes > kMaxArenaBytes - arena_bytes_) {
        return nullptr;
    }
    const auto need = (static_cast<std::size_t>(bytes) + kArenaAlign - 1) / kArenaAlign * kArenaAlign;
    if (chunk_size_ - chunk_used_ < need) {
        chunk_size_ = std::max(kChunkBytes, need);
        chunk_used_ = 0;
        first_chunk_bytes_ = chunks_.empty() ? chunk_size_ : first_chunk_bytes_;
        chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(chunk_size_));
        arena_bytes_ += chunk_size_;
    }
    auto* out = chunks_.back().get() + chunk_used_;
    chunk_used_ += need;
    return out;
}

synod_check_batch CheckSet::batch() {
    for (auto* group : {&signatures_, &digests_, &merkles_, &targets_}) {
        group->verdicts.assign(group->at.size(), SYNOD_VERDICT_UNKNOWN);
    }
    synod_check_batch out{};
    out.size = sizeof out;
    out.signatures = {signatures_.at.size(), keys_.data(), sigs_.data(), messages_.data(),
                      signatures_.verdicts.data()};
    out.digests = {digests_.at.size(), spans_.data(), digest_values_.data(),
                   digests_.verdicts.data()};
    out.merkles = {merkles_.at.size(), leaves_.data(), leaf_counts_.data(), roots_.data(),
                   merkles_.verdicts.data()};
    out.targets = {targets_.at.size(), headers_.data(), target_values_.data(),
                   targets_.verdicts.data()};
    return out;
}

std::optional<FailedCheck> CheckSet::first_failure() const {
    std::optional<FailedCheck> out;
    for (const auto* group : {&signatures_, &digests_, &merkles_, &targets_}) {
        for (std::size_t i = 0; i < group->at.size(); ++i) {
            if (i < group->verdicts.size() && group->verdicts[i] == SYNOD_VERDICT_HOLDS) {
                continue;
            }
            const auto [block, rule] = group->at[i];
            if (!out || block < out->block || (block == out->block && rule < out->rule)) {
                out = FailedCheck{block, rule};
            }
        }
    }
    return out;
}

bool CheckSet::answered() const {
    for (const auto* group : {&signatures_, &digests_, &merkles_, &targets_}) {
        const auto known = [](std::uint8_t v) {
            return v == SYNOD_VERDICT_HOLDS || v == SYNOD_VERDICT_FAILS;
        };
        if (group->verdicts.size() != group->at.size() || !std::ranges::all_of(group->verdicts, known)) {
            return false;
        }
    }
    return true;
}

std::size_t CheckSet::size() const {
    return signatures_.at.size() + digests_.at.size() + merkles_.at.size() + targets_.at.size();
}

CheckSet::Difference CheckSet::difference(ByteView other) const {
    Difference out;
    const std::pair<const Group*, const char*> groups[] = {
        {&signatures_, "signature"}, {&digests_, "digest"}, {&merkles_, "merkle root"}, {&targets_, "target"}};
    for (const auto& [group, kind] : groups) {
        for (std::size_t i = 0; i < group->at.size() && i < other.size(); ++i) {
            if (group->verdicts[i] != other[i] && out.count++ == 0) {
                out.kind = kind;
                out.block = group->at[i].block;
                out.here = group->verdicts[i];
                out.there = other[i];
            }
        }
        other = other.subspan(std::min(group->at.size(), other.size()));
    }
    return out;
}

Bytes CheckSet::verdicts() const {
    Bytes out;
    for (const auto* group : {&signatures_, &digests_, &merkles_, &targets_}) {
        out.insert(out.end(), group->verdicts.begin(), group->verdicts.end());
    }
    return out;
}

}  // namespace synod::pipeline
