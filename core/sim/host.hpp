// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One simulated machine: a disk and a clock that last, and the process of a whole node that comes and
//! goes: the same Runtime, Store, Checkpointer and Node that `synod run` builds, on virtual threads, time
//! and links. One thread: the world's.

#include <functional>
#include <memory>
#include <string>

#include "core/app/checkpoint/checkpointer.hpp"
#include "core/app/node/node.hpp"
#include "core/app/runtime.hpp"
#include "core/control/server.hpp"
#include "core/sim/disk/sim_disk.hpp"
#include "core/sim/foundation.hpp"
#include "core/sim/network.hpp"
#include "core/sim/process.hpp"

namespace synod::sim {

//! How a process ends.
enum class End : std::uint8_t {
    kOrderly,  //!< links closed, everything queued is written
    kKilled,   //!< at once; what it wrote stays written, its links break
    kPower,    //!< at once; what was not synced may be lost, nobody is told
};

struct HostPlan {
    HostId id = 0;
    std::string name;
    std::shared_ptr<app::SecretKey> key;
    bool authority = false;  //!< signs with the key
    bool has_chain = false;  //!< begins with the forged chain
    bool byzantine = false;  //!< an authority that heeds neither its gate nor that its key signs elsewhere
    std::vector<app::PeerAddress> peers;
    std::uint64_t seed = 0;
    bool sync_full = false;  //!< the store waits for the disk: a power cut loses no commit
    std::uint64_t checkpoint_every = 100;  //!< blocks; 0: none
    std::filesystem::path checkpoints;     //!< the folder; unlike the store's a real one
};

//! Who looks on. Called within the host's own events.
struct HostWatch {
    std::function<void(HostId, const synod_sign_request&)> sign;
    std::function<void(HostId, const bus::Event&)> event;
    std::function<void(HostId, const std::string& level, const std::string& text)> log;
};

//! What stands between a node and its links; null: nothing does.
using Wrap = std::function<std::unique_ptr<net::Transport>(std::unique_ptr<net::Transport>)>;

class Host {
  public:
    Host(Events& events, Network& network, const Foundation& foundation, HostPlan plan, HostWatch watch,
         Wrap wrap = {});
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    //! Starts the process. Errors: those of its parts; then nothing runs.
    Result<void> boot();
    void end(End how);
    //! Stopped as by SIGSTOP, or let go on: no thread of it runs meanwhile, its links stay. It ends with the
    //! process.
    void pause(bool still);
    [[nodiscard]] bool running() const { return process_ != nullptr; }
    //! Null while it doesn't run.
    [[nodiscard]] std::shared_ptr<const app::NodeStatus> status() const;
    //! Null while it doesn't run.
    [[nodiscard]] store::Store* store();
    //! Its sync gave up for good: the program would end.
    [[nodiscard]] bool finally_failed() const;
    //! Why the program would end at once: its key is in use elsewhere.
    [[nodiscard]] std::optional<Error> halted() const;
    //! On its control thread; never when it doesn't run by then.
    void with_node(std::function<void(app::Node&)> task);
    //! A method of its operators' door. No answer comes when it ends before.
    void ask(const std::string& method, const std::string& params, const control::Reply& reply);
    struct ChainIdentity {
        Hash genesis, network_id;
    };
    //! Nothing while it doesn't run.
    [[nodiscard]] std::optional<ChainIdentity> chain_identity() const;
    [[nodiscard]] const HostPlan& plan() const { return plan_; }
    [[nodiscard]] VirtualClock& clock() { return clock_; }
    [[nodiscard]] SimDisk& disk() { return disk_; }
    //! Bytes that the disk takes; 0: any number.
    void set_capacity(std::uint64_t bytes);
    //! How many of its store's commits took the disk how long, at least and at most.
    void set_commit_time(Duration low, Duration high) { commit_low_ = low, commit_high_ = high; }
    [[nodiscard]] std::uint32_t boots() const { return boots_; }

  private:
    struct Process;
    Result<void> build(Process& process);
    Result<app::NodeConfig> settings();
    void tick();
    void read_events();

    Events& events_;
    Network& network_;
    const Foundation& foundation_;
    const HostPlan plan_;
    const HostWatch watch_;
    const Wrap wrap_;
    VirtualClock clock_;
    Random random_;
    SimDisk disk_;
    std::uint64_t capacity_ = 0;
    Duration commit_low_ = std::chrono::microseconds(200), commit_high_ = std::chrono::milliseconds(5);
    std::uint32_t boots_ = 0;
    bool prepared_ = false;
    std::unique_ptr<Process> process_;
};

}  // namespace synod::sim
