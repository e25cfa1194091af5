// SPDX-License-Identifier: Apache-2.0
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "core/app/commands/commands.hpp"
#include "core/app/service.hpp"
#include "core/app/status_json.hpp"

namespace synod::app {

namespace {

volatile std::sig_atomic_t stop_asked = 0;

void ask_to_stop(int) { stop_asked = 1; }

struct RunOptions {
    std::string manifest;
    std::string until;
    double timeout_s = 0;
    bool json = false;
};

//! What `--until` waits for.
struct Until {
    enum class Kind : std::uint8_t { kNothing, kSynced, kProducing, kHeight } kind = Kind::kNothing;
    std::uint64_t height = 0;

    static std::optional<Until> parse(const std::string& text) {
        if (text.empty()) {
            return Until{};
        }
        if (text == "synced") {
            return Until{Kind::kSynced, 0};
        }
        if (text == "producing") {
            return Until{Kind::kProducing, 0};
        }
        constexpr std::string_view kPrefix = "height=";
        if (text.starts_with(kPrefix) && text.size() > kPrefix.size() &&
            text.find_first_not_of("0123456789", kPrefix.size()) == std::string::npos &&
            text.size() < kPrefix.size() + 19) {
            return Until{Kind::kHeight, std::stoull(text.substr(kPrefix.size()))};
        }
        return std::nullopt;
    }
    [[nodiscard]] bool reached(const NodeStatus& s) const {
        switch (kind) {
            case Kind::kNothing: return false;
            case Kind::kSynced: return s.sync.state == sync::State::synced;
            case Kind::kProducing: return s.sync.gate.open;
            case Kind::kHeight: return s.sync.head.height >= height;
        }
        return false;
    }
};

//! One line that is redrawn on a terminal, a plain line every few seconds elsewhere.
class ProgressLine {
  public:
    void show(const NodeStatus& status, Instant now, bool last = false) {
        const auto every = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5'000);
        if (!last && now - shown_ < every) {
            return;
        }
        shown_ = now;
        const auto line = status_line(status);
        if (terminal_) {
            std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), last ? "\n" : "");
        } else {
            std::fprintf(stderr, "%s\n", line.c_str());
        }
        std::fflush(stderr);
    }

  private:
    const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
    Instant shown_{-std::chrono::hours(1)};
};

Result<void> set_up_files(const host::Manifest& manifest) {
    std::error_code error;
    std::filesystem::create_directories(manifest.data_dir, error);
    if (error) {
        return fail("config.data_dir", "the data folder can't be made: " + error.message(),
                    manifest.data_dir.string(), "name a folder that this user may write under node.data_dir");
    }
    const auto file = manifest.log_file.empty() ? std::filesystem::path(manifest.data_dir / "synod.log")
                                                : manifest.log_file;
    try {
        auto logger = spdlog::basic_logger_mt("synod", file.string());
        logger->flush_on(spdlog::level::info);
        spdlog::set_default_logger(std::move(logger));
    } catch (const spdlog::spdlog_ex& e) {
        return fail("config.log_file", e.what(), file.string(),
                    "name a file that this user may write under log.file");
    }
    spdlog::set_level(spdlog::level::from_str(manifest.text("log", "level")));
    return {};
}

int run(const RunOptions& options) {
    const auto until = Until::parse(options.until);
    if (!until) {
        std::fprintf(stderr, "synod: --until takes synced, producing or height=N, not '%s'\n",
                     options.until.c_str());
        return kUsage;
    }
    auto manifest = host::load_manifest(options.manifest);
    if (!manifest) {
        std::fprintf(stderr, "%s\n", manifest.error().message.c_str());
        return kUsage;
    }
    if (auto ready = set_up_files(*manifest); !ready) {
        return complain(ready.error());
    }
    auto service = Service::start(*manifest);
    if (!service) {
        return complain(service.error());
    }
    auto& node = (*service)->node();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // over a file size limit a write fails, as on a full disk
    std::signal(SIGTERM, ask_to_stop);
    std::signal(SIGINT, ask_to_stop);

    ProgressLine line;
    const auto started = mono_now();
    int code = kDone;
    (*service)->run([&] {
        const auto status = node.status();
        const auto now = mono_now();
        if (!options.json) {
            line.show(*status, now);
        }
        if (until->reached(*status) || (*service)->stop_asked() || stop_asked != 0) {
            return false;
        }
        if (node.finally_failed()) {
            code = kFailed;
        } else if (options.timeout_s > 0 &&
                   to_seconds(now - started) > options.timeout_s) {
            code = kTimeout;
        }
        return code == kDone;
    });
    const auto last = node.status();
    (*service)->close();
    if (options.json) {
        std::puts(status_json(*last).c_str());
    } else {
        line.show(*last, mono_now(), true);
    }
    std::fflush(stdout);
    if (const auto& why = (*service)->halted()) {
        std::fprintf(stderr, "synod: halted: %s\n", why->text().c_str());
        return kFailed;
    }
    if (code == kFailed) {
        std::fprintf(stderr, "synod: sync failed: %s\n", last->sync.reason.c_str());
    } else if (code == kTimeout) {
        std::fprintf(stderr, "synod: %g s are over%s\n", options.timeout_s,
                     options.until.empty() ? "" : (", before " + options.until).c_str());
    }
    return code;
}

}  // namespace

void add_run(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand("run", "Runs a node as its manifest says");
    auto options = std::make_shared<RunOptions>();
    command->add_option("MANIFEST", options->manifest, "the node's YAML file")->required();
    command->add_option("--until", options->until, "stop at: synced, producing or height=N");
    command->add_option("--timeout", options->timeout_s, "seconds until exit code 3");
    command->add_flag("--json", options->json, "no progress; the status as JSON is the last line");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace synod::app
