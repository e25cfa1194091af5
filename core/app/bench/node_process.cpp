// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/node_process.hpp"

#include <signal.h>
#include <time.h>

#include <fstream>
#include <system_error>
#include <thread>

#include "core/app/commands/chain_offline.hpp"
#include "core/app/devnet/layout.hpp"
#include "core/app/node/signer.hpp"

namespace synod::app::bench {

namespace fs = std::filesystem;

namespace {

constexpr auto kPoll = std::chrono::milliseconds(5);

std::string manifest_text(const NodeSetup& setup) {
    std::string out = "node:\n  name: bench\n  data_dir: " + json_string(setup.data.string()) +
                      "\n  genesis: " + json_string(setup.genesis.string()) +
                      (setup.authority ? "\n  authority_key: " : "\n  identity_key: ") + json_string(setup.identity.string()) +
                      "\nnetwork:\n  listen: \"127.0.0.1:" + std::to_string(setup.port) + "\"\n" +
                      "  peer_share: 1TiB\n";  // one peer is served what a federation serves together
    out += setup.peers.empty() ? "" : "  peers:\n";
    for (const auto& peer : setup.peers) {
        out += "    - address: \"127.0.0.1:" + std::to_string(peer.port) + "\"\n      identity: \"" +
               to_hex(peer.identity.view()) + "\"\n";
    }
    return out + "sync:\n  mode: " + setup.mode +
           "\nperformance:\n  validation_workers: 0\nplugins:\n  validation: " +
           validation_use(setup.validation, setup.isa) + "\n";
}

}  // namespace

NodeSetup node_setup(Workspace& work, const std::string& folder, const fs::path& genesis) {
    NodeSetup out;
    out.folder = work.fresh(folder);
    out.genesis = genesis;
    out.validation = work.options().backend;
    out.isa = work.options().isa;
    return out;
}

Result<NodeProcess> NodeProcess::make(NodeSetup setup) {
    if (setup.data.empty()) {
        setup.data = setup.folder / "data";
    }
    std::error_code error;
    fs::create_directories(setup.folder, error);
    fs::create_directories(setup.data, error);
    if (error) {
        return fail("bench.folder", "can't make the folder: " + error.message(), setup.data.string());
    }
    if (setup.identity.empty()) {
        setup.identity = setup.folder / "node.key";
        if (auto written = write_seed(setup.identity.string(), random_seed()); !written) {
            return std::unexpected(written.error());
        }
    }
    auto key = SecretKey::load(setup.identity.string());
    if (!key) {
        return std::unexpected(key.error());
    }
    std::ofstream out(setup.folder / "node.yaml");
    out << manifest_text(setup);
    out.close();
    if (!out) {
        return fail("bench.folder", "can't write the manifest", setup.folder.string());
    }
    NodeProcess node(std::move(setup));
    node.identity_ = (*key)->public_key();
    return node;
}

Result<void> NodeProcess::start() {
    std::error_code error;
    // A killed node leaves this; what answers must be the new one.
    fs::remove(setup_.data / "control.json", error);
    const auto self = fs::read_symlink("/proc/self/exe", error);
    started_ = Clock::now();
    auto process = devnet::Process::start(
        "node", {self.string(), "run", (setup_.folder / "node.yaml").string()}, setup_.folder / "out.txt");
    if (!process) {
        return std::unexpected(process.error());
    }
    process_ = std::move(*process);
    return {};
}

Result<devnet::View> NodeProcess::wait_for(Duration limit,
                                           const std::function<bool(const devnet::View&)>& enough) {
    std::string last = "no answer yet";
    for (const auto end = Clock::now() + limit; Clock::now() < end;) {
        if (!process_ || !process_->running()) {
            return fail("bench.node_ended",
                        "a node ended by itself: " + (process_ ? process_->log_tail() : std::string()),
                        setup_.folder.string());
        }
        auto view = devnet::ask(setup_.data);
        if (view && enough(*view)) {
            return view;
        }
        last = view ? devnet::bar(*view) : view.error().text();
        std::this_thread::sleep_for(kPoll);
    }
    return fail("bench.timeout", "a node did not get there: " + last, setup_.folder.string());
}

void NodeProcess::kill() {
    if (process_ && process_->running()) {
        ::kill(process_->pid(), SIGKILL);
        process_->wait(devnet::kStopTime);
    }
    process_.reset();
}

void NodeProcess::stop() {
    if (process_) {
        process_->terminate();
        process_->finish();
    }
    process_.reset();
}

std::uint64_t NodeProcess::peak_memory() const {
    if (!process_) {
        return 0;
    }
    std::ifstream in("/proc/" + std::to_string(process_->pid()) + "/status");
    for (std::string word; in >> word;) {
        if (std::uint64_t kib = 0; word == "VmHWM:" && in >> kib) {
            return kib * 1'024;
        }
    }
    return 0;
}

double NodeProcess::cpu_seconds() const {
    clockid_t clock{};
    timespec used{};
    if (!process_ || ::clock_getcpuclockid(process_->pid(), &clock) != 0 ||
        ::clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

Result<NodeProcess> start_server(Workspace& work, const BenchChain& chain) {
    auto ports = devnet::free_ports(1);
    if (!ports) {
        return std::unexpected(ports.error());
    }
    auto setup = node_setup(work, "server", chain.genesis());
    setup.data = chain.store();  // as it is: it is only read, and a copy of a long one takes long
    setup.port = ports->front();
    auto node = NodeProcess::make(std::move(setup));
    if (!node) {
        return node;
    }
    if (auto started = node->start(); !started) {
        return std::unexpected(started.error());
    }
    auto up = node->wait_for(kNodeStart, [&](const auto& view) { return view.height >= chain.height; });
    return up ? std::move(node) : std::unexpected(up.error());
}

}  // namespace synod::app::bench
