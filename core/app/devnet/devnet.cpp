// SPDX-License-Identifier: Apache-2.0
#include "core/app/devnet/devnet.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "core/control/client.hpp"

namespace synod::app::devnet {

namespace fs = std::filesystem;

namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr auto kBarEvery = std::chrono::milliseconds(100);   // on a terminal
constexpr auto kLineEvery = std::chrono::milliseconds(200);  // otherwise, while it catches up
constexpr auto kWaitLineEvery =
    std::chrono::milliseconds(2000);  // and while the gate is waited for
constexpr Duration kStopCall = std::chrono::seconds(3);

//! This program's file, so that the nodes run exactly it.
std::string self() {
    std::error_code error;
    auto file = fs::read_symlink("/proc/self/exe", error);
    return error ? "/proc/self/exe" : file.string();
}

std::string one_decimal(double value) {
    char out[32];
    std::snprintf(out, sizeof out, "%.1f", value);
    return out;
}

}  // namespace

std::optional<double> Summary::rate() const {
    if (!sync_seconds || *sync_seconds <= 0 || forged_height <= synced_from) {
        return std::nullopt;
    }
    return static_cast<double>(forged_height - synced_from) / *sync_seconds;
}

Summary Devnet::run() {
    const Interrupts interrupts;
    deadline_ = Clock::now() + options_.timeout;
    if (auto held = all_steps(); !held) {
        summary_.error = held.error();
    }
    end_progress();
    stop_all();
    return std::move(summary_);
}

Result<void> Devnet::all_steps() {
    auto dir = make_folder(options_.dir);
    if (!dir) {
        return std::unexpected(dir.error());
    }
    summary_.dir = *dir;
    for (const auto step : {&Devnet::forge, &Devnet::start_authorities, &Devnet::sync_fresh,
                            &Devnet::see_live_blocks, &Devnet::agree, &Devnet::hold}) {
        if (auto held = (this->*step)(); !held) {
            return held;
        }
    }
    return {};
}

Result<void> Devnet::forge() {
    say("forging " + grouped(options_.blocks) + " blocks of " +
        std::to_string(options_.authorities) + " authorities, " + std::to_string(options_.txs) +
        " transactions a block");
    const auto began = Clock::now();
    const auto out = summary_.dir / "forge";
    auto process = Process::start(
        "forge",
        {self(), "chain", "forge", "--blocks", std::to_string(options_.blocks), "--authorities",
         std::to_string(options_.authorities), "--txs", std::to_string(options_.txs), "--seed",
         std::to_string(options_.seed), "--out", out.string(), "--end-now"},
        summary_.dir / "forge.log");
    if (!process) {
        return std::unexpected(process.error());
    }
    if (auto ended = until("the chain", [&]() -> Result<bool> { return !process->running(); });
        !ended) {
        return ended;
    }
    if (process->exit_code() != 0) {
        return fail("devnet.forge", "`synod chain forge` failed:\n" + process->log_tail(),
                    process->log().string());
    }
    summary_.forge_seconds = to_seconds(Clock::now() - began);
    summary_.forged_height = options_.blocks;
    auto files = lay_out(summary_.dir, options_.authorities, options_.validation);
    if (!files) {
        return std::unexpected(files.error());
    }
    files_ = std::move(*files);
    say("forged in " + one_decimal(summary_.forge_seconds) + " s, in " + out.string());
    return {};
}

Result<void> Devnet::start_node(const NodeFiles& node) {
    auto process = Process::start(node.name, {self(), "run", node.manifest().string()}, node.log());
    if (!process) {
        return std::unexpected(process.error());
    }
    nodes_.push_back(std::move(*process));
    return {};
}

Result<void> Devnet::start_authorities() {
    for (const auto& node : files_) {
        if (node.authority) {
            if (auto started = start_node(node); !started) {
                return started;
            }
        }
    }
    for (const auto& node : files_) {
        if (!node.authority) {
            continue;
        }
        auto answered = until(node.name + " to answer", [&]() -> Result<bool> {
            auto view = ask(node.data());
            last_answer_ = view ? std::string() : view.error().text();
            if (view && view->height < summary_.forged_height) {
                return fail("devnet.short_chain",
                            node.name + " has only " + grouped(view->height) +
                                " blocks of the forged chain",
                            node.log().string());
            }
            return view.has_value();
        });
        if (!answered) {
            return answered;
        }
    }
    say(std::to_string(nodes_.size()) +
        (nodes_.size() == 1 ? " authority runs" : " authorities run"));
    return {};
}

Result<void> Devnet::sync_fresh() {
    const auto& fresh = files_.back();
    say("a fresh node starts with nothing but the genesis and its manifest");
    const auto began = Clock::now();
    if (auto started = start_node(fresh); !started) {
        return started;
    }
    std::optional<Clock::time_point> first;
    bool reached = false;
    auto open = until("the fresh node's gate to open", [&]() -> Result<bool> {
        auto view = ask(fresh.data());
        last_answer_ =
            view ? (view->missing.empty() ? "" : "not met: " + view->missing) : view.error().text();
        if (!view) {
            return false;
        }
        const auto now = Clock::now();
        if (!first) {
            first = now;
            summary_.synced_from = view->height;
        }
        if (!reached && view->height >= summary_.forged_height) {
            reached = true;
            summary_.start_to_height_seconds = to_seconds(now - began);
            if (summary_.synced_from < summary_.forged_height) {
                summary_.sync_seconds = to_seconds(now - *first);
            }
        }
        summary_.gate_open = reached && view->can_produce;
        show_progress(*view, summary_.gate_open);
        return summary_.gate_open;
    });
    end_progress();
    if (!open) {
        return open;
    }
    summary_.start_to_gate_seconds = to_seconds(Clock::now() - began);
    const auto rate = summary_.rate();
    say("synced " + grouped(summary_.forged_height) + " blocks " +
        one_decimal(summary_.start_to_height_seconds) + " s after its start" +
        (rate ? " (" + grouped(static_cast<std::uint64_t>(*rate)) + " blocks/s)" : std::string()) +
        "; its gate opened after " + one_decimal(summary_.start_to_gate_seconds) + " s");
    return {};
}

Result<void> Devnet::see_live_blocks() {
    const auto& fresh = files_.back();
    std::optional<std::uint64_t> from;
    auto seen = until("live blocks", [&]() -> Result<bool> {
        auto view = ask(fresh.data());
        last_answer_ = view ? view->state : view.error().text();
        if (!view) {
            return false;
        }
        from = from.value_or(view->height);
        const auto arrived = view->height - std::min(*from, view->height);
        if (arrived > summary_.live_blocks) {
            summary_.live_blocks = arrived;
            say("live block " + std::to_string(arrived) + "/" + std::to_string(options_.live) +
                ": height " + grouped(view->height) + ", committed " + grouped(view->committed));
        }
        return summary_.live_blocks >= options_.live;
    });
    return seen;
}

Result<void> Devnet::agree() {
    // A block needs a moment to reach everyone, so the heads are asked for until they are the same.
    return until("all nodes to have one head", [&]() -> Result<bool> {
        std::optional<View> one;
        for (const auto& node : files_) {
            auto view = ask(node.data());
            if (!view) {
                return std::unexpected(view.error());
            }
            if (one && one->head_hash != view->head_hash) {
                last_answer_ = node.name + " stands at " + grouped(view->height) + ", " +
                               files_[0].name + " at " + grouped(one->height);
                return false;
            }
            one = std::move(*view);
        }
        summary_.heads_agree = true;
        summary_.agreed_height = one->height;
        summary_.agreed_hash = one->head_hash;
        say("all " + std::to_string(files_.size()) + " nodes have head " +
            summary_.agreed_hash.substr(0, 16) + "... at height " +
            grouped(summary_.agreed_height));
        return true;
    });
}

Result<void> Devnet::hold() {
    if (!options_.keep_running) {
        return {};
    }
    say("everything keeps running in " + summary_.dir.string() + "; Ctrl-C ends it");
    while (!Interrupts::seen()) {
        if (auto running = check_children(); !running) {
            return running;
        }
        std::this_thread::sleep_for(kPoll);
    }
    return {};
}

void Devnet::stop_all() {
    if (nodes_.empty()) {
        return;
    }
    say("stopping");
    summary_.nodes.clear();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        NodeEnd end{files_[i].name, files_[i].folder, files_[i].port, std::nullopt, std::nullopt};
        if (nodes_[i].running()) {
            if (auto view = ask(files_[i].data()); view) {
                end.last = std::move(*view);
            }
        }
        summary_.nodes.push_back(std::move(end));
    }
    for (std::size_t i = nodes_.size(); i-- > 0;) {  // the fresh node first
        if (!nodes_[i].running()) {
            continue;
        }
        if (!control::call(files_[i].data().string(), "node.stop", "{}", kStopCall)) {
            nodes_[i].terminate();
        }
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        nodes_[i].finish();
        summary_.nodes[i].exit_code = nodes_[i].exit_code();
        if (nodes_[i].exit_code() != 0 && !summary_.error) {
            summary_.error = Error{"devnet.exit",
                                   nodes_[i].name() + " ended with " +
                                       std::to_string(nodes_[i].exit_code().value_or(-1)) +
                                       " when told to stop:\n" + nodes_[i].log_tail(),
                                   nodes_[i].log().string(),
                                   {}};
        }
    }
}

Result<void> Devnet::check_children() {
    for (auto& node : nodes_) {
        if (!node.running()) {
            return fail("devnet.ended",
                        node.name() + " ended by itself with " +
                            std::to_string(node.exit_code().value_or(-1)) + ":\n" + node.log_tail(),
                        node.log().string());
        }
    }
    return {};
}

Result<void> Devnet::until(const std::string& what, const std::function<Result<bool>()>& done) {
    last_answer_.clear();
    while (true) {
        if (Interrupts::seen()) {
            return fail("devnet.interrupted", "interrupted while waiting for " + what);
        }
        if (auto running = check_children(); !running) {
            return running;
        }
        auto now_done = done();
        if (!now_done) {
            return std::unexpected(now_done.error());
        }
        if (*now_done) {
            return {};
        }
        if (Clock::now() >= deadline_) {
            return fail(
                "devnet.timeout",
                "waited for " + what + (last_answer_.empty() ? "" : " (" + last_answer_ + ")"),
                summary_.dir.string(), "give it longer with --timeout");
        }
        std::this_thread::sleep_for(kPoll);
    }
}

void Devnet::say(const std::string& line) {
    end_progress();
    auto* out = options_.json ? stderr : stdout;
    std::fprintf(out, "%s\n", line.c_str());
    std::fflush(out);
}

void Devnet::show_progress(const View& view, bool last) {
    auto* out = options_.json ? stderr : stdout;
    const bool terminal = ::isatty(::fileno(out)) == 1;
    const auto slow = view.height >= summary_.forged_height ? kWaitLineEvery : kLineEvery;
    const auto every = terminal ? kBarEvery : slow;
    const auto now = Clock::now();
    if (!last && shown_ != Clock::time_point{} && now - shown_ < every) {
        return;
    }
    shown_ = now;
    if (terminal) {
        std::fprintf(out, "\r\x1b[K%s", bar(view).c_str());
        bar_open_ = true;
    } else {
        std::fprintf(out, "%s\n", bar(view).c_str());
    }
    std::fflush(out);
}

void Devnet::end_progress() {
    if (bar_open_) {
        std::fputc('\n', options_.json ? stderr : stdout);
        bar_open_ = false;
    }
}

}  // namespace synod::app::devnet
