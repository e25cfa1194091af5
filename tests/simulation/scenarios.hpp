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
    Share{"calm", 20},       Share{"lossy", 20},         Share{"liar", 30},
    Share{"byzantine-4", 30}, Share{"byzantine-7", 10}, Share{"byzantine-15", 4},
    Share{"partition-10s", 30}, Share{"partition-one-way", 30}, Share{"eclipse", 14},
    Share{"flood", 26}, Share{"churn-1000", 8},
};

inline std::string file_of(const std::string& scenario) {
    return std::string(SYNOD_SOURCE_DIR) + "/configs/scenarios/" + scenario + ".yaml";
}

}  // namespace synod::sim::test
