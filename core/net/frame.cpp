// SPDX-License-Identifier: Apache-2.0
#include "core/net/frame.hpp"

#include <algorithm>

namespace synod::net {

namespace {

//! Walks over the parts and hands out the next `n` bytes: in place when they lie in one part,
//! gathered in `staging` otherwise.
class Gather {
  public:
    Gather(std::span<const ByteView> parts, Bytes& staging) : parts_(parts), staging_(staging) {}

    ByteView next(std::size_t n) {
        skip_empty();
        if (parts_[at_].size() - offset_ >= n) {
            const auto out = parts_[at_].subspan(offset_, n);
            offset_ += n;
            return out;
        }
        staging_.clear();
        while (staging_.size() < n) {
            skip_empty();
            const auto part = parts_[at_];
            const auto take = std::min(n - staging_.size(), part.size() - offset_);
            const auto* from = part.data() + offset_;
            staging_.insert(staging_.end(), from, from + take);
            offset_ += take;
        }
        return staging_;
    }

  private:
    void skip_empty() {
        while (offset_ == parts_[at_].size()) {
            ++at_;
            offset_ = 0;
        }
    }
    std::span<const ByteView> parts_;
    Bytes& staging_;
    std::size_t at_ = 0;
    std::size_t offset_ = 0;
};

}  // namespace

Result<void> FrameEncoder::append(std::span<const SharedBytes> parts, Bytes& out) {
    views_.clear();
    for (const auto& part : parts) {
        views_.push_back(part.view);
    }
    return append_views(views_, out);
}

Result<void> FrameEncoder::append(ByteView frame, Bytes& out) {
    return append_views({&frame, 1}, out);
}

Result<void> FrameEncoder::append_views(std::span<const ByteView> parts, Bytes& out) {
    std::size_t left = 0;
    for (const auto part : parts) {
        left += part.size();
    }
    if (left == 0) {
        return fail("net.frame_empty", "a frame has at least its type byte", "frame");
    }
    if (left > kMaxFrameBytes) {
        return fail("net.frame_too_large",
                    "a frame of " + std::to_string(left) + " bytes is over the limit of " +
                        std::to_string(kMaxFrameBytes),
                    "frame");
    }
    const auto total = frame_cipher_bytes(left);
    const auto start = out.size();
    out.resize(start + kFrameHeaderBytes + total);
    std::uint8_t* to = out.data() + start;
    for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) {
        to[i] = static_cast<std::uint8_t>(total >> (8 * i));
    }
    const ByteView header(to, kFrameHeaderBytes);
    to += kFrameHeaderBytes;
    Gather gather(parts, staging_);
    while (left > 0) {
        const auto n = std::min(left, kRecordPlainBytes);
        if (!cipher_.encrypt(header, gather.next(n), to)) {
            out.resize(start);
            return fail("net.nonce_exhausted", "the connection has no nonce left", "frame",
                        "close it and connect again");
        }
        to += n + kNoiseTagBytes;
        left -= n;
    }
    return {};
}

std::size_t FrameDecoder::wanted() const {
    return cipher_left_ == 0 ? kFrameHeaderBytes : std::min(cipher_left_, kNoiseMaxMessage);
}

Result<void> FrameDecoder::take_header(ByteView header) {
    std::copy(header.begin(), header.end(), header_.begin());
    std::size_t total = 0;
    for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) {
        total |= static_cast<std::size_t>(header[i]) << (8 * i);
    }
    if (total > frame_cipher_bytes(max_frame_)) {
        return fail("net.frame_too_large",
                    "a frame of " + std::to_string(total) + " bytes is over the limit of " +
                        std::to_string(frame_cipher_bytes(max_frame_)),
                    "frame");
    }
    const auto records = (total + kNoiseMaxMessage - 1) / kNoiseMaxMessage;
    const auto last = records == 0 ? 0 : total - (records - 1) * kNoiseMaxMessage;
    if (last <= kNoiseTagBytes) {
        return fail("net.frame_malformed",
                    "no frame has a ciphertext of " + std::to_string(total) + " bytes", "frame");
    }
    cipher_left_ = total;
    plain_total_ = total - records * kNoiseTagBytes;
    return {};
}

Result<void> FrameDecoder::take_record(ByteView record, std::vector<SharedBytes>& out) {
    const auto at = frame_.size();
    if (at > 0 && frame_.capacity() < plain_total_) {
        // One record authenticated the length, so the whole is worth an allocation; untouched
        // pages cost nothing.
        frame_.reserve(plain_total_);
    }
    frame_.resize(at + record.size() - kNoiseTagBytes);
    if (!cipher_.decrypt(header_, record, frame_.data() + at)) {
        return fail("net.frame_tag", "a frame does not authenticate", "frame",
                    "the bytes were altered on the way");
    }
    cipher_left_ -= record.size();
    if (cipher_left_ == 0) {
        out.emplace_back(std::move(frame_));
        frame_ = {};
    }
    return {};
}

Result<void> FrameDecoder::feed(ByteView bytes, std::vector<SharedBytes>& out) {
    if (dead_) {
        return fail("net.frame_dead", "bytes after a broken frame", "frame");
    }
    while (!bytes.empty()) {
        const auto need = wanted();
        ByteView unit;
        std::size_t used = 0;
        if (pending_.empty() && bytes.size() >= need) {
            unit = bytes.first(need);  // the common case: straight from the caller's buffer
            used = need;
        } else {
            used = std::min(need - pending_.size(), bytes.size());
            pending_.insert(pending_.end(), bytes.begin(),
                            bytes.begin() + static_cast<std::ptrdiff_t>(used));
            if (pending_.size() < need) {
                return {};
            }
            unit = pending_;
        }
        const auto result = cipher_left_ == 0 ? take_header(unit) : take_record(unit, out);
        pending_.clear();
        if (!result) {
            dead_ = true;
            frame_ = {};
            return result;
        }
        bytes = bytes.subspan(used);
    }
    return {};
}

}  // namespace synod::net
