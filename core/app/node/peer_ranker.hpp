// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How good each peer is: measures what its replies showed, asks the scoring plugin on a worker, and
//! hands the scores out as weights. It chooses and orders; it never punishes. Control thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/app/plugin_faults.hpp"
#include "core/base/bytes.hpp"
#include "core/host/registry.hpp"
#include "core/peers/performance.hpp"
#include "core/sync/types.hpp"

namespace synod::app {

inline constexpr Duration kRankEvery = std::chrono::seconds(1);
//! Identities that are measured; past it one of them is forgotten.
inline constexpr std::size_t kMaxMeasured = 1'024;
//! Of the terms behind one score, JSON.
inline constexpr std::size_t kMaxTermsBytes = 4'096;

//! One connected peer as the plugin is to see it.
struct RankedPeer {
    sync::PeerId id = 0;
    PublicKey identity;
    peers::PeerMetrics known;  //!< what isn't measured here: authority, reputation, in flight, age
};

struct Score {
    double value = 0;
    std::string terms;  //!< the plugin's own account, a JSON object; empty: it gave none
};

class PeerRanker {
  public:
    //! Runs a task as [worker] of the plugin, never two at once.
    using OnStrand = std::function<void(std::function<void()>)>;
    using Deliver = std::function<void(std::function<void()>)>;
    using Weights = std::function<void(std::vector<std::pair<sync::PeerId, double>>)>;
    using Isolated = std::function<void(PluginFault)>;

    //! `scoring` null: all peers weigh the same. It outlives this object and every task of
    //! `on_strand`. `weights` gets the newest scores, each > 0. After kFailuresToIsolate failures in a row
    //! the plugin isn't asked again, all peers weigh the same, and `isolated` is told.
    PeerRanker(host::Instance* scoring, OnStrand on_strand, Deliver deliver, Weights weights,
               Isolated isolated);
    ~PeerRanker();
    PeerRanker(const PeerRanker&) = delete;
    PeerRanker& operator=(const PeerRanker&) = delete;

    peers::Performance& of(const PublicKey& identity);
    //! Whether a new question may be asked: none is open and the last is kRankEvery old.
    [[nodiscard]] bool due(Instant now) const;
    //! Asks the plugin when a question is due; nothing otherwise.
    void rank(std::vector<RankedPeer> connected, Instant now);
    [[nodiscard]] std::optional<Score> score(const PublicKey& identity) const;
    //! The plugin's last failure; empty when it answered last time.
    [[nodiscard]] const std::string& problem() const;

  private:
    struct Shared;
    struct Question;
    static void answer(Question& question, host::Instance& scoring);

    OnStrand on_strand_;
    Deliver deliver_;
    host::Instance* scoring_;
    Instant next_{};
    std::unordered_map<PublicKey, peers::Performance> measured_;
    std::shared_ptr<Shared> shared_;  // what answers reach; they may come after our end
};

}  // namespace synod::app
