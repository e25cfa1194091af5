// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a devnet asks its nodes and how it shows the answers. Main thread; keeps nothing.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::app::devnet {

inline constexpr Duration kAskTimeout = std::chrono::seconds(3);  //!< one status call
inline constexpr std::size_t kBarCells = 30;  //!< characters of the progress bar

//! The part of a node's status that a devnet looks at.
struct View {
    std::string state;
    std::uint64_t height = 0;
    std::optional<std::uint64_t> target;
    double percentage = 0;  //!< 0..1
    double blocks_per_second = 0;
    std::optional<std::pair<double, double>> eta_seconds;
    std::uint64_t peers = 0;
    bool can_produce = false;
    std::string missing;  //!< names of the gate's conditions that aren't met, with commas
    std::uint64_t committed = 0;
    std::string head_hash;
    std::optional<std::string> stalled;
    std::string json;  //!< the whole answer
};

//! Reads what `status --json` gives. Errors: devnet.bad_status.
Result<View> read_view(std::string_view status_json);
//! Asks the node whose data folder this is. Errors: control.*, devnet.bad_status.
Result<View> ask(const std::filesystem::path& data_dir);

//! "[#########---------------------]  31.20 %  31200/100000  24,000 blocks/s  ETA 2-4 s  4 peers".
std::string bar(const View& view);
//! 12345678 as "12,345,678".
std::string grouped(std::uint64_t value);

}  // namespace synod::app::devnet
