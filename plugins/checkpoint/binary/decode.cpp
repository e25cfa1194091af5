// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"
#include "format.hpp"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace synod_binary {
namespace {

[[noreturn]] void corrupt(const char* what, uint64_t offset) {
    throw synod::Failure(SYNOD_E_CORRUPT, what, "fetch the checkpoint again, or restore it from a copy",
                         "byte " + std::to_string(offset));
}

class Decoder {
public:
    Decoder(synod::Source& in, synod::RecordSink& out) : in_(in), out_(out) {}

    void run() {
        header();
        while (frame()) {
        }
        uint8_t extra = 0;
        if (in_.read({&extra, 1}) != 0) {
            corrupt("bytes after the end of the checkpoint", in_.offset() - 1);
        }
    }

private:
    void header() {
        std::array<uint8_t, kHeaderSize> h{};
        if (in_.read_full(h) != h.size()) {
            corrupt("shorter than a checkpoint's header", in_.offset());
        }
        if (!std::equal(kMagic.begin(), kMagic.end(), h.begin())) {
            corrupt("not a binary checkpoint", 0);
        }
        Crc64 crc;
        crc.add({h.data(), 12});
        if (static_cast<uint32_t>(crc.value()) != get<uint32_t>(h.data() + 12)) {
            corrupt("the header is damaged", 8);
        }
        const auto version = get<uint16_t>(h.data() + 8);
        const auto flags = get<uint16_t>(h.data() + 10);
        if (version != kVersion || (flags & ~kFlagZstd) != 0) {
            throw synod::Failure(SYNOD_E_UNSUPPORTED, "a checkpoint of a later version (" + std::to_string(version) + ")",
                                 "update the checkpoint plugin", "byte 8");
        }
        compressed_ = (flags & kFlagZstd) != 0;
    }

    /// Reads one frame; false after the end frame. Nothing of a frame is used before its checksum has been seen to hold.
    bool frame() {
        start_ = in_.offset();
        std::array<uint8_t, kFrameHeaderSize> h{};
        if (in_.read_full(h) != h.size()) {
            corrupt("cut off: a frame is missing", in_.offset());
        }
        const FrameHeader f{get<uint32_t>(h.data()), get<uint32_t>(h.data() + 4), get<uint32_t>(h.data() + 8),
                            get<uint32_t>(h.data() + 12)};
        if (f.stored > kMaxFrame || f.raw > kMaxFrame || (f.kind != kFrameData && f.kind != kFrameEnd)) {
            corrupt("a frame's header is damaged", start_);
        }
        read_stored(f.stored);
        if (frame_header(number_++, f, stored_) != h) {
            corrupt("a frame's checksum doesn't match", start_);
        }
        if (f.kind == kFrameEnd) {
            end(f);
            return false;
        }
        records(f, unpack(f));
        return true;
    }

    /// Grows with what really arrives, so that a lying length in a short file costs no memory.
    void read_stored(size_t size) {
        constexpr size_t kStep = 256u << 10; // bytes
        stored_.clear();
        while (stored_.size() < size) {
            const size_t have = stored_.size();
            stored_.resize(have + std::min(kStep, size - have));
            if (in_.read_full(std::span(stored_).subspan(have)) != stored_.size() - have) {
                corrupt("cut off inside a frame", in_.offset());
            }
        }
    }

    void end(const FrameHeader& f) const {
        if (f.stored != 8 || f.raw != 8 || f.records != 0 || get<uint64_t>(stored_.data()) != total_) {
            corrupt("the end frame counts other records", start_);
        }
    }

    std::span<const uint8_t> unpack(const FrameHeader& f) {
        if (!compressed_) {
            if (f.raw != f.stored) {
                corrupt("a frame's sizes contradict each other", start_);
            }
            return stored_;
        }
        if (zstd_ == nullptr) {
            zstd_.reset(ZSTD_createDCtx());
            if (zstd_ == nullptr) {
                throw std::bad_alloc();
            }
        }
        raw_.resize(f.raw);
        const size_t n = ZSTD_decompressDCtx(zstd_.get(), raw_.data(), raw_.size(), stored_.data(), stored_.size());
        if (ZSTD_isError(n) != 0 || n != f.raw) {
            corrupt("a frame doesn't unpack to its size", start_);
        }
        return raw_;
    }

    void records(const FrameHeader& f, std::span<const uint8_t> raw) {
        size_t at = 0;
        for (uint32_t i = 0; i < f.records; ++i) {
            if (raw.size() - at < kRecordHeaderSize) {
                corrupt("a record is cut off by its frame", start_);
            }
            const uint8_t* h = raw.data() + at;
            const uint64_t key = get<uint32_t>(h + 4), value = get<uint32_t>(h + 8);
            at += kRecordHeaderSize;
            if (key > SYNOD_CHECKPOINT_KEY_MAX || value > SYNOD_CHECKPOINT_VALUE_MAX || raw.size() - at < key + value) {
                corrupt("a record's sizes can't be right", start_);
            }
            out_.put({get<uint32_t>(h), 0, {raw.data() + at, key}, {raw.data() + at + key, value}});
            at += static_cast<size_t>(key + value);
        }
        if (at != raw.size() || f.records == 0) {
            corrupt("a frame holds more bytes than records", start_);
        }
        total_ += f.records;
    }

    struct Free {
        void operator()(ZSTD_DCtx* c) const noexcept { ZSTD_freeDCtx(c); }
    };
    synod::Source& in_;
    synod::RecordSink& out_;
    std::unique_ptr<ZSTD_DCtx, Free> zstd_;
    std::vector<uint8_t> stored_, raw_;
    uint64_t start_ = 0, number_ = 0, total_ = 0;
    bool compressed_ = false;
};

} // namespace

void decode(synod::Source& in, synod::RecordSink& records) { Decoder(in, records).run(); }

} // namespace synod_binary
