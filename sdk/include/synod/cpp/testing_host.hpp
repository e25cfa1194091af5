// SPDX-License-Identifier: Apache-2.0
#pragma once
//! FakeHost: every host service, under the test's control. The test owns it and outlives the plugin instance with it.
//! What plugins may call from any thread is guarded by a mutex; the recorded lists are read when no task runs.
#include <synod/cpp/host.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace synod::testing {

enum class Parallel { Inline, Threads }; ///< how exec->parallel runs its tasks

struct LogLine {
    uint32_t level;
    std::string message;
    std::vector<std::pair<std::string, std::string>> fields;
};
struct Metric {
    std::string name, unit, help;
    uint32_t type = 0;
    int64_t value = 0;
};
struct Subscription {
    uint32_t topic, queue_len, overflow;
};
struct Published {
    uint32_t topic;
    std::vector<uint8_t> payload;
};

class FakeHost {
public:
    static constexpr uint32_t kMaxThreads = 4;
    static constexpr uint64_t kScratchMax = 64u << 20; // bytes held at once

    explicit FakeHost(uint64_t seed = 1, Parallel parallel = Parallel::Inline) : seed_(seed), parallel_(parallel) {
        host_ = {sizeof(synod_host), SYNOD_ABI_MINOR, this,         to_str("fake-host"), to_str("0"), &log_,
                 &clock_,            &random_,        &metric_,     &event_,             &exec_,      &hash_,
                 &query_thunk,       &complete_thunk};
    }
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    /// Change the pointers in it to withhold a service, before the instance is created.
    synod_host& table() { return host_; }
    const synod_host* raw() const { return &host_; }

    /// Moves the clock and runs the tasks that fall due on the way, in order of time, then of posting.
    void advance(uint64_t ns) {
        const uint64_t until = now_ns + ns;
        while (run_next(until)) {
        }
        now_ns = until;
    }
    /// Runs what is due now, including tasks that these post without delay; at most `limit` of them.
    size_t run_due(size_t limit = 10000) {
        size_t n = 0;
        while (n < limit && run_next(now_ns)) {
            ++n;
        }
        return n;
    }
    size_t tasks_waiting() const { return tasks_.size(); }
    /// Ends the life of all scratch memory, as the end of a host call does.
    void end_call() { scratch_.clear(); }

    /// Makes a topic known; returns its id.
    uint32_t add_topic(std::string name_slash_rev) {
        topics.push_back(std::move(name_slash_rev));
        return static_cast<uint32_t>(topics.size());
    }
    void offer(std::string id_slash_rev, const void* table) { offered_[std::move(id_slash_rev)] = table; }
    const Metric* metric(std::string_view name) const {
        for (const Metric& m : metrics) {
            if (m.name == name) {
                return &m;
            }
        }
        return nullptr;
    }

    uint64_t now_ns = 1'000'000'000;         ///< what mono_ns answers
    uint64_t unix_ms = 1'700'000'000'000;    ///< at now_ns of construction; moves with advance() through mono time
    std::vector<LogLine> lines;
    std::vector<Metric> metrics;             ///< id = index + 1
    std::vector<std::string> topics;         ///< id = index + 1
    std::vector<Subscription> subscriptions;
    std::vector<Published> published;
    std::map<uint64_t, std::vector<synod_status>> completions; ///< by ticket; more than one status is a plugin's fault

private:
    struct Task {
        uint64_t at_ns, seq;
        synod_task_fn fn;
        void* ctx;
    };
    static FakeHost& of(const synod_host* h) { return *static_cast<FakeHost*>(h->ctx); }

    bool run_next(uint64_t until) {
        size_t best = tasks_.size();
        {
            const std::lock_guard lock(mutex_);
            for (size_t i = 0; i < tasks_.size(); ++i) {
                const bool earlier = best == tasks_.size() || tasks_[i].at_ns < tasks_[best].at_ns;
                if (tasks_[i].at_ns <= until && earlier) {
                    best = i; // equal times keep posting order
                }
            }
            if (best == tasks_.size()) {
                return false;
            }
            running_ = tasks_[best];
            tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(best));
        }
        now_ns = std::max(now_ns, running_.at_ns);
        running_.fn(running_.ctx);
        return true;
    }
    uint64_t next_random() { // splitmix64 (Steele, Lea, Flood 2014)
        uint64_t z = (seed_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    static void log_thunk(const synod_host* h, uint32_t level, synod_str message, const synod_str* kv, uint32_t n) {
        LogLine line{level, std::string(view(message)), {}};
        for (uint32_t i = 0; i < n; ++i) {
            line.fields.emplace_back(view(kv[2 * i]), view(kv[2 * i + 1]));
        }
        const std::lock_guard lock(of(h).mutex_);
        of(h).lines.push_back(std::move(line));
    }
    static uint64_t mono_thunk(const synod_host* h) { return of(h).now_ns; }
    static uint64_t unix_thunk(const synod_host* h) {
        return of(h).unix_ms + (of(h).now_ns - 1'000'000'000) / 1'000'000;
    }
    static void fill_thunk(const synod_host* h, uint8_t* out, uint64_t n) {
        const std::lock_guard lock(of(h).mutex_);
        for (uint64_t i = 0; i < n; ++i) {
            out[i] = static_cast<uint8_t>(of(h).next_random());
        }
    }
    static uint64_t define_thunk(const synod_host* h, synod_str name, uint32_t type, synod_str unit, synod_str help) {
        const std::lock_guard lock(of(h).mutex_);
        of(h).metrics.push_back({std::string(view(name)), std::string(view(unit)), std::string(view(help)), type, 0});
        return of(h).metrics.size();
    }
    static void add_thunk(const synod_host* h, uint64_t id, int64_t delta) {
        const std::lock_guard lock(of(h).mutex_);
        of(h).metrics.at(id - 1).value += delta;
    }
    static void set_thunk(const synod_host* h, uint64_t id, int64_t value) {
        const std::lock_guard lock(of(h).mutex_);
        of(h).metrics.at(id - 1).value = value;
    }
    static uint32_t topic_thunk(const synod_host* h, synod_str name) {
        for (size_t i = 0; i < of(h).topics.size(); ++i) {
            if (of(h).topics[i] == view(name)) {
                return static_cast<uint32_t>(i + 1);
            }
        }
        return 0;
    }
    static synod_status subscribe_thunk(const synod_host* h, uint32_t topic, uint32_t queue_len, uint32_t overflow) {
        if (topic == 0 || topic > of(h).topics.size()) {
            return SYNOD_E_INVALID;
        }
        of(h).subscriptions.push_back({topic, queue_len, overflow});
        return SYNOD_OK;
    }
    static synod_status publish_thunk(const synod_host* h, uint32_t topic, synod_bytes payload) {
        const auto bytes = view(payload);
        const std::lock_guard lock(of(h).mutex_);
        of(h).published.push_back({topic, {bytes.begin(), bytes.end()}});
        return SYNOD_OK;
    }
    static synod_status post_thunk(const synod_host* h, synod_task_fn fn, void* ctx, uint64_t delay_ns) {
        const std::lock_guard lock(of(h).mutex_);
        of(h).tasks_.push_back({of(h).now_ns + delay_ns, of(h).seq_++, fn, ctx});
        return SYNOD_OK;
    }
    static synod_status parallel_thunk(const synod_host* h, void (*fn)(void*, uint32_t), void* ctx, uint32_t n) {
        if (of(h).parallel_ == Parallel::Inline) {
            for (uint32_t i = 0; i < n; ++i) {
                fn(ctx, i);
            }
            return SYNOD_OK;
        }
        std::atomic<uint32_t> next{0};
        std::vector<std::thread> threads;
        for (uint32_t t = 0; t < std::min(n, kMaxThreads); ++t) {
            threads.emplace_back([&] {
                for (uint32_t i = next++; i < n; i = next++) {
                    fn(ctx, i);
                }
            });
        }
        for (auto& t : threads) {
            t.join();
        }
        return SYNOD_OK;
    }
    static void* scratch_thunk(const synod_host* h, uint64_t bytes) {
        const uint64_t rounded = (bytes + 63) / 64 * 64;
        const std::lock_guard lock(of(h).mutex_);
        if (bytes > kScratchMax || of(h).scratch_.size() > 1000) {
            return nullptr;
        }
        of(h).scratch_.emplace_back(std::aligned_alloc(64, rounded == 0 ? 64 : rounded), &std::free);
        return of(h).scratch_.back().get();
    }
    static uint32_t workers_thunk(const synod_host* h) {
        return of(h).parallel_ == Parallel::Inline ? 1 : kMaxThreads;
    }
    static void hash_thunk(const synod_host*, const synod_bytes* spans, uint64_t n, uint8_t* out) {
        for (uint64_t i = 0; i < n; ++i) {
            const Digest32 d = synod::sha256d(view(spans[i]));
            std::memcpy(out + 32 * i, d.data(), d.size());
        }
    }
    static const void* query_thunk(const synod_host* h, const char* id) {
        const auto found = of(h).offered_.find(id);
        return found == of(h).offered_.end() ? nullptr : found->second;
    }
    static void complete_thunk(const synod_host* h, uint64_t ticket, synod_status status) {
        const std::lock_guard lock(of(h).mutex_);
        of(h).completions[ticket].push_back(status);
    }

    synod_log_api log_{sizeof(synod_log_api), SYNOD_LOG_TRACE, &log_thunk};
    synod_clock_api clock_{sizeof(synod_clock_api), 0, &mono_thunk, &unix_thunk};
    synod_random_api random_{sizeof(synod_random_api), 0, &fill_thunk};
    synod_metric_api metric_{sizeof(synod_metric_api), 0, &define_thunk, &add_thunk, &set_thunk};
    synod_event_api event_{sizeof(synod_event_api), 0, &topic_thunk, &subscribe_thunk, &publish_thunk};
    synod_exec_api exec_{sizeof(synod_exec_api), 0, &post_thunk, &parallel_thunk, &scratch_thunk, &workers_thunk};
    synod_hash_api hash_{sizeof(synod_hash_api), 0, &hash_thunk};
    synod_host host_{};
    std::mutex mutex_;
    uint64_t seed_, seq_ = 0;
    Parallel parallel_;
    std::deque<Task> tasks_;
    Task running_{};
    std::vector<std::unique_ptr<void, decltype(&std::free)>> scratch_;
    std::map<std::string, const void*, std::less<>> offered_;
};

} // namespace synod::testing
