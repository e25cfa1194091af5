// SPDX-License-Identifier: Apache-2.0
#include "core/app/mining/record_pool.hpp"

#include <algorithm>

#include "core/base/codec.hpp"

namespace synod::app {

namespace {

constexpr std::size_t kMaxRecordBytes = 64u << 10;

}  // namespace

bool RecordPool::add(WaitingRecord record) {
    if (reach() && record.range_end <= *reach()) {
        return false;
    }
    waiting_.insert(waiting_.begin(), std::move(record));
    if (waiting_.size() > kMaxWaitingRecords) {
        waiting_.pop_back();
    }
    return true;
}

bool RecordPool::settle(std::uint64_t final_height) {
    return std::erase_if(waiting_,
                         [&](const WaitingRecord& w) { return w.range_start <= final_height; }) > 0;
}

std::optional<std::uint64_t> RecordPool::reach() const {
    return waiting_.empty() ? std::nullopt : std::optional(waiting_.front().range_end);
}

Bytes RecordPool::encode() const {
    synod::Writer out;
    out.put(static_cast<std::uint32_t>(waiting_.size()));
    for (const auto& w : waiting_) {
        out.blob(w.record);
    }
    return out.take();
}

Result<std::vector<Bytes>> RecordPool::decode(ByteView bytes) {
    Reader in(bytes);
    std::vector<Bytes> out;
    const auto count = in.get<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && i < kMaxWaitingRecords && in.ok(); ++i) {
        const auto record = in.blob(kMaxRecordBytes);
        out.emplace_back(record.begin(), record.end());
    }
    if (!in.done()) {
        return fail("mining.record_damaged", "the waiting finality records can't be read", "mining/records");
    }
    return out;
}

}  // namespace synod::app
