// SPDX-License-Identifier: Apache-2.0
//! synod-miner: a small CPU miner for devnets. It speaks createauxblock and submitauxblock to one node and
//! nothing else; there is no parent chain behind it.
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <random>
#include <thread>

#include "tools/miner/rpc.hpp"
#include "tools/miner/work.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kSlice = 20'000;  // hashes between two looks at the clock
constexpr auto kPause = std::chrono::milliseconds(500);  // before the node is asked again

volatile std::sig_atomic_t stopped = 0;

struct Options {
    miner::Node node;
    std::string token_file;
    std::string payout = "0000000000000000000000000000000000000000";
    std::uint64_t proofs = 0;
    unsigned refresh_s = 10;
};

std::string first_line(const std::string& file) {
    std::ifstream in(file);
    std::string out;
    std::getline(in, out);
    return out;
}

//! Works on one piece of work until it is solved or as old as `refresh`; true when the node took it.
bool mine_once(const Options& options, std::uint64_t& hashes) {
    const auto given = miner::call(options.node, "createauxblock", {options.payout});
    const auto* object = given.result.if_object();
    if (object == nullptr) {
        std::fprintf(stderr, "no work: %s\n", given.problem.c_str());
        std::this_thread::sleep_for(kPause);
        return false;
    }
    const auto hash = std::string(object->at("hash").as_string());
    const auto work = miner::read_work(hash, std::string(object->at("_target").as_string()),
                                       object->at("chainid").to_number<std::uint32_t>());
    if (!work) {
        std::fprintf(stderr, "no work: the node's answer can't be read\n");
        std::this_thread::sleep_for(kPause);
        return false;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    std::random_device random;
    miner::Parent parent(*work, static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()),
                         random());
    const auto end = Clock::now() + std::chrono::seconds(options.refresh_s);
    while (stopped == 0 && Clock::now() < end) {
        hashes += kSlice;
        if (!parent.grind(kSlice)) {
            continue;
        }
        const auto taken = miner::call(options.node, "submitauxblock", {hash, parent.proof()});
        const bool good = taken.result.is_bool() && taken.result.as_bool();
        std::printf("%s %s%s%s\n", good ? "accepted" : "refused", hash.c_str(), good ? "" : ": ",
                    good ? "" : (taken.code + " " + taken.problem).c_str());
        std::fflush(stdout);
        // Taken or not: the record has to be in a block before there is new work.
        std::this_thread::sleep_for(kPause);
        return good;
    }
    return false;
}

int run(Options options) {
    if (!options.token_file.empty()) {
        options.node.password = first_line(options.token_file);
        if (options.node.password.empty()) {
            std::fprintf(stderr, "synod-miner: %s holds no token\n", options.token_file.c_str());
            return 2;
        }
    }
    std::uint64_t accepted = 0, hashes = 0;
    const auto begin = Clock::now();
    while (stopped == 0 && (options.proofs == 0 || accepted < options.proofs)) {
        if (mine_once(options, hashes)) {
            ++accepted;
        }
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf("%llu proofs accepted, %.0f hashes/s\n", static_cast<unsigned long long>(accepted),
                static_cast<double>(hashes) / std::max(seconds, 1e-3));
    return options.proofs == 0 || accepted >= options.proofs ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (sodium_init() < 0) {
        return 1;
    }
    CLI::App app("A small CPU miner for devnets: createauxblock, hashing, submitauxblock");
    Options options;
    app.add_option("--address", options.node.address, "the node's mining address")->capture_default_str();
    app.add_option("--port", options.node.port, "the node's mining port")->required();
    app.add_option("--token-file", options.token_file, "file whose first line is the node's mining token");
    app.add_option("--payout", options.payout, "20 to 32 bytes in hex that the proof pays to")
        ->capture_default_str();
    app.add_option("--proofs", options.proofs, "end after so many accepted proofs; 0: never")
        ->capture_default_str();
    app.add_option("--refresh", options.refresh_s, "seconds after which new work is asked for")
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    for (const int signal : {SIGINT, SIGTERM}) {
        std::signal(signal, [](int) { stopped = 1; });
    }
    return run(options);
}
