// SPDX-License-Identifier: Apache-2.0
#pragma once
//! C++ views of what the host hands over: services, log, streams. All of them are borrowed pointers in a small value
//! type: copying is free, nothing is owned, and the thread rules are those of the function in abi.h.
#include <synod/cpp/error.hpp>
#include <synod/cpp/sha256.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace synod {

inline std::span<const uint8_t> view(synod_bytes b) noexcept {
    return b.p == nullptr ? std::span<const uint8_t>{} : std::span<const uint8_t>(b.p, static_cast<size_t>(b.n));
}
inline synod_bytes to_bytes(std::span<const uint8_t> b) noexcept { return {b.data(), b.size()}; }
inline synod_bytes to_bytes(std::string_view b) noexcept {
    return {reinterpret_cast<const uint8_t*>(b.data()), b.size()};
}

/// Where a plugin writes what may be large. write() throws Failure with the host's status when the host refuses.
class Sink {
public:
    explicit Sink(const synod_sink* raw) : raw_(raw) {
        if (raw == nullptr || raw->write == nullptr) {
            throw Failure(SYNOD_E_INVALID, "no sink given");
        }
    }
    void write(synod_bytes bytes) {
        if (bytes.n == 0) {
            return;
        }
        const synod_status status = raw_->write(raw_->ctx, bytes);
        if (status < 0) {
            throw Failure(status, "the host's sink refused bytes");
        }
    }
    void write(std::span<const uint8_t> bytes) { write(to_bytes(bytes)); }
    void write(std::string_view text) { write(to_bytes(text)); }

private:
    const synod_sink* raw_;
};

/// Where a plugin reads what may be large. Counts what it has read, so that an error can name the offset.
class Source {
public:
    explicit Source(const synod_source* raw) : raw_(raw) {
        if (raw == nullptr || raw->read == nullptr) {
            throw Failure(SYNOD_E_INVALID, "no source given");
        }
    }
    /// Up to out.size() bytes; 0 is the end. Throws Failure with the host's status.
    size_t read(std::span<uint8_t> out) {
        if (out.empty()) {
            return 0;
        }
        const int64_t n = raw_->read(raw_->ctx, out.data(), out.size());
        if (n < 0) {
            throw Failure(static_cast<synod_status>(n), "the host's source failed", {}, where());
        }
        if (static_cast<uint64_t>(n) > out.size()) {
            throw Failure(SYNOD_E_INVALID, "the host's source gave more than the buffer holds", {}, where());
        }
        offset_ += static_cast<uint64_t>(n);
        return static_cast<size_t>(n);
    }
    /// Reads until `out` is full or the source ends; returns how much came.
    size_t read_full(std::span<uint8_t> out) {
        size_t got = 0;
        while (got < out.size()) {
            const size_t n = read(out.subspan(got));
            if (n == 0) {
                break;
            }
            got += n;
        }
        return got;
    }
    uint64_t offset() const noexcept { return offset_; }
    std::string where() const { return "byte " + std::to_string(offset_); }

private:
    const synod_source* raw_;
    uint64_t offset_ = 0;
};

struct Field {
    std::string_view key, value;
};

/// Writes log lines; does nothing when the host grants no log. Check enabled() before formatting something costly.
class Log {
public:
    explicit Log(const synod_host* host) : host_(host) {}

    bool enabled(uint32_t level) const noexcept { return host_->log != nullptr && level >= host_->log->level; }
    void write(uint32_t level, std::string_view message, std::initializer_list<Field> fields = {}) const noexcept {
        if (!enabled(level) || host_->log->write == nullptr) {
            return;
        }
        std::array<synod_str, 2 * kMaxFields> kv{};
        uint32_t n = 0;
        for (const Field& f : fields) {
            if (n == kMaxFields) {
                break;
            }
            kv[2 * n] = to_str(f.key);
            kv[2 * n + 1] = to_str(f.value);
            ++n;
        }
        host_->log->write(host_, level, to_str(message), kv.data(), n);
    }
    void debug(std::string_view m, std::initializer_list<Field> f = {}) const noexcept { write(SYNOD_LOG_DEBUG, m, f); }
    void info(std::string_view m, std::initializer_list<Field> f = {}) const noexcept { write(SYNOD_LOG_INFO, m, f); }
    void warn(std::string_view m, std::initializer_list<Field> f = {}) const noexcept { write(SYNOD_LOG_WARN, m, f); }
    void error(std::string_view m, std::initializer_list<Field> f = {}) const noexcept { write(SYNOD_LOG_ERROR, m, f); }

    static constexpr uint32_t kMaxFields = 8; // pairs; more are dropped

private:
    const synod_host* host_;
};

/// The host's services. A service that was not granted throws SYNOD_E_UNSUPPORTED when it is used, except the log
/// (silent), metrics (silent) and double SHA-256 (computed here).
class Host {
public:
    explicit Host(const synod_host* raw) : raw_(raw) {}

    const synod_host* raw() const noexcept { return raw_; }
    Log log() const noexcept { return Log(raw_); }
    std::string_view name() const noexcept { return view(raw_->name); }
    std::string_view version() const noexcept { return view(raw_->version); }

    uint64_t mono_ns() const { return granted(raw_->clock, "clock").mono_ns(raw_); }
    uint64_t unix_ms() const { return granted(raw_->clock, "clock").unix_ms(raw_); }
    void random(std::span<uint8_t> out) const { granted(raw_->random, "random").fill(raw_, out.data(), out.size()); }
    uint64_t random_u64() const {
        std::array<uint8_t, 8> b{};
        random(b);
        uint64_t v = 0;
        for (size_t i = 0; i < b.size(); ++i) {
            v |= static_cast<uint64_t>(b[i]) << (8 * i); // little-endian on every machine: replays must agree
        }
        return v;
    }

    /// [main & created] an id for metric_add and metric_set; 0 when refused or not granted, which those accept.
    uint64_t metric(std::string_view name, uint32_t type, std::string_view unit, std::string_view help) const noexcept {
        return raw_->metrics == nullptr ? 0
                                        : raw_->metrics->define(raw_, to_str(name), type, to_str(unit), to_str(help));
    }
    void metric_add(uint64_t id, int64_t delta) const noexcept {
        if (id != 0 && raw_->metrics != nullptr) {
            raw_->metrics->add(raw_, id, delta);
        }
    }
    void metric_set(uint64_t id, int64_t value) const noexcept {
        if (id != 0 && raw_->metrics != nullptr) {
            raw_->metrics->set(raw_, id, value);
        }
    }

    /// The id of "name/rev"; throws when the host has no such topic.
    uint32_t topic(std::string_view name_slash_rev) const {
        const uint32_t id = granted(raw_->events, "events").topic(raw_, to_str(name_slash_rev));
        if (id == 0) {
            throw Failure(SYNOD_E_UNSUPPORTED, "unknown topic " + std::string(name_slash_rev));
        }
        return id;
    }
    void subscribe(uint32_t topic, uint32_t queue_len, uint32_t overflow) const {
        check(granted(raw_->events, "events").subscribe(raw_, topic, queue_len, overflow), "subscribe");
    }
    void publish(uint32_t topic, std::span<const uint8_t> payload) const {
        check(granted(raw_->events, "events").publish(raw_, topic, to_bytes(payload)), "publish");
    }

    /// Runs fn(ctx) as [worker] after delay_ns. `fn` must not throw.
    void post(synod_task_fn fn, void* ctx, uint64_t delay_ns = 0) const {
        check(granted(raw_->exec, "exec").post(raw_, fn, ctx, delay_ns), "post");
    }
    /// Calls fn(i) for 0..n-1 on the host's workers and returns when all are done. The first exception of an fn is
    /// thrown here again as SYNOD_E_INTERNAL. Without the exec service it runs here, one after another.
    template <class F> void parallel(uint32_t n, F&& fn) const;
    uint32_t workers() const noexcept {
        return raw_->exec != nullptr && has_field(raw_->exec, &synod_exec_api::workers) && raw_->exec->workers != nullptr
                   ? raw_->exec->workers(raw_)
                   : 1;
    }
    /// 64-byte aligned memory that dies with the call; throws SYNOD_E_NO_MEMORY when there is none left.
    void* scratch(uint64_t bytes) const {
        void* p = granted(raw_->exec, "exec").scratch(raw_, bytes);
        if (p == nullptr) {
            throw Failure(SYNOD_E_NO_MEMORY, "the host has no scratch memory left");
        }
        return p;
    }

    /// Double SHA-256 of each span into 32 bytes each.
    void sha256d(std::span<const synod_bytes> spans, uint8_t* out) const noexcept {
        if (raw_->hash != nullptr && raw_->hash->sha256d != nullptr) {
            raw_->hash->sha256d(raw_, spans.data(), spans.size(), out);
            return;
        }
        for (size_t i = 0; i < spans.size(); ++i) {
            const Digest32 d = synod::sha256d(view(spans[i]));
            std::memcpy(out + 32 * i, d.data(), d.size());
        }
    }
    Digest32 sha256d(std::span<const uint8_t> bytes) const noexcept {
        const synod_bytes one = to_bytes(bytes);
        Digest32 out{};
        sha256d({&one, 1}, out.data());
        return out;
    }

    const void* query(const char* id_slash_rev) const noexcept {
        return raw_->query == nullptr ? nullptr : raw_->query(raw_, id_slash_rev);
    }
    /// Ends a call that answered SYNOD_PENDING; exactly once a ticket.
    void complete(uint64_t ticket, synod_status status) const noexcept { raw_->complete(raw_, ticket, status); }

private:
    template <class S> const S& granted(const S* service, const char* name) const {
        if (service == nullptr) {
            throw Failure(SYNOD_E_UNSUPPORTED, std::string("the host service '") + name + "' was not granted",
                          "list it in the plugin's grants");
        }
        return *service;
    }
    static void check(synod_status status, const char* what) {
        if (status < 0) {
            throw Failure(status, std::string("the host refused ") + what);
        }
    }
    const synod_host* raw_;
};

template <class F> void Host::parallel(uint32_t n, F&& fn) const {
    struct Job {
        std::remove_reference_t<F>* fn;
        synod_error error;
        std::atomic<bool> failed;
    };
    Job job{&fn, {}, {false}};
    const auto run = [](void* ctx, uint32_t i) noexcept {
        auto& j = *static_cast<Job*>(ctx);
        synod_error error{};
        error.size = sizeof(error);
        if (guard(&error, [&] { (*j.fn)(i); }) < 0 && !j.failed.exchange(true)) {
            j.error = error; // only the first failing task gets here
        }
    };
    if (raw_->exec == nullptr || raw_->exec->parallel == nullptr) {
        for (uint32_t i = 0; i < n; ++i) {
            run(&job, i);
        }
    } else {
        check(raw_->exec->parallel(raw_, run, &job, n), "parallel");
    }
    if (job.failed) {
        throw Failure(job.error.code, job.error.message, job.error.hint, job.error.where);
    }
}

} // namespace synod
