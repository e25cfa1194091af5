// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A federation on this machine: forges a chain, starts K authorities that have it and one node
//! that has nothing, watches that one sync until it may produce and live blocks arrive, checks that
//! all agree, and ends everything. Main thread. It knows the nodes only as an operator does: their
//! manifests, the control door and their exit codes.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/app/devnet/layout.hpp"
#include "core/app/devnet/process.hpp"
#include "core/app/devnet/watch.hpp"
#include "core/base/result.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app::devnet {

struct Options {
    std::uint32_t authorities = 4;
    std::uint64_t blocks = 100'000;
    std::uint32_t txs = 2;
    std::filesystem::path dir;  //!< empty: a temporary one
    std::uint64_t seed = 1;
    std::string validation{host::kDefaultBackend};
    std::uint64_t live = 5;  //!< blocks to see after the gate opened
    bool keep_running = false;
    Duration timeout = std::chrono::seconds(600);
    bool json = false;  //!< progress goes to standard error
};

//! How one node ended and what it last said.
struct NodeEnd {
    std::string name;
    std::filesystem::path folder;
    std::uint16_t port = 0;
    std::optional<View> last;
    std::optional<int> exit_code;
};

struct Summary {
    std::filesystem::path dir;
    double forge_seconds = 0;
    std::uint64_t forged_height = 0;
    std::uint64_t synced_from = 0;       //!< the fresh node's height when it first answered
    std::optional<double> sync_seconds;  //!< from that answer until it had the forged chain
    double start_to_height_seconds = 0;  //!< from its start until it had the forged chain
    double start_to_gate_seconds = 0;    //!< from its start until its gate was open
    bool gate_open = false;
    std::uint64_t live_blocks = 0;  //!< seen after the gate opened
    bool heads_agree = false;
    std::uint64_t agreed_height = 0;
    std::string agreed_hash;
    std::vector<NodeEnd> nodes;
    std::optional<Error> error;  //!< the first thing that didn't hold

    //! Blocks a second between the fresh node's first answer and the forged height; nothing when it
    //! had them all by then.
    [[nodiscard]] std::optional<double> rate() const;
};

class Devnet {
  public:
    explicit Devnet(Options options) : options_(std::move(options)) {}
    //! Does everything; when it returns no child runs. `error` codes: devnet.*, control.*, key.*.
    Summary run();

  private:
    using Clock = std::chrono::steady_clock;

    Result<void> all_steps();
    Result<void> forge();
    Result<void> start_authorities();
    Result<void> sync_fresh();
    Result<void> see_live_blocks();
    Result<void> agree();
    Result<void> hold();
    void stop_all();
    Result<void> start_node(const NodeFiles& node);
    //! Every kPoll until `done` says so; fails on an interrupt, at the deadline, or when a child
    //! ended.
    Result<void> until(const std::string& what, const std::function<Result<bool>()>& done);
    Result<void> check_children();
    void say(const std::string& line);
    void show_progress(const View& view, bool last);
    void end_progress();

    const Options options_;
    Clock::time_point deadline_{};
    Summary summary_;
    std::vector<NodeFiles> files_;
    std::vector<Process> nodes_;  //!< in the order of files_
    Clock::time_point shown_{};
    bool bar_open_ = false;
    std::string last_answer_;  //!< why the node that is waited for doesn't answer yet
};

}  // namespace synod::app::devnet
