// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The operators of a simulated federation: what the scenario has them decide they prepare as `synod governance` does,
//! have signed with the keys of honest authorities, and give to a node, again and again, until the chain carries it.
//! One thread: the world's.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/sim/host.hpp"
#include "core/sim/random.hpp"
#include "core/sim/referee.hpp"
#include "core/sim/scenario.hpp"

namespace synod::sim {

inline constexpr Duration kLookAgain = std::chrono::seconds(2);  //!< whether the chain carries it
inline constexpr std::uint64_t kNotice = 20;  //!< blocks from the head to the first one that a change holds for

class Operators {
  public:
    struct Federation {
        std::function<Host*()> someone;  //!< draws an honest host that follows the chain; null: none does
        //! The secret key of a public one, of whoever signs for the operators; null for others.
        std::function<std::shared_ptr<app::SecretKey>(const std::string& key_hex)> key;
        std::function<std::string(const std::string& host)> public_key;  //!< hex
        std::function<void(const std::string&)> note;
    };
    Operators(Events& events, const std::vector<Change>& changes, BlockCheck& check, Federation federation);
    void begin();
    //! How many changes the chain carries, as the operators saw it.
    [[nodiscard]] std::size_t carried() const { return carried_; }
    [[nodiscard]] bool done() const { return carried_ == changes_.size(); }
    //! The first height at which the last one holds.
    [[nodiscard]] std::uint64_t in_force_from() const { return effective_; }

  private:
    void look();
    void prepare(Host& host, const Change& change);
    void draft(Host& host, const Change& change, const std::string& status, const std::string& evidence);
    void give(Host& host);
    void note(const std::string& what, const Error& why) { federation_.note(what + ": " + why.text()); }

    Events& events_;
    const std::vector<Change>& changes_;
    BlockCheck& check_;
    const Federation federation_;
    std::size_t carried_ = 0;
    std::uint64_t effective_ = 0;
    std::string signed_;  //!< the event under way, hex; empty: none is
};

}  // namespace synod::sim
