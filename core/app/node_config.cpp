// SPDX-License-Identifier: Apache-2.0
#include "core/app/node_config.hpp"

#include <charconv>
#include <cstring>
#include <filesystem>

namespace synod::app {

Result<PeerAddress> split_address(const std::string& text) {
    const auto colon = text.rfind(':');
    PeerAddress out;
    unsigned port = 0;
    const auto* end = text.data() + text.size();
    const auto wrong = [&] {
        return fail("config.address", "'" + text + "' is not an address", {},
                    "write it as 127.0.0.1:9000 or [::1]:9000");
    };
    if (colon == std::string::npos || colon == 0) {
        return wrong();
    }
    const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || port > 65'535) {
        return wrong();
    }
    out.address = text.substr(0, colon);
    if (out.address.front() == '[' && out.address.back() == ']') {
        out.address = out.address.substr(1, out.address.size() - 2);
    }
    out.port = static_cast<std::uint16_t>(port);
    return out;
}

namespace {

void fill_sync(const host::Manifest& manifest, sync::SyncConfig& out) {
    const auto number = [&](const char* section, const char* key) {
        return manifest.integer(section, key);
    };
    out.min_peers = static_cast<std::uint32_t>(number("sync", "min_peers"));
    out.batch_blocks = static_cast<std::uint32_t>(number("sync", "batch_size"));
    out.parallel_downloads = static_cast<std::uint32_t>(number("sync", "parallel_downloads"));
    out.window_bytes = static_cast<std::uint64_t>(number("sync", "window_bytes"));
    out.window_blocks = static_cast<std::uint32_t>(number("sync", "window_blocks"));
    out.workers = static_cast<std::uint32_t>(
        std::max<std::int64_t>(1, number("performance", "validation_workers")));
    out.checks_signatures = manifest.text("sync", "validation_level") != "basic";
    out.gate_percentage = manifest.ratio("sync", "production_threshold");
    out.gate_needs_governance = manifest.flag("governance", "required");
    out.disk_floor_bytes = static_cast<std::uint64_t>(number("storage", "disk_floor"));
}

Result<sync::Mode> mode_of(const std::string& text) {
    for (const auto mode : {sync::Mode::full, sync::Mode::fast, sync::Mode::optimistic,
                            sync::Mode::catchup, sync::Mode::emergency}) {
        if (text == sync::name(mode)) {
            return mode;
        }
    }
    return fail("config.enum", "unknown mode '" + text + "'", "sync.mode");
}

}  // namespace

Result<NodeConfig> node_settings(const host::Manifest& manifest) {
    NodeConfig out;
    out.name = manifest.name;
    out.data_dir = manifest.data_dir;
    auto listen = split_address(manifest.listen);
    if (!listen) {
        return std::unexpected(listen.error());
    }
    out.listen_address = listen->address;
    out.listen_port = listen->port;
    for (const auto& peer : manifest.peers) {
        auto address = split_address(peer.address);
        if (!address) {
            return std::unexpected(address.error());
        }
        address->identity = peer.identity;
        out.peers.push_back(std::move(*address));
    }
    out.miners.insert(manifest.miners.begin(), manifest.miners.end());
    out.tune_level = sync::tune_level(manifest.text("optimization", "level"))
                         .value_or(sync::TuneLevel::balanced);
    out.tune_targets.blocks_per_s =
        static_cast<double>(manifest.integer("optimization", "target_throughput"));
    out.tune_targets.latency = manifest.duration("optimization", "target_latency");
    out.tune_targets.memory_bytes =
        static_cast<std::uint64_t>(manifest.integer("optimization", "memory_limit"));
    out.memory_pool = static_cast<std::size_t>(manifest.integer("performance", "memory_pool"));
    out.peer_share = static_cast<std::uint64_t>(manifest.integer("network", "peer_share"));
    out.wanted_peers = static_cast<std::size_t>(manifest.integer("network", "wanted_peers"));
    out.max_peers = static_cast<std::size_t>(manifest.integer("network", "max_peers"));
    out.consensus_timeout = manifest.duration("federation", "consensus_timeout");
    out.health_interval = manifest.duration("network", "health_interval");
    out.partition_confirm = manifest.duration("network", "partition_confirm");
    out.adopt_signatures = manifest.flag("federation", "adopt_signatures");
    fill_sync(manifest, out.sync);
    auto mode = mode_of(manifest.text("sync", "mode"));
    if (!mode) {
        return std::unexpected(mode.error());
    }
    out.mode = *mode;
    return out;
}

Result<NodeConfig> node_config(const host::Manifest& manifest) {
    auto settings = node_settings(manifest);
    if (!settings) {
        return settings;
    }
    auto& out = *settings;
    const auto random = random_seed();
    std::memcpy(&out.sync.seed, random.data(), sizeof out.sync.seed);
    if (!manifest.authority_key.empty()) {
        auto key = SecretKey::load(manifest.authority_key);
        if (!key) {
            return std::unexpected(key.error());
        }
        auto opened = store::SignerStore::open(manifest.data_dir, true);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        out.signer = std::make_shared<Signer>(*key, std::move(*opened));
        out.identity = *key;  // the federation tier is known by it
        return settings;
    }
    const auto file = manifest.identity_key.empty() ? manifest.data_dir / "identity.key"
                                                    : manifest.identity_key;
    if (!std::filesystem::exists(file)) {
        if (auto written = write_seed(file, random_seed()); !written) {
            return std::unexpected(written.error());
        }
    }
    auto key = SecretKey::load(file);
    if (!key) {
        return std::unexpected(key.error());
    }
    out.identity = *key;
    return settings;
}

}  // namespace synod::app
