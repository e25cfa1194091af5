// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A genesis file for the moment: the consensus plugin makes no instance without one, and some commands need none of
//! their own. Main thread.

#include <unistd.h>

#include <filesystem>

#include "core/app/forge/authorities.hpp"

namespace synod::app {

//! Precondition: sodium_init() was called. The file goes with the object.
class ThrowawayGenesis {
  public:
    ThrowawayGenesis() {
        auto name = (std::filesystem::temp_directory_path() / "synod-genesis-XXXXXX").string();
        const int fd = ::mkstemp(name.data());
        if (fd < 0) {
            return;
        }
        const auto text = forge::genesis_text(forge::make_authorities(0, 1), {1'000, 0, 0});
        const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        ::close(fd);
        file_ = name;
        if (!written) {
            remove();
        }
    }
    ~ThrowawayGenesis() { remove(); }
    ThrowawayGenesis(const ThrowawayGenesis&) = delete;
    ThrowawayGenesis& operator=(const ThrowawayGenesis&) = delete;
    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  private:
    void remove() {
        if (!file_.empty()) {
            std::error_code ignored;
            std::filesystem::remove(file_, ignored);
            file_.clear();
        }
    }
    std::filesystem::path file_;
};

}  // namespace synod::app
