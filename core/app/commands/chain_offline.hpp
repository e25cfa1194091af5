// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What `chain` and `auxpow` share: a Runtime of one consensus and one validation plugin without a
//! manifest file, and the progress line. Main thread. It opens no network and reads no key.

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/app/runtime.hpp"

namespace synod::app {

//! The federation plugin over `genesis` and the validation plugin `validation` (a name or a path),
//! found as `run` finds plugins. `isa`, when not empty, is the backend's setting of that name;
//! `workers` 0 means one a core. Errors: those of parse_manifest and Runtime::start.
Result<std::unique_ptr<Runtime>> offline_runtime(const std::filesystem::path& genesis,
                                                 const std::string& validation,
                                                 const std::string& isa = {},
                                                 unsigned workers = 0);

//! What a manifest says under plugins.validation: the plugin, and its setting `isa` when one is given.
std::string validation_use(const std::string& validation, const std::string& isa);

//! One line on stderr that says how far a long command is: rewritten in place on a terminal, a new
//! line at most every kQuietProgress elsewhere.
class Progress {
  public:
    //! `what` as in "forged"; `total` in blocks.
    Progress(std::string what, std::uint64_t total);
    void at(std::uint64_t done);
    //! Ends the line and gives the seconds since construction.
    double finish();
    [[nodiscard]] double seconds() const;

  private:
    std::string what_;
    std::uint64_t total_;
    bool terminal_;
    bool open_ = false;
    std::chrono::steady_clock::time_point started_, shown_;
};

//! A text as a JSON string with its quotes.
std::string json_string(const std::string& text);

}  // namespace synod::app
