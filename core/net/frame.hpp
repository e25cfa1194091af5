// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Length-prefixed encrypted frames. On the wire: u32 LE length of the ciphertext, then Noise
//! transport records of at most 65,535 bytes, all full but the last. The length is the records'
//! associated data, so nobody on the path can cut a frame in two at a record's edge. Pure: bytes in,
//! frames out; memory grows with the bytes received, never with the length that was claimed.

#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/net/noise.hpp"

namespace synod::net {

inline constexpr std::size_t kMaxFrameBytes = 8u << 20;  //!< plaintext bytes of one logical frame
inline constexpr std::size_t kFrameHeaderBytes = 4;
inline constexpr std::size_t kRecordPlainBytes = kNoiseMaxMessage - kNoiseTagBytes;

//! Ciphertext bytes of a frame of `plain` bytes, without the header. Precondition: plain > 0.
constexpr std::size_t frame_cipher_bytes(std::size_t plain) {
    return plain + (plain + kRecordPlainBytes - 1) / kRecordPlainBytes * kNoiseTagBytes;
}

//! Encrypts frames of one direction. Not thread-safe.
class FrameEncoder {
  public:
    explicit FrameEncoder(CipherState cipher) : cipher_(std::move(cipher)) {}

    //! Appends the frame whose plaintext is the parts one after another to `out`; parts are read
    //! once and not kept. Errors: net.frame_empty, net.frame_too_large, net.nonce_exhausted;
    //! `out` is then unchanged.
    Result<void> append(std::span<const SharedBytes> parts, Bytes& out);
    Result<void> append(ByteView frame, Bytes& out);

  private:
    Result<void> append_views(std::span<const ByteView> parts, Bytes& out);
    CipherState cipher_;
    Bytes staging_;  // one record's plaintext when it spans several parts
    std::vector<ByteView> views_;
};

//! Decrypts frames of one direction. Not thread-safe. After the first error only errors.
class FrameDecoder {
  public:
    explicit FrameDecoder(CipherState cipher, std::size_t max_frame = kMaxFrameBytes)
        : cipher_(std::move(cipher)), max_frame_(max_frame) {}

    //! Takes any number of bytes (not kept) and appends the frames that they complete to `out`.
    //! Errors: net.frame_too_large, net.frame_malformed, net.frame_tag, net.frame_dead.
    Result<void> feed(ByteView bytes, std::vector<SharedBytes>& out);
    //! Bytes held for a frame that is not complete yet; at most max_frame plus one record.
    [[nodiscard]] std::size_t buffered() const { return pending_.size() + frame_.size(); }

  private:
    Result<void> take_header(ByteView header);
    Result<void> take_record(ByteView record, std::vector<SharedBytes>& out);
    [[nodiscard]] std::size_t wanted() const;

    CipherState cipher_;
    std::size_t max_frame_;
    std::array<std::uint8_t, kFrameHeaderBytes> header_{};
    std::size_t cipher_left_ = 0;  // ciphertext bytes of the current frame not yet decrypted
    std::size_t plain_total_ = 0;
    Bytes pending_;                // part of a header or of a record
    Bytes frame_;                  // plaintext so far
    bool dead_ = false;
};

}  // namespace synod::net
