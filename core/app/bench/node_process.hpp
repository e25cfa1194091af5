// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A node of this program as a child process, as an operator runs it: a folder, a manifest, the control
//! door. Main thread; the process ends with its object.

#include <optional>

#include "core/app/bench/workspace.hpp"
#include "core/app/devnet/process.hpp"
#include "core/app/devnet/watch.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app::bench {

inline constexpr Duration kNodeStart = std::chrono::seconds(60);  //!< until it answers

//! Whom a node links to.
struct Contact {
    std::uint16_t port = 0;
    PublicKey identity;
};

struct NodeSetup {
    std::filesystem::path folder;  //!< made when missing
    std::filesystem::path data;    //!< empty: folder/data
    std::filesystem::path genesis;
    std::filesystem::path identity;  //!< key file; empty: a new one is made
    bool authority = false;          //!< it signs blocks with that key, if it is an authority's
    std::uint16_t port = 0;          //!< 0: any
    std::vector<Contact> peers;
    std::string mode = "fast";       //!< of sync
    std::string validation{host::kDefaultBackend};
    std::string isa;  //!< of the validation plugin; empty: its own choice
};

//! For a node in a fresh folder of that name, which proves with what the options say.
NodeSetup node_setup(Workspace& work, const std::string& folder, const std::filesystem::path& genesis);

class NodeProcess {
  public:
    using Clock = std::chrono::steady_clock;

    //! Writes folder and manifest; starts nothing. Errors: bench.folder, key.*.
    static Result<NodeProcess> make(NodeSetup setup);

    //! Errors: devnet.spawn.
    Result<void> start();
    //! Asks until it answers and `enough(view)`; the first answer that was enough.
    //! Errors: bench.node_ended (with its log), bench.timeout.
    Result<devnet::View> wait_for(Duration limit, const std::function<bool(const devnet::View&)>& enough);
    //! SIGKILL, and gone.
    void kill();
    void stop();  //!< in order
    //! Largest resident memory so far, bytes; 0 when it doesn't run.
    [[nodiscard]] std::uint64_t peak_memory() const;
    //! Processor time of all its threads so far; 0 when it doesn't run.
    [[nodiscard]] double cpu_seconds() const;
    //! When start() was called last.
    [[nodiscard]] Clock::time_point started() const { return started_; }
    [[nodiscard]] Contact contact() const { return {setup_.port, identity_}; }

  private:
    explicit NodeProcess(NodeSetup setup) : setup_(std::move(setup)) {}

    NodeSetup setup_;
    PublicKey identity_;
    std::optional<devnet::Process> process_;
    Clock::time_point started_{};
};

//! A node that has the forged chain, links to nobody and serves. It runs. Errors: as above.
Result<NodeProcess> start_server(Workspace& work, const BenchChain& chain);

}  // namespace synod::app::bench
