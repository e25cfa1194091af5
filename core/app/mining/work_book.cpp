// SPDX-License-Identifier: Apache-2.0
#include "core/app/mining/work_book.hpp"

#include <algorithm>

#include "core/base/codec.hpp"

namespace synod::app {

const GivenWork* WorkBook::current(ByteView payout, std::uint64_t final_height,
                                   std::uint64_t committed_height, UnixMs now) const {
    const auto found = std::ranges::find_if(work_.rbegin(), work_.rend(), [&](const GivenWork& w) {
        return std::ranges::equal(w.payout, payout);
    });
    if (found == work_.rend() || found->solved || found->range_start != final_height + 1) {
        return nullptr;
    }
    const bool newest = found->range_end >= committed_height;
    return newest || now < found->given + kWorkRefreshMs ? &*found : nullptr;
}

void WorkBook::add(GivenWork work) {
    if (find(work.hash) != nullptr) {
        return;
    }
    if (work_.size() >= kMaxGivenWork) {
        work_.pop_front();
    }
    work_.push_back(std::move(work));
}

const GivenWork* WorkBook::find(const Hash& hash) const {
    const auto found = std::ranges::find(work_, hash, &GivenWork::hash);
    return found == work_.end() ? nullptr : &*found;
}

void WorkBook::solve(const Hash& hash) {
    if (const auto found = std::ranges::find(work_, hash, &GivenWork::hash); found != work_.end()) {
        found->solved = true;
    }
}

void WorkBook::expire(UnixMs now) {
    std::erase_if(work_, [&](const GivenWork& w) { return w.given + kWorkLifeMs <= now; });
}

Bytes WorkBook::encode() const {
    synod::Writer out;
    out.put(static_cast<std::uint32_t>(work_.size()));
    for (const auto& w : work_) {
        out.fixed(w.hash).blob(w.task).blob(w.payout).fixed(w.target).fixed(w.previous);
        out.put(w.range_start).put(w.range_end).put(w.number).put(w.bits).put(w.chain_id);
        out.put(w.given).put(static_cast<std::uint8_t>(w.solved));
    }
    return out.take();
}

Result<void> WorkBook::decode(ByteView bytes) {
    Reader in(bytes);
    std::deque<GivenWork> read;
    const auto count = in.get<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && i < kMaxGivenWork && in.ok(); ++i) {
        GivenWork w;
        w.hash = in.fixed<Hash>();
        const auto task = in.blob(kMaxTaskBytes);
        w.task.assign(task.begin(), task.end());
        const auto payout = in.blob(kMaxPayoutBytes);
        w.payout.assign(payout.begin(), payout.end());
        w.target = in.fixed<Hash>();
        w.previous = in.fixed<Hash>();
        w.range_start = in.get<std::uint64_t>();
        w.range_end = in.get<std::uint64_t>();
        w.number = in.get<std::uint64_t>();
        w.bits = in.get<std::uint32_t>();
        w.chain_id = in.get<std::uint32_t>();
        w.given = in.get<UnixMs>();
        w.solved = in.get<std::uint8_t>() != 0;
        read.push_back(std::move(w));
    }
    if (!in.done()) {
        return fail("mining.record_damaged", "the remembered work can't be read", "mining/work",
                    "miners get new work; what they were given before is lost");
    }
    work_ = std::move(read);
    return {};
}

}  // namespace synod::app
