// SPDX-License-Identifier: Apache-2.0
#include "core/sync/types.hpp"

namespace synod::sync {

std::string_view name(State state) {
    constexpr std::string_view names[kStateCount] = {
        "idle",   "discovering", "downloading_headers", "downloading_blocks", "catching_up",
        "synced", "paused",      "recovering",          "failed",             "emergency"};
    const auto at = static_cast<std::size_t>(state);
    return at < kStateCount ? names[at] : "unknown";
}

std::string_view name(Mode mode) {
    constexpr std::string_view names[] = {"full", "fast", "optimistic", "catchup", "emergency"};
    return names[static_cast<std::size_t>(mode) % 5];
}

std::string_view name(ReplyResult result) {
    constexpr std::string_view names[] = {"ok", "not_found", "other_fork", "malformed"};
    return names[static_cast<std::size_t>(result) % 4];
}

std::string_view name(RequestFailure failure) {
    constexpr std::string_view names[] = {"busy", "refused", "timeout", "disconnected", "silent"};
    return names[static_cast<std::size_t>(failure) % 5];
}

std::string_view name(Offence offence) {
    constexpr std::string_view names[] = {"invalid_header", "invalid_block", "malformed_reply",
                                          "claimed_height_never_backed"};
    return names[static_cast<std::size_t>(offence) % 4];
}

}  // namespace synod::sync
