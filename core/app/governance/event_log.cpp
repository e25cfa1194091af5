// SPDX-License-Identifier: Apache-2.0
#include "core/app/governance/event_log.hpp"

#include <algorithm>

#include "core/base/codec.hpp"

namespace synod::app {

namespace {

constexpr const char* kLogSpace = "governance-log";

//! In the order of the numbers.
Bytes first_key(std::uint64_t sequence) {
    Bytes out(8);
    for (int i = 0; i < 8; ++i) {
        out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(sequence >> (56 - 8 * i));
    }
    return out;
}

LoggedEvent decode(const store::Record& record) {
    Reader in(record.value);
    LoggedEvent out;
    out.sequence = in.get<std::uint64_t>();
    out.height = in.get<std::uint64_t>();
    out.block = in.fixed<Hash>();
    const auto bytes = in.raw(in.left());
    out.event.assign(bytes.begin(), bytes.end());
    return out;
}

}  // namespace

store::Record event_record(const LoggedEvent& event) {
    auto key = first_key(event.sequence);
    key.insert(key.end(), event.block.data.begin(), event.block.data.end());
    return {kLogSpace, std::move(key),
            synod::Writer().put(event.sequence).put(event.height).fixed(event.block).raw(event.event).take()};
}

Result<std::vector<LoggedEvent>> read_event_log(
    store::Store& store, std::uint64_t from, std::size_t count,
    const std::function<std::optional<Hash>(std::uint64_t height)>& hash_at) {
    std::vector<LoggedEvent> out;
    auto key = first_key(from);
    for (std::size_t read = 0; out.size() < count && read < kMaxLoggedEvents;) {
        const auto page = std::min({count - out.size(), kEventLogPage, kMaxLoggedEvents - read});
        const auto records = store.list_records(kLogSpace, page, key);
        if (!records) {
            return std::unexpected(records.error());
        }
        for (const auto& record : *records) {
            auto event = decode(record);
            if (hash_at(event.height) == event.block) {
                out.push_back(std::move(event));
            }
        }
        if (records->size() < page) {
            break;
        }
        read += records->size();
        key = records->back().key;
        key.push_back(0);  // the next one above it
    }
    return out;
}

}  // namespace synod::app
