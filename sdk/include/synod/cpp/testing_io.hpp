// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Streams, records and score tables in memory, for tests of plugins.
#include <synod/checkpoint.h>
#include <synod/cpp/host.hpp>
#include <synod/scoring.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace synod::testing {

/// Collects what a plugin writes; refuses with SYNOD_E_BUSY once `limit` bytes are passed.
class MemorySink {
public:
    explicit MemorySink(size_t limit = SIZE_MAX) : limit_(limit) {}
    MemorySink(const MemorySink&) = delete;
    MemorySink& operator=(const MemorySink&) = delete;
    const synod_sink* raw() const { return &raw_; }
    std::string text() const { return {bytes.begin(), bytes.end()}; }
    std::vector<uint8_t> bytes;
    size_t largest_write = 0;

private:
    static synod_status write(void* ctx, synod_bytes b) {
        auto& me = *static_cast<MemorySink*>(ctx);
        if (me.bytes.size() + b.n > me.limit_) {
            return SYNOD_E_BUSY;
        }
        me.bytes.insert(me.bytes.end(), b.p, b.p + b.n);
        me.largest_write = std::max(me.largest_write, static_cast<size_t>(b.n));
        return SYNOD_OK;
    }
    size_t limit_;
    synod_sink raw_{sizeof(synod_sink), 0, this, &write};
};

/// Hands out bytes, at most `chunk` a read; after `fail_at` bytes it answers SYNOD_E_INTERNAL.
class MemorySource {
public:
    explicit MemorySource(std::vector<uint8_t> bytes, size_t chunk = SIZE_MAX, size_t fail_at = SIZE_MAX)
        : bytes_(std::move(bytes)), chunk_(chunk), fail_at_(fail_at) {}
    MemorySource(const MemorySource&) = delete;
    MemorySource& operator=(const MemorySource&) = delete;
    const synod_source* raw() const { return &raw_; }
    size_t largest_read = 0; ///< the largest buffer that was offered

private:
    static int64_t read(void* ctx, uint8_t* out, uint64_t capacity) {
        auto& me = *static_cast<MemorySource*>(ctx);
        me.largest_read = std::max(me.largest_read, static_cast<size_t>(capacity));
        if (me.at_ >= me.fail_at_) {
            return SYNOD_E_INTERNAL;
        }
        const size_t n = std::min({static_cast<size_t>(capacity), me.chunk_, me.bytes_.size() - me.at_});
        std::copy_n(me.bytes_.begin() + static_cast<std::ptrdiff_t>(me.at_), n, out);
        me.at_ += n;
        return static_cast<int64_t>(n);
    }
    std::vector<uint8_t> bytes_;
    size_t chunk_, fail_at_, at_ = 0;
    synod_source raw_{sizeof(synod_source), 0, this, &read};
};

struct Record {
    uint32_t section;
    std::string key, value;
    bool operator==(const Record&) const = default;
};

/// Records to encode, or the place where decoded ones go; refuses with SYNOD_E_NO_MEMORY after `limit`.
class RecordList {
public:
    explicit RecordList(std::vector<Record> given = {}, size_t limit = SIZE_MAX)
        : records(std::move(given)), limit_(limit) {}
    RecordList(const RecordList&) = delete;
    RecordList& operator=(const RecordList&) = delete;
    const synod_record_source* source() const { return &source_; }
    const synod_record_sink* sink() const { return &sink_; }
    std::vector<Record> records;

private:
    static synod_status next(void* ctx, synod_record* out) {
        auto& me = *static_cast<RecordList*>(ctx);
        if (me.at_ == me.records.size()) {
            return 1;
        }
        const Record& r = me.records[me.at_++];
        *out = {r.section, 0, to_bytes(r.key), to_bytes(r.value)};
        return SYNOD_OK;
    }
    static synod_status put(void* ctx, const synod_record* r) {
        auto& me = *static_cast<RecordList*>(ctx);
        if (me.records.size() >= me.limit_) {
            return SYNOD_E_NO_MEMORY;
        }
        const auto text = [](synod_bytes b) { return std::string(reinterpret_cast<const char*>(b.p), b.n); };
        me.records.push_back({r->section, text(r->key), text(r->value)});
        return SYNOD_OK;
    }
    size_t limit_, at_ = 0;
    synod_record_source source_{sizeof(synod_record_source), 0, this, &next};
    synod_record_sink sink_{sizeof(synod_record_sink), 0, this, &put};
};

/// Columns laid out as the host lays them out: 64-byte aligned, padded with zeros to 16 rows.
class ScoreTable {
public:
    ScoreTable(size_t n_columns, size_t n_rows) : rows_((n_rows + 15) / 16 * 16) {
        for (size_t c = 0; c < n_columns; ++c) {
            const size_t bytes = std::max<size_t>(64, rows_ * sizeof(int64_t));
            owned_.emplace_back(static_cast<int64_t*>(std::aligned_alloc(64, bytes)), &std::free);
            std::fill_n(owned_.back().get(), bytes / sizeof(int64_t), 0);
            pointers_.push_back(owned_.back().get());
        }
    }
    int64_t& at(size_t column, size_t row) { return owned_[column].get()[row]; }
    const int64_t* const* columns() const { return pointers_.data(); }

private:
    size_t rows_;
    std::vector<std::unique_ptr<int64_t, decltype(&std::free)>> owned_;
    std::vector<const int64_t*> pointers_;
};

} // namespace synod::testing
