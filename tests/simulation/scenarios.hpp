// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the ordinary run plays of configs/scenarios, and how often: a share of kSeeds each.

#include <array>
#include <string>

namespace synod::sim::test {

struct Share {
    const char* scenario;
    unsigned seeds;
};

//! Together 300 and more; the dear ones less often.
inline constexpr std::array kShares{
    Share{"calm", 10},           Share{"lossy", 20},
    Share{"liar", 30},           Share{"hostile-half", 30},
    Share{"byzantine-4", 30},    Share{"byzantine-7", 8},
    Share{"byzantine-15", 2},    Share{"partition-10s", 30},
    Share{"partition-5min", 4},  Share{"partition-no-quorum", 20},
    Share{"partition-one-way", 20}, Share{"cold-restart", 30},
    Share{"crash-loops", 14},    Share{"eclipse", 8},
    Share{"flood", 16},          Share{"clock", 14},
    Share{"disk-full", 10},      Share{"churn-1000", 4},
    Share{"equivocating-majority", 6},  Share{"stallers", 6},
    Share{"busy", 6},            Share{"far", 4},
    Share{"bare-quorum", 6},     Share{"late-clock", 4},
    Share{"pauses", 8},          Share{"checkpoints", 6},
    Share{"byzantine-shuffle", 8}, Share{"late-author", 10},
    Share{"life-4", 6},          Share{"life-7", 4},
    Share{"life-15", 1},
    Share{"amnesia", 10},        Share{"hearsay", 6},
    Share{"old-news", 4},        Share{"rumours", 6},
    Share{"narrow", 4},
};

inline std::string file_of(const std::string& scenario) {
    return std::string(SYNOD_SOURCE_DIR) + "/configs/scenarios/" + scenario + ".yaml";
}

}  // namespace synod::sim::test
