// SPDX-License-Identifier: Apache-2.0
#pragma once
//! An event's bytes. Most events are a few numbers and a hash: those lie in the event itself, so that
//! copying one to a queue takes no memory and no shared counter; larger ones are shared.

#include <array>
#include <cstring>
#include <memory>

#include "core/base/bytes.hpp"

namespace synod::bus {

inline constexpr std::size_t kInlineBytes = 55;

class Payload {
  public:
    Payload() = default;
    explicit Payload(Bytes bytes) {
        if (bytes.size() > kInlineBytes) {
            large_ = std::make_shared<const Bytes>(std::move(bytes));
        } else if (!bytes.empty()) {
            size_ = static_cast<std::uint8_t>(bytes.size());
            std::memcpy(small_.data(), bytes.data(), bytes.size());
        }
    }
    //! Valid as long as this object, or another copy of it when the bytes are shared.
    [[nodiscard]] ByteView view() const { return large_ ? ByteView(*large_) : ByteView(small_.data(), size_); }
    [[nodiscard]] Bytes bytes() const { return {view().begin(), view().end()}; }
    //! Memory beside this object, bytes.
    [[nodiscard]] std::size_t beside() const { return large_ ? large_->size() : 0; }

  private:
    std::uint8_t size_ = 0;
    std::array<std::uint8_t, kInlineBytes> small_{};
    std::shared_ptr<const Bytes> large_;
};

}  // namespace synod::bus
