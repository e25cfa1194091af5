// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Nodes of the built `synod` as child processes over one forged chain, for tests that need several:
//! folders, manifests, starting, asking, waiting. One thread; every process ends with its object.
//! A folder is kept for a look when the environment has SYNOD_KEEP.

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/app/devnet/layout.hpp"
#include "core/app/devnet/process.hpp"
#include "core/app/node/control_loop.hpp"
#include "core/app/node/signer.hpp"
#include "core/base/time.hpp"
#include "core/control/client.hpp"

namespace synod::testing {

namespace fs = std::filesystem;
namespace json = boost::json;
using app::mono_now;
using app::devnet::Process;

inline constexpr Duration kPollPause = std::chrono::milliseconds(10);
inline constexpr Duration kAskTime = std::chrono::seconds(3);
inline constexpr Duration kStartTime = std::chrono::seconds(30);

inline std::string program() { return SYNOD_BINARY_DIR "/bin/synod"; }

//! A new folder that goes away with this object.
class TestFolder {
  public:
    explicit TestFolder(const std::string& what) {
        auto name = (fs::temp_directory_path() / ("synod-" + what + "-XXXXXX")).string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TestFolder() {
        std::error_code ignored;
        if (std::getenv("SYNOD_KEEP") == nullptr) {
            fs::remove_all(path_, ignored);
        } else {
            MESSAGE("kept: " << path_.string());
        }
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

inline double seconds_since(Instant from) {
    return std::chrono::duration<double>(mono_now() - from).count();
}

inline std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct Ended {
    int code = -1;
    std::string output;  //!< standard output and error
};

//! Runs the program to its end.
inline Ended run_to_end(const fs::path& folder, std::vector<std::string> arguments,
                        Duration limit = std::chrono::minutes(10)) {
    arguments.insert(arguments.begin(), program());
    const auto log = folder / ("run-" + std::to_string(mono_now().count()) + ".txt");
    auto process = Process::start("run", arguments, log);
    REQUIRE(process);
    REQUIRE(process->wait(limit));
    return {process->exit_code().value_or(-1), text_of(log)};
}

struct ForgedChain {
    fs::path dir;  //!< genesis.yaml, authority-<i>.key, chain/
    std::uint64_t height = 0;
    std::string head;  //!< hex

    [[nodiscard]] fs::path genesis() const { return dir / "genesis.yaml"; }
    [[nodiscard]] fs::path store() const { return dir / "chain"; }
    [[nodiscard]] fs::path key(int authority) const {
        return dir / ("authority-" + std::to_string(authority) + ".key");
    }
};

inline ForgedChain forge_chain(const fs::path& folder, const std::string& name, std::uint64_t blocks,
                               std::vector<std::string> more = {}) {
    ForgedChain out{folder / name, blocks, {}};
    std::vector<std::string> arguments{"chain",    "forge",  "--blocks", std::to_string(blocks),
                                       "--out",    out.dir.string(), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto ran = run_to_end(folder, arguments);
    INFO(ran.output);
    REQUIRE(ran.code == 0);
    const auto line = ran.output.substr(ran.output.rfind("{\"blocks\""));
    out.head = std::string(json::parse(line).at("head_hash").as_string());
    return out;
}

//! Whom a node links to.
struct Address {
    std::uint16_t port = 0;
    PublicKey identity;
};

struct NodeSetup {
    fs::path folder;
    fs::path genesis;
    fs::path key;               //!< an existing key file; empty: a new one is made
    bool authority = false;     //!< the key is an authority's and the node acts as one
    std::uint16_t port = 0;
    std::vector<Address> peers;
    std::string network;        //!< more lines of the section `network`
    std::string sync;           //!< lines of the section `sync`, each "  key: value\n"
    std::string plugins;        //!< lines of the section `plugins`
    std::string checkpoint;     //!< lines of the section `checkpoint`
    std::string more;           //!< whole sections
    int workers = 2;
};

//! A node's folder and, while it runs, its process.
class TestNode {
  public:
    explicit TestNode(NodeSetup setup) : setup_(std::move(setup)) {
        fs::create_directories(data());
        auto file = setup_.key;
        if (file.empty()) {
            file = setup_.folder / "node.key";
            const auto seed = app::random_seed();
            REQUIRE(app::write_seed(file.string(), seed));
        }
        auto key = app::SecretKey::load(file.string());
        REQUIRE(key);
        identity_ = (*key)->public_key();
        write_manifest(file);
    }

    [[nodiscard]] fs::path data() const { return setup_.folder / "data"; }
    [[nodiscard]] fs::path manifest() const { return setup_.folder / "node.yaml"; }
    [[nodiscard]] const PublicKey& identity() const { return identity_; }
    [[nodiscard]] Address address() const { return {setup_.port, identity_}; }
    [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : -1; }
    [[nodiscard]] std::string log() const { return text_of(data() / "synod.log"); }

    //! The forged chain as its own: the store is copied.
    void give_chain(const ForgedChain& chain) {
        for (const auto& entry : fs::directory_iterator(chain.store())) {
            if (entry.is_regular_file() && entry.path().filename() != "synod.lock") {
                fs::copy_file(entry.path(), data() / entry.path().filename());
            }
        }
    }

    void start() {
        // A killed node leaves this; what answers must be the new one.
        fs::remove(data() / "control.json");
        auto process = Process::start("node", {program(), "run", manifest().string()},
                                      setup_.folder / "out.txt");
        REQUIRE(process);
        process_ = std::move(*process);
    }
    bool running() { return process_ && process_->running(); }
    void kill() {
        REQUIRE(running());
        ::kill(process_->pid(), SIGKILL);
        REQUIRE(process_->wait(std::chrono::seconds(10)));
        process_.reset();
    }
    //! Ends it in order; answers its exit code.
    int stop() {
        REQUIRE(process_);
        process_->terminate();
        process_->finish();
        const auto code = process_->exit_code().value_or(-1);
        process_.reset();
        return code;
    }

    //! What it answers to `method`; nothing while it does not.
    [[nodiscard]] std::optional<json::value> ask(const std::string& method) const {
        auto answer = control::call(data().string(), method, "", kAskTime);
        if (!answer) {
            return std::nullopt;
        }
        return json::parse(*answer);
    }
    [[nodiscard]] std::optional<json::value> status() const { return ask("node.status"); }
    [[nodiscard]] std::optional<std::uint64_t> height() const {
        const auto now = status();
        return now ? std::optional(now->at("current_height").to_number<std::uint64_t>())
                   : std::nullopt;
    }

    //! Asks until `enough(status)`; false after `limit` or when the process ended.
    template <typename Enough>
    bool wait_for(Duration limit, Enough enough) {
        const auto end = mono_now() + limit;
        while (mono_now() < end && running()) {
            if (const auto now = status(); now && enough(*now)) {
                return true;
            }
            std::this_thread::sleep_for(kPollPause);
        }
        return false;
    }
    bool wait_until_up() {
        return wait_for(kStartTime, [](const json::value&) { return true; });
    }
    bool wait_until_at(std::uint64_t height, Duration limit) {
        return wait_for(limit, [&](const json::value& now) {
            return now.at("current_height").to_number<std::uint64_t>() >= height;
        });
    }

  private:
    void write_manifest(const fs::path& key) {
        std::ofstream out(manifest());
        out << "node:\n  name: " << setup_.folder.filename().string() << "\n  data_dir: data\n"
            << "  genesis: " << json::serialize(json::string(setup_.genesis.string())) << "\n  "
            << (setup_.authority ? "authority_key: " : "identity_key: ")
            << json::serialize(json::string(key.string())) << "\nnetwork:\n"
            << "  listen: \"127.0.0.1:" << setup_.port << "\"\n";
        out << (setup_.peers.empty() ? "  peers: []\n" : "  peers:\n");
        for (const auto& peer : setup_.peers) {
            out << "    - address: \"127.0.0.1:" << peer.port << "\"\n      identity: \""
                << to_hex(peer.identity.view()) << "\"\n";
        }
        out << setup_.network << "performance:\n  validation_workers: " << setup_.workers << "\n";
        if (!setup_.sync.empty()) {
            out << "sync:\n" << setup_.sync;
        }
        if (!setup_.checkpoint.empty()) {
            out << "checkpoint:\n" << setup_.checkpoint;
        }
        if (!setup_.plugins.empty()) {
            out << "plugins:\n" << setup_.plugins;
        }
        out << setup_.more;
        out.close();
        REQUIRE(out);
    }

    NodeSetup setup_;
    PublicKey identity_;
    std::optional<Process> process_;
};

//! `count` nodes that hold the whole chain, run, and don't produce: their keys are no authority's
//! and they link to nobody. `network`: more lines of their section `network`.
inline std::vector<TestNode> start_servers(const fs::path& folder, const ForgedChain& chain, std::size_t count,
                                           const std::string& network = "") {
    auto ports = app::devnet::free_ports(count);
    REQUIRE(ports);
    std::vector<TestNode> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        NodeSetup setup;
        setup.folder = folder / ("server-" + std::to_string(i));
        setup.genesis = chain.genesis();
        setup.port = (*ports)[i];
        setup.network = network;
        auto& node = out.emplace_back(setup);
        node.give_chain(chain);
        node.start();
    }
    for (auto& node : out) {
        const bool up = node.wait_until_at(chain.height, kStartTime);
        INFO(node.log());
        REQUIRE(up);
    }
    return out;
}

//! One more such node, with an authority's identity: it is asked in an emergency, too. It signs nothing.
inline TestNode start_authority(const fs::path& folder, const ForgedChain& chain) {
    NodeSetup setup;
    setup.folder = folder / "authority";
    setup.genesis = chain.genesis();
    setup.key = chain.key(0);
    auto port = app::devnet::free_ports(1);
    REQUIRE(port);
    setup.port = port->front();
    TestNode node(setup);
    node.give_chain(chain);
    node.start();
    REQUIRE(node.wait_until_at(chain.height, kStartTime));
    return node;
}

inline std::vector<Address> addresses_of(const std::vector<TestNode>& nodes) {
    std::vector<Address> out;
    for (const auto& node : nodes) {
        out.push_back(node.address());
    }
    return out;
}

inline std::string verify_chain(const fs::path& folder, const TestNode& node,
                                const ForgedChain& chain, int& code) {
    const auto ran = run_to_end(folder, {"chain", "verify", node.data().string(), "--genesis",
                                         chain.genesis().string()});
    code = ran.code;
    return ran.output;
}

}  // namespace synod::testing
