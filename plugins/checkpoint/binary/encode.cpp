// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"
#include "format.hpp"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace synod_binary {
namespace {

class Encoder {
public:
    Encoder(const Settings& settings, synod::Sink& out) : settings_(settings), out_(out) {
        if (settings_.compression) {
            zstd_.reset(ZSTD_createCCtx());
            if (zstd_ == nullptr) {
                throw std::bad_alloc();
            }
        }
    }

    void header() {
        std::array<uint8_t, kHeaderSize> h{};
        std::copy(kMagic.begin(), kMagic.end(), h.begin());
        put(h.data() + 8, static_cast<uint16_t>(kVersion));
        put(h.data() + 10, static_cast<uint16_t>(settings_.compression ? kFlagZstd : 0));
        Crc64 crc;
        crc.add({h.data(), 12});
        put(h.data() + 12, static_cast<uint32_t>(crc.value()));
        out_.write(h);
    }

    void add(const synod_record& r) {
        if (r.key.n > SYNOD_CHECKPOINT_KEY_MAX || r.value.n > SYNOD_CHECKPOINT_VALUE_MAX) {
            throw synod::Failure(SYNOD_E_INVALID, "a record is larger than the kind allows", {},
                                 "record " + std::to_string(total_ + in_frame_));
        }
        std::array<uint8_t, kRecordHeaderSize> h{};
        put(h.data(), r.section);
        put(h.data() + 4, static_cast<uint32_t>(r.key.n));
        put(h.data() + 8, static_cast<uint32_t>(r.value.n));
        append(h);
        append(synod::view(r.key));
        append(synod::view(r.value));
        ++in_frame_;
        if (raw_.size() >= settings_.frame_bytes) {
            flush();
        }
    }

    void finish() {
        flush();
        std::array<uint8_t, 8> count{};
        put(count.data(), total_);
        frame({kFrameEnd, 8, 8, 0}, count);
    }

private:
    void append(std::span<const uint8_t> bytes) { raw_.insert(raw_.end(), bytes.begin(), bytes.end()); }

    void flush() {
        if (in_frame_ == 0) {
            return;
        }
        std::span<const uint8_t> stored = raw_;
        if (settings_.compression) {
            packed_.resize(ZSTD_compressBound(raw_.size()));
            const size_t n = ZSTD_compressCCtx(zstd_.get(), packed_.data(), packed_.size(), raw_.data(), raw_.size(),
                                               settings_.level);
            if (ZSTD_isError(n) != 0) {
                throw synod::Failure(SYNOD_E_INTERNAL, std::string("zstd: ") + ZSTD_getErrorName(n));
            }
            stored = {packed_.data(), n};
        }
        frame({kFrameData, static_cast<uint32_t>(stored.size()), static_cast<uint32_t>(raw_.size()), in_frame_}, stored);
        total_ += in_frame_;
        in_frame_ = 0;
        raw_.clear();
    }
    void frame(const FrameHeader& h, std::span<const uint8_t> stored) {
        out_.write(frame_header(number_++, h, stored));
        out_.write(stored);
    }

    struct Free {
        void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
    };
    const Settings& settings_;
    synod::Sink& out_;
    std::unique_ptr<ZSTD_CCtx, Free> zstd_;
    std::vector<uint8_t> raw_, packed_;
    uint32_t in_frame_ = 0;
    uint64_t number_ = 0, total_ = 0;
};

} // namespace

void encode(const Settings& settings, synod::RecordSource& records, synod::Sink& out) {
    Encoder encoder(settings, out);
    encoder.header();
    synod_record record{};
    while (records.next(record)) {
        encoder.add(record);
    }
    encoder.finish();
}

} // namespace synod_binary
