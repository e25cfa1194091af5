// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What came of a simulation: as values, as JSON for programs and as one HTML page for people. Pure.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/sim/referee.hpp"
#include "core/sim/tamper.hpp"

namespace synod::sim {

struct HostReport {
    std::string name;
    bool honest = true, authority = false, running = true;
    std::string state;
    std::uint64_t height = 0, committed = 0;
    bool gate_open = false;
    std::optional<double> synced_after_s;  //!< from its first boot
    std::uint32_t boots = 0, gave_up = 0;
    std::uint64_t bytes_of_blocks = 0;  //!< received
    std::uint64_t bytes_stored = 0;     //!< of them, what its chain grew by
    std::uint64_t proposed = 0;         //!< blocks, since its last boot
    std::string reason;                 //!< why it stands still, in its own words
};

//! The state of the honest ones every half second.
struct Sample {
    double at_s = 0;
    std::uint64_t lowest = 0, highest = 0, committed = 0;
    std::uint32_t running = 0, synced = 0, gates = 0;
    std::uint64_t bytes = 0;  //!< moved so far, by everybody
};

struct FaultReport {
    std::string what, who;
    double at_s = 0, ended_s = 0;
    //! From its end until every honest host followed the tip; nothing when that didn't come.
    std::optional<double> over_after_s;
};

struct Report {
    std::string scenario, about, file;
    std::uint64_t seed = 0;
    double virtual_s = 0, real_s = 0;
    std::uint64_t events = 0, frames = 0, bytes = 0, trace = 0, trace_lines = 0;
    std::optional<double> settled_after_s;  //!< from the faults' end
    std::uint64_t final_height = 0;
    std::uint64_t equivocations = 0;  //!< slots for which a Byzantine authority signed twice
    std::uint64_t changes = 0;        //!< of the federation, carried by the chain
    std::uint64_t proofs_accepted = 0;  //!< of work
    std::map<std::string, std::uint64_t> proofs_refused;  //!< by code
    std::set<std::string> seen;  //!< triggers for which honest nodes were in an emergency
    std::vector<HostReport> hosts;
    std::vector<Sample> samples;
    std::vector<FaultReport> faults;
    std::vector<Referee::Ban> bans;
    struct Missed {
        std::string who, does;
        std::uint64_t frames = 0;
    };
    std::vector<Missed> not_banned;  //!< hostile, provable, and nobody banned them
    std::vector<Violation> violations;
    [[nodiscard]] bool passed() const { return violations.empty(); }
    //! What repeats it.
    [[nodiscard]] std::string command() const;
};

//! One line of JSON. `timing`: with what differs from run to run.
std::string report_json(const Report& report, bool timing = true);
//! A page that needs nothing else.
std::string report_html(const Report& report);

}  // namespace synod::sim
