// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The workers as plugins see them: host::Executor over a WorkerPool. One strand an instance, so that
//! what the ABI calls [worker] never runs twice at once for it. Owned by the app, made after the pool
//! and before the registry, destroyed after both stopped using it. Any thread, but for `settle`.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "core/host/guard.hpp"
#include "core/pipeline/worker_pool.hpp"

namespace synod::app {

inline constexpr std::uint32_t kMaxPluginTasks = 1'024;  // of one instance, waiting or delayed

class PluginTasks final : public host::Executor {
  public:
    //! Runs the task once the delay is over, on any thread; may drop it when the program ends.
    using After = std::function<void(Duration, std::function<void()>)>;

    PluginTasks(pipeline::Workers& pool, After after) : pool_(pool), after_(std::move(after)) {}
    PluginTasks(const PluginTasks&) = delete;
    PluginTasks& operator=(const PluginTasks&) = delete;

    //! The instance's strand, made when first asked for.
    std::shared_ptr<pipeline::Strand> strand(const host::Instance& who);
    //! From now on `second` runs on the strand of `first`. Before anything ran on its own.
    void share(const host::Instance& first, const host::Instance& second);
    //! [main] Delayed tasks are refused from now on: SYNOD_E_CANCELLED.
    void no_more_delays();

    synod_status post(host::Instance& who, synod_task_fn fn, void* ctx, Duration delay) override;
    synod_status parallel(host::Instance& who, void (*fn)(void*, std::uint32_t), void* ctx,
                          std::uint32_t n) override;
    std::uint32_t workers() override { return pool_.workers(); }
    //! Not from the instance's own strand.
    void settle(host::Instance& who) override;

  private:
    struct Lane {
        std::shared_ptr<pipeline::Strand> strand;
        std::shared_ptr<std::atomic<std::uint32_t>> waiting;
    };
    Lane lane(const host::Instance& who);

    pipeline::Workers& pool_;
    std::mutex mutex_;
    After after_;
    std::map<const host::Instance*, Lane> lanes_;
};

}  // namespace synod::app
