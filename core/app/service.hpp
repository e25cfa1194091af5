// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A whole node as a manifest describes it: plugins, store, checkpoints, the node and its control
//! door, built in order and taken down in reverse. Main thread, which is the control thread.

#include <functional>
#include <memory>

#include "core/app/checkpoint/checkpointer.hpp"
#include "core/app/node/node.hpp"
#include "core/app/runtime.hpp"
#include "core/control/server.hpp"

namespace synod::app {

class Service {
  public:
    //! The listening ports are open and nothing runs yet. Errors: those of the manifest's parts:
    //! plugin.*, genesis.*, store.*, key.*, net.*, control.*, checkpoint.*.
    static Result<std::unique_ptr<Service>> start(const host::Manifest& manifest);
    ~Service();

    //! Runs until `after_tick` answers false; it is called about every kTick.
    void run(const std::function<bool()>& after_tick);
    //! Closes the door and the links and writes what is queued. Idempotent.
    void close();
    [[nodiscard]] Node& node() { return *node_; }
    //! Somebody asked for the stop through the control door.
    [[nodiscard]] bool stop_asked() const { return stop_asked_; }
    //! Why it must not go on; run() ends with it.
    [[nodiscard]] const std::optional<Error>& halted() const { return halted_; }

  private:
    Service() = default;
    Result<void> open_checkpoints(const host::Manifest& manifest);
    Result<void> open_node(const host::Manifest& manifest);
    Result<void> open_door(const host::Manifest& manifest);
    Result<void> open_mining_door(const host::Manifest& manifest);
    control::Handlers handlers();
    //! Runs tasks as [worker] of the instance.
    std::function<void(std::function<void()>)> strand(host::Instance* instance);

    std::unique_ptr<Runtime> runtime_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<Checkpointer> checkpoints_;
    std::unique_ptr<Node> node_;
    net::Network* network_ = nullptr;  // the node's: the door shares its thread
    std::unique_ptr<control::ControlServer> mining_door_;
    std::unique_ptr<control::ControlServer> door_;
    bool stop_asked_ = false;
    std::optional<Error> halted_;
};

}  // namespace synod::app
