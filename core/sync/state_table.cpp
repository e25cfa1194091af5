// SPDX-License-Identifier: Apache-2.0
#include "core/sync/state_table.hpp"

#include <array>

namespace synod::sync {
namespace {

constexpr std::size_t index(State state) { return static_cast<std::size_t>(state); }

constexpr Cell kHandle{Outcome::handle, {}};
constexpr Cell kIgnore{Outcome::ignore, {}};
constexpr Cell refuse(std::string_view why) { return {Outcome::refuse, why}; }

using Row = std::array<Cell, kStateCount>;

// Columns: idle, discovering, headers, blocks, catching_up, synced, paused, recovering, failed,
// emergency.
constexpr Cell kActive = refuse("already synchronising");
constexpr Row kStart = {kHandle, kActive, kActive, kActive, kActive, kHandle,
                        refuse("paused: resume or stop first"),
                        refuse("recovering: wait for it to end, or stop first"), kHandle,
                        refuse("in emergency: resume to leave it, or stop first")};
constexpr Row kPause = {refuse("not started"), kHandle, kHandle, kHandle, kHandle, kHandle,
                        refuse("already paused"), refuse("recovering can't be paused; stop it"),
                        refuse("failed: nothing runs"), refuse("in emergency: nothing to pause")};
constexpr Cell kRunning = refuse("not paused");
constexpr Row kResume = {refuse("not started"), kRunning, kRunning, kRunning, kRunning, kRunning,
                         kHandle, refuse("recovering by itself"),
                         refuse("failed: start instead"), kHandle};
constexpr Row kStop = {refuse("not started"), kHandle, kHandle, kHandle, kHandle, kHandle,
                       kHandle, kHandle, kHandle, kHandle};
constexpr Row kAlways = {kHandle, kHandle, kHandle, kHandle, kHandle,
                         kHandle, kHandle, kHandle, kHandle, kHandle};
// A fault where nothing runs is the store's own to report; where recovery runs it ends that.
constexpr Row kFault = {kIgnore, kHandle, kHandle, kHandle, kHandle,
                        kHandle, kHandle, kHandle, kIgnore, kHandle};
constexpr Row kRecovery = {kIgnore, kIgnore, kIgnore, kIgnore, kIgnore,
                           kIgnore, kIgnore, kHandle, kIgnore, kIgnore};
constexpr Row kAlarm = {kHandle, kHandle, kHandle, kHandle, kHandle,
                        kHandle, kHandle, kHandle, kHandle, kHandle};
constexpr Row kAllClear = {kIgnore, kIgnore, kIgnore, kIgnore, kIgnore,
                           kIgnore, kIgnore, kIgnore, kIgnore, kHandle};

constexpr const Row& row(EventKind event) {
    switch (event) {
        case EventKind::start: return kStart;
        case EventKind::pause: return kPause;
        case EventKind::resume: return kResume;
        case EventKind::stop: return kStop;
        case EventKind::store_fault:
        case EventKind::chain_fault: return kFault;
        case EventKind::recovery_done:
        case EventKind::recovery_failed: return kRecovery;
        case EventKind::emergency_entered: return kAlarm;
        case EventKind::emergency_cleared: return kAllClear;
        default: return kAlways;
    }
}

// Which states may follow a state; bit n is state n.
constexpr std::uint16_t bits(std::initializer_list<State> states) {
    std::uint16_t out = 0;
    for (const State state : states) {
        out = static_cast<std::uint16_t>(out | (1U << index(state)));
    }
    return out;
}

constexpr std::uint16_t kAnywhere = bits({State::idle, State::paused, State::failed,
                                          State::emergency});
constexpr std::array<std::uint16_t, kStateCount> kFollows = {
    bits({State::discovering, State::emergency}),                                // idle
    bits({State::downloading_headers, State::synced}) | kAnywhere,               // discovering
    bits({State::downloading_blocks, State::synced}) | kAnywhere,                // headers
    bits({State::catching_up, State::synced}) | kAnywhere,                       // blocks
    bits({State::synced, State::downloading_headers}) | kAnywhere,               // catching_up
    bits({State::catching_up, State::downloading_headers, State::discovering}) | kAnywhere,
    bits({State::idle, State::discovering, State::downloading_headers, State::downloading_blocks,
          State::catching_up, State::synced, State::failed, State::emergency}),  // paused
    bits({State::discovering, State::failed, State::idle, State::emergency}),    // recovering
    bits({State::recovering, State::discovering, State::idle, State::emergency}),
    bits({State::idle, State::discovering, State::paused, State::failed}),       // emergency
};

}  // namespace

Cell cell(State state, EventKind event) {
    return index(state) < kStateCount ? row(event)[index(state)] : kIgnore;
}

bool may_move(State from, State to) {
    return index(from) < kStateCount && (kFollows[index(from)] & (1U << index(to))) != 0;
}

bool active(State state) {
    return state >= State::discovering && state <= State::synced;
}

}  // namespace synod::sync
