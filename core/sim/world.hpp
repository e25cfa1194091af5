// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The hosts of a simulation and what goes wrong with them. One thread.

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "core/sim/crowd.hpp"
#include "core/sim/miner.hpp"
#include "core/sim/operators.hpp"
#include "core/sim/referee.hpp"
#include "core/sim/report.hpp"
#include "core/sim/scenario.hpp"

namespace synod::sim {

//! Between two looks at all hosts.
inline constexpr Duration kSampleEvery = std::chrono::milliseconds(500);

//! A service that ended by itself is started again after so long.
inline constexpr Duration kRestartAfter = std::chrono::seconds(3);

inline std::uint32_t millionths(double share) { return static_cast<std::uint32_t>(share * 1'000'000); }

class World {
  public:
    World(const Scenario& scenario, std::uint64_t seed, std::uint32_t nodes, const Foundation& foundation,
          BlockCheck& check, Trace& trace);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    //! Puts the boots and the faults into the future. Errors: sim.host.
    Result<void> begin();
    //! Until it is decided how it ends, or `until`.
    void run(std::optional<Duration> until);
    void tell(Report& out);

  private:
    struct Member {
        std::unique_ptr<Host> host;
        bool honest = true;
        std::set<Behaviour> does;
        TamperFigures tampered;
        std::optional<Duration> copy;  //!< runs with a key that is another's, from then on, and must find that out
        bool wanted = true;  //!< a process should run
        bool trouble = false;  //!< its disk or clock is wrong: it may fail
        Instant trouble_until{};
        std::map<std::uint64_t, PublicKey> peers;  //!< that it ever had in this process
        std::optional<Instant> first_boot, synced;
        std::uint32_t gave_up = 0;
        std::uint64_t bytes_of_blocks = 0, bytes_stored = 0;
    };
    using Pair = std::pair<HostId, HostId>;

    void add_hosts(std::uint32_t nodes);
    Operators::Federation federation();
    Host* someone(bool follows);
    Member& add(HostPlan plan, bool honest, std::set<Behaviour> does);
    void part_twins();
    void boot(Member& member);
    void end(Member& member, End how);
    void start_again(Member& member, Duration after);
    void heard(Member& member, const bus::Event& event);
    void say(const Member& member, const std::string& text);
    Result<std::vector<HostId>> hosts(const std::vector<std::string>& names);
    Result<void> plan(const Fault& fault);
    void partition(const Fault& fault, const std::vector<std::vector<HostId>>& groups, FaultReport& report);
    void burden(HostId from, HostId to, Duration latency, std::uint32_t loss_ppm, int sign);
    void sever(std::vector<Pair> lines, Duration lasts);
    void shuffle(const std::vector<HostId>& among, const Fault& fault, Instant over);
    void spoil_checkpoints(Member& member);
    void crash_loop(Member& member, const Fault& fault, Instant over);
    void churn(const std::vector<HostId>& among, const Fault& fault, Instant over);
    void sample();
    void watch_gate(const Member& member, const app::NodeStatus& status);
    void watch_pace(const Sample& now);
    [[nodiscard]] bool follows(const Member& member, std::uint64_t tip) const;
    [[nodiscard]] bool all_follow() const;
    bool ended_by_itself(Member& member);
    [[nodiscard]] std::string not_seen() const;
    [[nodiscard]] bool halted() const;
    void judge(const Sample& sample);
    [[nodiscard]] std::string standing() const;

    const Scenario& scenario_;
    const std::uint64_t seed_;
    const Foundation& foundation_;
    std::unique_ptr<Folder> folder_;  // of the checkpoints
    Trace& trace_;
    Events events_;
    Random random_;
    Network network_;
    Referee referee_;
    std::map<HostId, Member> members_;
    std::unique_ptr<Crowd> crowd_;
    std::vector<HostId> hostile_;
    std::unique_ptr<Miner> miner_;
    std::unique_ptr<Operators> operators_;
    std::set<std::string> seen_;  //!< triggers for which honest nodes were in an emergency
    std::vector<Sample> samples_;
    std::deque<std::pair<Instant, std::uint64_t>> growth_;  //!< when the chain was how high, of late
    std::uint64_t highest_ = 0;   //!< so high the chain ever was
    Instant grown_at_{};          //!< since when
    std::uint64_t followed_ = 0;  //!< so high everybody must be by now
    std::optional<std::pair<Instant, std::uint64_t>> paced_from_;
    std::vector<std::unique_ptr<FaultReport>> faults_;
    Instant faults_over_{};
    std::optional<Instant> cut_until_;  //!< lines were cut until then, for the last time so far
    std::uint64_t height_at_heal_ = 0, proven_at_heal_ = 0;  //!< what was committed, and final by proof of work
    bool healed_ = false, decided_ = false;
    std::optional<Instant> settled_;
};

}  // namespace synod::sim
