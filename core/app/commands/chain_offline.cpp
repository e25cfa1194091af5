// SPDX-License-Identifier: Apache-2.0
#include "core/app/commands/chain_offline.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

namespace synod::app {

namespace {

constexpr std::chrono::milliseconds kTerminalProgress{200};
constexpr std::chrono::seconds kQuietProgress{5};

}  // namespace

std::string validation_use(const std::string& validation, const std::string& isa) {
    return isa.empty() ? json_string(validation)
                       : "{use: " + json_string(validation) + ", config: {isa: " + json_string(isa) + "}}";
}

Result<std::unique_ptr<Runtime>> offline_runtime(const std::filesystem::path& genesis,
                                                 const std::string& validation,
                                                 const std::string& isa, unsigned workers) {
    const auto folder = std::filesystem::current_path();
    const std::string text = "node:\n  name: offline\n  data_dir: .\n  genesis: " +
                             json_string(std::filesystem::absolute(genesis).string()) +
                             "\nperformance:\n  validation_workers: " + std::to_string(workers) +
                             "\nplugins:\n  consensus: federation\n  validation: " +
                             validation_use(validation, isa) + "\n";
    auto manifest = host::parse_manifest(text, folder / "offline.yaml");
    if (!manifest) {
        return std::unexpected(manifest.error());
    }
    // A node has more kinds, but nothing here asks for them.
    std::erase_if(manifest->plugins, [](const host::PluginUse& use) {
        return use.kind != "consensus" && use.kind != "validation";
    });
    return Runtime::start(*manifest);
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)),
      total_(total),
      terminal_(::isatty(STDERR_FILENO) == 1),
      started_(std::chrono::steady_clock::now()),
      shown_(started_) {}

void Progress::at(std::uint64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < (terminal_ ? kTerminalProgress : kQuietProgress)) {
        return;
    }
    shown_ = now;
    open_ = terminal_;
    std::fprintf(stderr, "%s%s %llu of %llu blocks, %.0f/s%s", terminal_ ? "\r" : "", what_.c_str(),
                 static_cast<unsigned long long>(done), static_cast<unsigned long long>(total_),
                 static_cast<double>(done) / std::max(seconds(), 1e-3), terminal_ ? "   " : "\n");
    std::fflush(stderr);
}

double Progress::finish() {
    if (open_) {
        std::fputc('\n', stderr);
        open_ = false;
    }
    return seconds();
}

double Progress::seconds() const {
    return to_seconds(std::chrono::steady_clock::now() - started_);
}

std::string json_string(const std::string& text) {
    return boost::json::serialize(boost::json::string(text));
}

}  // namespace synod::app
