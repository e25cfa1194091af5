// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What happened, as lines of text and as one number over all of them. The same scenario and seed give
//! the same lines and the same number on every machine; a test compares them. One thread.

#include <cstdio>
#include <memory>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace synod::sim {

//! A number that stands for the bytes; not for security.
std::uint64_t fingerprint(ByteView bytes);

class Trace {
  public:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using File = std::unique_ptr<std::FILE, Closer>;

    //! `file` may be null: the number alone is kept.
    explicit Trace(File file = {}) : file_(std::move(file)) {}
    //! "<nanoseconds> <who> <what>".
    void line(Instant when, std::string_view who, std::string_view what);
    //! A frame that arrived.
    void frame(Instant when, std::uint32_t from, std::uint32_t to, ByteView bytes);
    [[nodiscard]] std::uint64_t number() const { return number_; }
    [[nodiscard]] std::uint64_t lines() const { return lines_; }

  private:
    void add(std::uint64_t value);
    File file_;
    std::uint64_t number_ = 0xcbf29ce484222325ULL, lines_ = 0;
};

}  // namespace synod::sim
