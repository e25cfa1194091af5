// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The catalogue of everything that travels on the bus. One row a topic: its name with a revision,
//! the layout of its payload (canonical codec, core/base/codec.hpp), who issues it and who handles
//! it. A row's meaning never changes; a new meaning is a new revision.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace synod::bus {

enum class Topic : std::uint32_t {
    kNone = 0,
    kSyncState,
    kSyncStalled,
    kTargetMoved,
    kBlocksCommitted,
    kHeadChanged,
    kGateChanged,
    kPeerUp,
    kPeerDown,
    kPeerMisbehaved,
    kPeerBanned,
    kHealth,
    kAlert,
    kPluginFault,
    kCount,
};

struct TopicInfo {
    Topic topic;
    std::string_view name;
    std::string_view payload;
    std::string_view issued_by;
    std::string_view handled_by;
    //! Whether a plugin may publish it. What the core decides, a plugin can only listen to.
    bool plugins_may_publish;
};

inline constexpr std::array<TopicInfo, static_cast<std::size_t>(Topic::kCount) - 1> kCatalogue{{
    {Topic::kSyncState, "sync.state/1", "u8 from, u8 to, text reason", "sync", "control, log, plugins", false},
    {Topic::kSyncStalled, "sync.stalled/1", "text reason", "sync", "control, log, plugins", false},
    {Topic::kTargetMoved, "sync.target/1", "u64 height", "sync", "control, plugins", false},
    {Topic::kBlocksCommitted, "chain.committed/1", "u64 first height, u64 last height, hash of the last",
     "pipeline", "sync, plugins", false},
    {Topic::kHeadChanged, "chain.head/1", "u64 height, hash, u64 slot", "chain", "sync, net, plugins", false},
    {Topic::kGateChanged, "gate.changed/1", "u8 open", "sync", "control, log, plugins", false},
    {Topic::kPeerUp, "peer.up/1", "u64 peer, key identity, u8 tier: 0 regular, 1 federation, 2 miner", "net",
     "peers, sync, plugins", false},
    {Topic::kPeerDown, "peer.down/1", "u64 peer, text reason", "net", "peers, sync, plugins", false},
    {Topic::kPeerMisbehaved, "peer.misbehaved/1", "u64 peer, text reason, u64 height", "pipeline, net",
     "peers, log, plugins", false},
    {Topic::kPeerBanned, "peer.banned/1", "key identity, text reason, u64 seconds", "peers",
     "net, store, log, plugins", false},
    {Topic::kHealth, "health.report/1", "u32 health in parts per million", "health", "sync, control, plugins", false},
    {Topic::kAlert, "alert/1", "text name, text message", "any room", "log, control, plugins", true},
    {Topic::kPluginFault, "plugin.fault/1", "text alias, text call, text reason", "app", "log, control", false},
}};

constexpr const TopicInfo* find_topic(std::string_view name) {
    for (const auto& row : kCatalogue) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

constexpr const TopicInfo* find_topic(Topic topic) {
    const auto index = static_cast<std::size_t>(topic);
    return index == 0 || index > kCatalogue.size() ? nullptr : &kCatalogue[index - 1];
}

}  // namespace synod::bus
