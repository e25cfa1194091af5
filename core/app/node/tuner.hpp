// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Measures while blocks are fetched, asks the optimizer plugin on a worker, and moves the settings
//! that core/sync/tuning.hpp lets move; a move that made things worse is taken back. Control thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/app/node/machine.hpp"
#include "core/app/node/sync_driver.hpp"
#include "core/app/plugin_faults.hpp"
#include "core/host/registry.hpp"
#include "core/sync/tuning.hpp"

namespace synod::app {

//! Between two measurements; a trial lasts one.
inline constexpr Duration kTuneEvery = std::chrono::seconds(5);

struct TunerStatus {
    std::uint64_t proposals = 0, kept = 0, reverted = 0;
    std::vector<std::pair<std::string, std::int64_t>> settings;  //!< by name, as they are now
    std::string last;     //!< what was decided last, for people
    std::string problem;  //!< the plugin's last failure; empty when it answered last time
};

class Tuner {
  public:
    using OnStrand = std::function<void(std::function<void()>)>;
    using Deliver = std::function<void(std::function<void()>)>;
    using Apply = std::function<void(const sync::Tune&)>;
    using Isolated = std::function<void(PluginFault)>;

    //! `optimizer` null: nothing moves. It outlives this object and every task of `on_strand`. After
    //! kFailuresToIsolate failures in a row it isn't asked again, the settings stay, and `isolated` is told. `machine` outlives it.
    Tuner(host::Instance* optimizer, sync::Tuning tuning, OnStrand on_strand, Deliver deliver,
          Apply apply, std::function<void(const std::string&)> log, Isolated isolated, const Machine& machine);
    ~Tuner();
    Tuner(const Tuner&) = delete;
    Tuner& operator=(const Tuner&) = delete;

    //! Every tick. `flow` is taken only when an interval is over.
    void tick(const sync::Snapshot& snapshot, const std::function<Flow()>& flow, Instant now);
    //! Whether tick would look at its arguments now: a snapshot costs something.
    [[nodiscard]] bool due(Instant now) const;
    [[nodiscard]] TunerStatus status() const;

  private:
    struct Shared;
    [[nodiscard]] sync::Measured measure(const sync::Snapshot& snapshot, const Flow& flow, Instant now);
    void ask(const sync::Measured& measured, bool bulk);
    void judge(double cost_now);

    host::Instance* optimizer_;
    const Machine& machine_;
    OnStrand on_strand_;
    Deliver deliver_;
    std::shared_ptr<Shared> shared_;  // what answers reach; they may come after our end
    Instant last_{};
    std::uint64_t last_height_ = 0;
    Duration last_cpu_{};
    std::optional<sync::State> began_in_;  // what the interval began with, when blocks were fetched
};

}  // namespace synod::app
