// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A scenario as a person writes it: who takes part, how the lines are, what goes wrong when, and how it
//! must end. What it leaves open (line by line, when exactly, who is "any") the seed draws. A strict
//! YAML file; mistakes are named with file, line and column. Plain values.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::sim {

//! What a hostile host does beside running a node; several at once compose.
enum class Behaviour : std::uint8_t {
    kInvalidSignature,  //!< blocks with a signature that doesn't hold
    kWrongBody,         //!< blocks whose body isn't the header's
    kTruncate,          //!< replies that end too early
    kForkServer,        //!< other blocks than were asked for
    kHeightLiar,        //!< claims what nobody has
    kSlowDrip,          //!< answers late, in little pieces
    kStall,             //!< answers twice, then takes requests and is silent
    kFlood,             //!< says much that nobody asked for
    kGarbage,           //!< frames that are no messages
    kReplay,            //!< everything twice
    kEmpty,             //!< has nothing for anybody
    kBusy,              //!< is always busy when it is asked for blocks
    kEclipse,           //!< names only its like when asked for addresses
    kStale,             //!< its status never moves
};
inline constexpr std::size_t kBehaviours = 14;
std::string_view name(Behaviour behaviour);
//! Whether honest nodes may ban for it: it can't happen to an honest peer.
bool provable(Behaviour behaviour);

struct HostileGroup {
    std::uint32_t count = 1;
    std::vector<Behaviour> does;  //!< empty: drawn for each
};

struct Fault {
    enum class What : std::uint8_t {
        kPartition,  //!< between `groups`; `one_way`: only from the first to the others
        kKill,       //!< and start again after `lasts`
        kPower,      //!< the same with the machine's power
        kCrashLoop,  //!< killed `every` so often while it lasts
        kClock,      //!< the wall clock jumps by `ms` and gains `ppm`
        kDiskFull,
        kDiskErrors,  //!< one operation in `one_in` fails
        kLines,       //!< lines of these hosts get `latency` and `loss`; `one_way`: only those towards them
        kChurn,       //!< hosts of the list come and go, one `every` so often
        kShuffle,     //!< hosts of the list are parted into two halves, other ones `every` so often
        kPause,       //!< stopped as by SIGSTOP; its links stay
        kCheckpoints, //!< the newest is damaged, or only the oldest left
        kNoMiner,     //!< nobody works on the chain's proofs; of the whole world
    };
    What what = What::kKill;
    Duration at{}, lasts{};
    Duration every = std::chrono::seconds(5);
    std::vector<std::string> hosts;
    std::vector<std::vector<std::string>> groups;
    bool one_way = false;
    std::int64_t ms = 0, ppm = 0;
    std::uint32_t one_in = 100;
    Duration latency = std::chrono::milliseconds(500);
    double loss = 0;
};
std::string_view name(Fault::What what);

//! What the federation's operators decide: an event, signed by honest authorities, for a node to take.
struct Change {
    Duration at{};
    std::string kind;         //!< as `synod governance propose` has them
    std::string key;          //!< the host whose key it is about; empty for kinds that have none
    std::string replacement;  //!< rotate-key: the host that goes on
    bool evidence = false;    //!< remove-authority: with the proof that some node keeps
    std::string parameter;
    std::uint64_t value = 0;
};

//! One more process with an authority's key, from a backup of its first day: honest, and a mistake.
struct Copy {
    std::uint32_t of = 0;
    Duration at{};
};

struct Scenario {
    std::string file, name, about;
    std::uint32_t authorities = 4;
    std::uint64_t blocks = 100;  //!< forged
    std::uint32_t max_blocks_without_pow = 0;
    std::uint32_t nodes = 1;   //!< with nothing, beside the authorities
    std::uint32_t crowd = 0;   //!< light peers that come and go
    std::vector<std::uint32_t> twins;  //!< authorities of which two processes run with one key
    std::vector<std::uint32_t> careless;  //!< authorities that heed no gate: they propose and approve on what they know
    std::vector<Copy> copies;
    std::vector<HostileGroup> hostile;
    Duration mining{};  //!< between two proofs of work on average; 0: nobody works
    std::vector<Change> changes;  //!< one after the other, each when the one before is carried
    std::vector<std::string> sees;  //!< triggers of emergencies, each of which some honest node must enter for
    Duration latency_low = std::chrono::milliseconds(5), latency_high = std::chrono::milliseconds(40);
    std::uint64_t bandwidth = 12'500'000;  //!< bytes a second
    double loss = 0, resets = 0;
    bool cold = false;  //!< everybody starts at once and nobody runs yet; else authorities are a step ahead
    bool sync_full = false;
    Duration faults_end = std::chrono::seconds(20);
    Duration settle = std::chrono::seconds(120);
    //! Whoever follows the chain is so high so long after the first; 0: some time.
    Duration follow_within{};
    double pace = 0;  //!< final blocks a slot, from the first open gate to the faults' end, at the least
    std::vector<Fault> faults;
    enum class Ends : std::uint8_t { kSynced, kHalted } ends = Ends::kSynced;
    std::string halted_by;  //!< the emergency's trigger that must be among those of who halts; empty: any
};

//! Error message: every problem, rendered. Codes: config.*, sim.unreadable.
Result<Scenario> parse_scenario(std::string_view text, const std::filesystem::path& file);
Result<Scenario> load_scenario(const std::filesystem::path& file);

}  // namespace synod::sim
