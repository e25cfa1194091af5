// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What plugins may ask of the host, as interfaces. The app fills a HostServices and hands it to the
//! Registry, which builds one synod_host an instance from it. A null member is a service that isn't
//! granted: its block in synod_host is NULL. All members must outlive the registry.

#include <synod/abi.h>

#include <array>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace synod::host {

class Instance;

//! [shared] Virtual in the simulator.
struct Clock {
    virtual ~Clock() = default;
    virtual Instant mono() = 0;
    virtual UnixMs unix_ms() = 0;
};

//! The process' clocks. Any thread.
Clock& system_clock();

//! The pipeline's workers. `who` says on whose strand the task runs.
struct Executor {
    virtual ~Executor() = default;
    //! [shared] Runs fn(ctx) on `who`'s strand after `delay`, under the fence. SYNOD_E_BUSY when its
    //! queue is full, SYNOD_E_CANCELLED when `who` takes no tasks any more.
    virtual synod_status post(Instance& who, synod_task_fn fn, void* ctx, Duration delay) = 0;
    //! [worker] Fork-join for `who`; returns when all n calls are done. SYNOD_E_INTERNAL when one threw.
    virtual synod_status parallel(Instance& who, void (*fn)(void*, std::uint32_t), void* ctx,
                                  std::uint32_t n) = 0;
    virtual std::uint32_t workers() = 0;
    //! [main] Called once `who` takes no tasks any more, before it is deactivated or destroyed: returns
    //! when none of its tasks runs.
    virtual void settle(Instance&) {}
};

//! The bus, as plugins see it.
struct EventPort {
    virtual ~EventPort() = default;
    virtual std::uint32_t topic(std::string_view name_slash_rev) = 0;  //!< 0: unknown
    virtual synod_status subscribe(Instance& who, std::uint32_t topic, std::uint32_t queue_events,
                                   std::uint32_t overflow) = 0;
    virtual synod_status publish(Instance& who, std::uint32_t topic, ByteView payload) = 0;
};

//! [shared] Where the ends of PENDING calls go.
struct Completion {
    virtual ~Completion() = default;
    virtual void complete(Instance& who, std::uint64_t ticket, synod_status status) = 0;
};

//! [shared] Writes 32 bytes a span.
struct Hasher {
    virtual ~Hasher() = default;
    virtual void sha256d(std::span<const synod_bytes> spans, std::uint8_t* out) = 0;
};

//! libsodium's SHA-256 twice: what serves until the validation backend is active.
Hasher& portable_hasher();

//! [shared] `id` is 1.. ; 0 is a refusal. core/host/metrics.hpp has the real one.
struct MetricPort {
    virtual ~MetricPort() = default;
    virtual std::uint64_t define(std::string_view name, std::uint32_t type, std::string_view unit,
                                 std::string_view help, std::string_view instance) = 0;
    virtual void add(std::uint64_t id, std::int64_t delta) = 0;
    virtual void set(std::uint64_t id, std::int64_t value) = 0;
};

//! [shared] `fields` are key/value pairs. Null: spdlog's default logger.
using LogSink = std::function<void(std::uint32_t level, std::string_view alias, std::string_view text,
                                   std::span<const std::pair<std::string_view, std::string_view>>)>;

struct HostServices {
    Clock* clock = nullptr;
    Executor* executor = nullptr;
    EventPort* events = nullptr;
    Completion* completion = nullptr;
    Hasher* hasher = nullptr;
    MetricPort* metrics = nullptr;
    LogSink log;
    std::uint32_t log_level = SYNOD_LOG_INFO;
    //! Every instance's random stream is derived from this and its alias.
    std::array<std::uint8_t, 32> seed{};
};

}  // namespace synod::host
