// SPDX-License-Identifier: Apache-2.0
//! abi.call: one small call into a plugin with all guards on (state, thread, exceptions, crumb, error
//! slot, counters), beside the same call through the bare function pointer. Calls that take a batch read the
//! clock twice on top of that; what such a call costs is in the details.
#include "core/app/bench/families.hpp"
#include "core/app/bench/micro.hpp"
#include "core/host/guard.hpp"

namespace synod::app::bench {

namespace {

using Api = synod_consensus_api;
constexpr std::size_t kCalls = 1'024;  // an iteration
constexpr host::Terms kSmall{"consensus.author_of", host::in(host::State::kActive), host::Role::kWorker,
                             false};
constexpr host::Terms kTimed{"consensus.author_of", host::in(host::State::kActive), host::Role::kWorker,
                             true};

void call_guarded(host::Instance& plugin, const host::Terms& terms, const synod_state* state) {
    for (std::size_t i = 0; i < kCalls; ++i) {
        std::uint32_t author = 0;
        std::uint8_t* no_key = nullptr;
        const auto done = host::call<&Api::author_of>(plugin, terms, i, state, i, &author, no_key);
        keep(&done);
        keep(&author);
    }
}

void call_bare(host::Instance& plugin, const synod_state* state) {
    const auto* table = plugin.table<Api>();
    synod_error error{};
    error.size = sizeof error;
    for (std::size_t i = 0; i < kCalls; ++i) {
        std::uint32_t author = 0;
        const auto status = table->author_of(plugin.handle(), state, i, &author, nullptr, &error);
        keep(&status);
        keep(&author);
    }
}

std::vector<double> nanoseconds(std::vector<double> seconds) {
    for (auto& value : seconds) {
        value *= 1e9;
    }
    return seconds;
}

}  // namespace

Figures bench_abi(Workspace& work) {
    auto runtime = work.runtime();
    if (!runtime) {
        return all_failed("abi", runtime.error());
    }
    auto& plugin = *(*runtime)->registry().of_kind(SYNOD_KIND_CONSENSUS);
    Result<std::map<std::string, std::vector<double>>> seconds;
    (*runtime)->on_worker([&] {
        auto genesis = (*runtime)->consensus().genesis();
        if (!genesis) {
            seconds = std::unexpected(genesis.error());
            return;
        }
        const auto* state = genesis->state.get();
        Micro micro;
        micro.add("guarded", kCalls, [&] { call_guarded(plugin, kSmall, state); });
        micro.add("timed", kCalls, [&] { call_guarded(plugin, kTimed, state); });
        micro.add("bare", kCalls, [&] { call_bare(plugin, state); });
        seconds = micro.run(work.options().runs);
    });
    if (!seconds) {
        return all_failed("abi", seconds.error());
    }
    Figure out;
    out.name = "abi.call";
    out.value = sample(nanoseconds((*seconds)["guarded"]));
    out.baseline = "guards off: the same function through its bare pointer";
    out.baseline_value = sample(nanoseconds((*seconds)["bare"]));
    out.details["timed_ns"] = sample(nanoseconds((*seconds)["timed"])).median;
    return {std::move(out)};
}

}  // namespace synod::app::bench
