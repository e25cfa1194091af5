// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Base class of checkpoint formats. encode() and decode() run as [worker & active] and stream: memory must not grow
//! with the checkpoint. A format never hashes for the host and never judges what records mean.
#include <synod/checkpoint.h>
#include <synod/cpp/base.hpp>

namespace synod {

/// The records to write. next() returns false at the end; what it filled is borrowed until the next call.
class RecordSource {
public:
    explicit RecordSource(const synod_record_source* raw) : raw_(raw) {
        if (raw == nullptr || raw->next == nullptr) {
            throw Failure(SYNOD_E_INVALID, "no record source given");
        }
    }
    bool next(synod_record& out) {
        const synod_status status = raw_->next(raw_->ctx, &out);
        if (status < 0) {
            throw Failure(status, "the host's record source failed");
        }
        return status == SYNOD_OK;
    }

private:
    const synod_record_source* raw_;
};

/// Where decoded records go; the host copies what it keeps.
class RecordSink {
public:
    explicit RecordSink(const synod_record_sink* raw) : raw_(raw) {
        if (raw == nullptr || raw->put == nullptr) {
            throw Failure(SYNOD_E_INVALID, "no record sink given");
        }
    }
    void put(const synod_record& record) {
        const synod_status status = raw_->put(raw_->ctx, &record);
        if (status < 0) {
            throw Failure(status, "the host refused a record");
        }
    }

private:
    const synod_record_sink* raw_;
};

/// `class Mine : public synod::Checkpoint<Mine>` with
///   static constexpr uint32_t kFormatRev;                          raised when the bytes change their meaning
///   static uint32_t probe(std::span<const uint8_t> first_4k);      [shared] 0..100: is this our format?
template <class T> class Checkpoint : public PluginBase {
public:
    static constexpr const char* kKind = SYNOD_KIND_CHECKPOINT;
    using PluginBase::PluginBase;

    virtual void encode(RecordSource& records, Sink& out) = 0;
    /// Bytes that can't be right end in Failure(SYNOD_E_CORRUPT) with the offset.
    virtual void decode(Source& in, RecordSink& records) = 0;

    const void* table(std::string_view id) const noexcept override { return id == kKind ? &kTable : nullptr; }

private:
    static uint32_t probe_thunk(synod_bytes first) noexcept {
        uint32_t sure = 0;
        guard(nullptr, [&] { sure = T::probe(view(first)); });
        return sure > 100 ? 100 : sure;
    }
    static synod_status encode_thunk(synod_instance* i, const synod_record_source* records, const synod_sink* out,
                                     synod_error* error) noexcept {
        return guard(error, [&] {
            RecordSource source(records);
            Sink sink(out);
            self<Checkpoint>(i).encode(source, sink);
        });
    }
    static synod_status decode_thunk(synod_instance* i, const synod_source* in, const synod_record_sink* records,
                                     synod_error* error) noexcept {
        return guard(error, [&] {
            Source source(in);
            RecordSink sink(records);
            self<Checkpoint>(i).decode(source, sink);
        });
    }
    static const synod_checkpoint_api kTable;
};

template <class T>
inline constexpr synod_checkpoint_api Checkpoint<T>::kTable{sizeof(synod_checkpoint_api), T::kFormatRev,
                                                            &Checkpoint<T>::probe_thunk, &Checkpoint<T>::encode_thunk,
                                                            &Checkpoint<T>::decode_thunk};

} // namespace synod
