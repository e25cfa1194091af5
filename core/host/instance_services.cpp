// SPDX-License-Identifier: Apache-2.0
#include "core/host/instance_services.hpp"

#include <sodium.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>

#include "core/host/guard.hpp"

namespace synod::host {
namespace {

inline constexpr std::uint64_t kMaxScratchBytes = 64ull << 20;  // a thread, all blocks
inline constexpr std::size_t kMaxScratchBlocks = 1024;          // a thread
inline constexpr std::size_t kUnfencedBlocks = 64;              // a thread, outside the guard
inline constexpr std::uint32_t kMaxLogFields = 32;

std::string_view view(synod_str s) { return s.p == nullptr ? std::string_view() : std::string_view(s.p, s.n); }

//! Each request of a call gets a block of its own; the guard frees them when the thread's outermost
//! call into a plugin ends. Tasks and calls that no guard surrounds have no end that is seen: there
//! the oldest blocks go first, so that the newest kUnfencedBlocks of a thread stay valid.
void* scratch(const synod_host*, std::uint64_t bytes) {
    ScratchBlocks& blocks = scratch_blocks;
    const std::uint64_t rounded = bytes > kMaxScratchBytes ? 0 : (bytes + 64) / 64 * 64;
    while (crumbs.depth == 0 && !blocks.held.empty() &&
           (blocks.held.size() >= kUnfencedBlocks || blocks.bytes + rounded > kMaxScratchBytes)) {
        blocks.release_oldest();
    }
    if (rounded == 0 || blocks.held.size() >= kMaxScratchBlocks || blocks.bytes + rounded > kMaxScratchBytes) {
        return nullptr;
    }
    void* block = std::aligned_alloc(64, rounded);
    if (block != nullptr) {
        crumbs.scratch = true;
        blocks.held.push_back({block, rounded});
        blocks.bytes += rounded;
    }
    return block;
}

void log_to_spdlog(std::uint32_t level, std::string_view alias, std::string_view text,
                   std::span<const std::pair<std::string_view, std::string_view>> fields) {
    constexpr spdlog::level::level_enum kLevels[] = {
        spdlog::level::trace, spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
        spdlog::level::err, spdlog::level::err, spdlog::level::err};
    std::string line = "[" + std::string(alias) + "] " + std::string(text);
    for (const auto& [key, value] : fields) {
        line += " " + std::string(key) + "=" + std::string(value);
    }
    spdlog::log(kLevels[std::min<std::uint32_t>(level, 6)], "{}", line);
}

}  // namespace

//! A struct so that it may name Instance::Services through its template argument.
template <typename S>
struct Calls {
    static S& of(const synod_host* h) { return *static_cast<S*>(h->ctx); }
    static void write(const synod_host* h, std::uint32_t level, synod_str m, const synod_str* kv,
                      std::uint32_t n) {
        S& s = of(h);
        if (level < s.services.log_level) {
            return;
        }
        std::vector<std::pair<std::string_view, std::string_view>> fields;
        for (std::uint32_t i = 0; i < std::min(n, kMaxLogFields); ++i) {
            fields.emplace_back(view(kv[2 * i]), view(kv[2 * i + 1]));
        }
        s.services.log ? s.services.log(level, s.owner.alias(), view(m), fields)
                       : log_to_spdlog(level, s.owner.alias(), view(m), fields);
    }
    static std::uint64_t mono(const synod_host* h) {
        return static_cast<std::uint64_t>(of(h).services.clock->mono().count());
    }
    static std::uint64_t unix_ms(const synod_host* h) { return of(h).services.clock->unix_ms(); }
    static void fill(const synod_host* h, std::uint8_t* out, std::uint64_t n) {
        S& s = of(h);
        std::uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES] = {};
        const std::uint64_t number = s.drawn++;
        std::memcpy(nonce, &number, sizeof number);
        crypto_stream_chacha20_ietf(out, n, nonce, s.key.data());
    }
    static std::uint64_t define(const synod_host* h, synod_str name, std::uint32_t type, synod_str unit,
                                synod_str help) {
        S& s = of(h);
        return s.services.metrics->define(view(name), type, view(unit), view(help), s.owner.alias());
    }
    static void add(const synod_host* h, std::uint64_t id, std::int64_t delta) {
        of(h).services.metrics->add(id, delta);
    }
    static void set(const synod_host* h, std::uint64_t id, std::int64_t value) {
        of(h).services.metrics->set(id, value);
    }
    static std::uint32_t topic(const synod_host* h, synod_str name) {
        return of(h).services.events->topic(view(name));
    }
    static synod_status subscribe(const synod_host* h, std::uint32_t t, std::uint32_t n, std::uint32_t o) {
        return of(h).services.events->subscribe(of(h).owner, t, n, o);
    }
    static synod_status publish(const synod_host* h, std::uint32_t topic, synod_bytes b) {
        return of(h).services.events->publish(of(h).owner, topic, {b.p, b.n});
    }
    static synod_status post(const synod_host* h, synod_task_fn fn, void* ctx, std::uint64_t delay) {
        return of(h).services.executor->post(of(h).owner, fn, ctx, Duration(delay));
    }
    static synod_status parallel(const synod_host* h, void (*fn)(void*, std::uint32_t), void* ctx,
                                 std::uint32_t n) {
        return of(h).services.executor->parallel(of(h).owner, fn, ctx, n);
    }
    static std::uint32_t workers(const synod_host* h) { return of(h).services.executor->workers(); }
    static void sha256d(const synod_host* h, const synod_bytes* spans, std::uint64_t n, std::uint8_t* out) {
        of(h).services.hasher->sha256d({spans, n}, out);
    }
    static const void* query(const synod_host*, const char*) { return nullptr; }
    static void complete(const synod_host* h, std::uint64_t ticket, synod_status status) {
        if (of(h).services.completion != nullptr) {
            of(h).services.completion->complete(of(h).owner, ticket, status);
        }
    }
};

Instance::Services::Services(Instance& o, HostServices& s) : owner(o), services(s) {
    using C = Calls<Services>;
    log = {sizeof log, s.log_level, &C::write};
    clock = {sizeof clock, 0, &C::mono, &C::unix_ms};
    random = {sizeof random, 0, &C::fill};
    metrics = {sizeof metrics, 0, &C::define, &C::add, &C::set};
    events = {sizeof events, 0, &C::topic, &C::subscribe, &C::publish};
    exec = {sizeof exec, 0, &C::post, &C::parallel, &scratch, &C::workers};
    hash = {sizeof hash, 0, &C::sha256d};
    crypto_generichash(key.data(), key.size(), reinterpret_cast<const std::uint8_t*>(o.alias().data()),
                       o.alias().size(), s.seed.data(), s.seed.size());
    host.size = sizeof host;
    host.abi_minor = SYNOD_ABI_MINOR;
    host.ctx = this;
    host.name = {"synod", 5};
    host.version = {"0.1.0", 5};
    host.log = &log;
    host.clock = &clock;
    host.random = &random;
    host.metrics = s.metrics != nullptr ? &metrics : nullptr;
    host.events = s.events != nullptr ? &events : nullptr;
    host.exec = s.executor != nullptr ? &exec : nullptr;
    host.hash = &hash;
    host.query = &C::query;
    host.complete = &C::complete;
}

Result<void> Instance::Services::check_required(const Plugin& plugin) const {
    const std::pair<std::string_view, bool> granted[] = {
        {"synod.log/1", true}, {"synod.clock/1", true}, {"synod.random/1", true},
        {"synod.hash/1", true}, {"synod.metrics/1", host.metrics != nullptr},
        {"synod.events/1", host.events != nullptr}, {"synod.exec/1", host.exec != nullptr}};
    for (const auto& id : plugin.needs) {
        const bool known = std::any_of(std::begin(granted), std::end(granted),
                                       [&](const auto& one) { return one.second && one.first == id; });
        if (!known) {
            return fail("plugin.missing_service", "the plugin needs the host service " + id +
                        ", which this node doesn't grant", owner.alias(), "use a newer node or another plugin");
        }
    }
    return {};
}

}  // namespace synod::host
