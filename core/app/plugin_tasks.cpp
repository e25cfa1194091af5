// SPDX-License-Identifier: Apache-2.0
#include "core/app/plugin_tasks.hpp"

#include <future>

namespace synod::app {

PluginTasks::Lane PluginTasks::lane(const host::Instance& who) {
    const std::scoped_lock lock(mutex_);
    auto& lane = lanes_[&who];
    if (!lane.strand) {
        lane = {pipeline::Strand::make(pool_), std::make_shared<std::atomic<std::uint32_t>>(0)};
    }
    return lane;
}

std::shared_ptr<pipeline::Strand> PluginTasks::strand(const host::Instance& who) {
    return lane(who).strand;
}

void PluginTasks::share(const host::Instance& first, const host::Instance& second) {
    auto to = strand(first);
    lane(second);
    const std::scoped_lock lock(mutex_);
    lanes_[&second].strand = std::move(to);
}

void PluginTasks::no_more_delays() {
    const std::scoped_lock lock(mutex_);
    after_ = nullptr;
}

synod_status PluginTasks::post(host::Instance& who, synod_task_fn fn, void* ctx, Duration delay) {
    if (fn == nullptr || delay.count() < 0) {
        return SYNOD_E_INVALID;
    }
    if (!who.takes_tasks()) {
        return SYNOD_E_CANCELLED;
    }
    const auto to = lane(who);
    if (to.waiting->fetch_add(1) >= kMaxPluginTasks) {
        to.waiting->fetch_sub(1);
        return SYNOD_E_BUSY;
    }
    auto task = [&who, waiting = to.waiting, fn, ctx] {
        waiting->fetch_sub(1);
        if (who.takes_tasks()) {
            host::fenced_task(who, "task", 0, [&] { fn(ctx); });
        }
    };
    if (delay.count() == 0) {
        to.strand->post(std::move(task));
        return SYNOD_OK;
    }
    const std::scoped_lock lock(mutex_);
    if (!after_) {
        to.waiting->fetch_sub(1);
        return SYNOD_E_CANCELLED;
    }
    after_(delay, [strand = to.strand, task = std::move(task)] { strand->post(task); });
    return SYNOD_OK;
}

synod_status PluginTasks::parallel(host::Instance& who, void (*fn)(void*, std::uint32_t), void* ctx,
                                   std::uint32_t n) {
    if (fn == nullptr) {
        return SYNOD_E_INVALID;
    }
    // The parts run on threads that know nothing of the call: they carry its crumb.
    const auto call = host::innermost();
    const char* const name = call.function != nullptr ? call.function : "parallel";
    std::atomic<bool> threw{false};
    pool_.parallel(n, [&](std::uint32_t i) {
        if (!host::fenced_task(who, name, call.batch, [&] { fn(ctx, i); })) {
            threw = true;
        }
    });
    return threw ? SYNOD_E_INTERNAL : SYNOD_OK;
}

void PluginTasks::settle(host::Instance& who) {
    strand(who)->post_and_wait([] {});
}

}  // namespace synod::app
