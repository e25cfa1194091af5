// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Everybody who mines the simulated chain, taken together: now and then one of the nodes is asked for work, and some
//! time later gets its proof, a real one at the chain's own target. One thread: the world's.

#include <functional>
#include <map>

#include "core/sim/host.hpp"
#include "core/sim/random.hpp"
#include "core/sim/referee.hpp"

namespace synod::sim {

//! From the work to its proof.
inline constexpr Duration kWorkAtLeast = std::chrono::milliseconds(200);
inline constexpr Duration kWorkAtMost = std::chrono::seconds(4);

class Miner {
  public:
    //! `someone` draws a host that runs; null: none does.
    Miner(Events& events, Random random, BlockCheck& check, Duration every, std::function<Host*()> someone,
          std::function<void(const std::string&)> note);
    //! Asks for work from now on.
    void begin();
    void rest(bool rests) { rests_ = rests; }
    [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
    [[nodiscard]] const std::map<std::string, std::uint64_t>& refused() const { return refused_; }  //!< by code

  private:
    void next();
    void ask(Host& host);
    void solve(Host& host, const app::GivenWork& work);

    Events& events_;
    Random random_;
    BlockCheck& check_;
    const Duration every_;
    const std::function<Host*()> someone_;
    const std::function<void(const std::string&)> note_;
    bool rests_ = false;
    std::uint64_t accepted_ = 0;
    std::map<std::string, std::uint64_t> refused_;
};

}  // namespace synod::sim
