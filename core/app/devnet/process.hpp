// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Child processes of one devnet run. Each is its own process group, so that a Ctrl-C in the
//! terminal reaches only the parent, which then ends its children in order; and each is told by the
//! kernel when the parent dies, so that none outlives it. Owned and used by the main thread. It
//! signals only processes that it started and hasn't reaped, by their id.

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::app::devnet {

inline constexpr Duration kStopTime = std::chrono::seconds(10);  //!< from SIGTERM to SIGKILL
inline constexpr std::size_t kLogTailBytes = 4u << 10;  //!< of a log, shown after a failure

class Process {
  public:
    //! Starts `arguments[0]` with no standard input; its output and errors are appended to `log`.
    //! Errors: devnet.spawn (with the system's reason).
    static Result<Process> start(std::string name, const std::vector<std::string>& arguments,
                                 const std::filesystem::path& log);
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();  //!< a child that still runs is ended: SIGTERM, kStopTime, SIGKILL

    //! Looks without waiting whether it has ended.
    [[nodiscard]] bool running();
    //! Waits; false when it still runs after `limit`.
    bool wait(Duration limit);
    void terminate();  //!< SIGTERM, if it runs
    //! Waits kStopTime for an end that was asked for, then SIGKILL; reaps it.
    void finish();

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::filesystem::path& log() const { return log_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    //! The exit code; 128 + the signal's number for one that died of it; nothing while it runs.
    [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }
    //! The end of its log, at most kLogTailBytes.
    [[nodiscard]] std::string log_tail() const;

  private:
    Process() = default;
    std::string name_;
    std::filesystem::path log_;
    pid_t pid_ = -1;
    std::optional<int> exit_code_;
};

//! While it lives, SIGINT, SIGTERM and SIGHUP only set a flag. One at a time.
class Interrupts {
  public:
    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    [[nodiscard]] static bool seen();
};

}  // namespace synod::app::devnet
