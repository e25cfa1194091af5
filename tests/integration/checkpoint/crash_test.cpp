// SPDX-License-Identifier: Apache-2.0
//! kill -9 while a checkpoint is made: at every step on purpose, and at arbitrary moments of the
//! program. What was there stays usable, and the next writer cleans up and goes on.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/integration/checkpoint/bench.hpp"

using namespace synod;
using namespace synod::testing;
using app::CheckpointStep;

namespace {

std::string program() {
    return (fs::path(SYNOD_BINARY_DIR) / "bin" / "synod").string();
}

//! Exit code, or 256 + the signal that ended it.
int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

struct Ran {
    int code = -1;
    std::string output;
};

Ran run(const std::string& arguments) {
    Ran out;
    std::FILE* pipe = ::popen((program() + " " + arguments + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    char piece[4096];
    for (std::size_t n = 0; (n = std::fread(piece, 1, sizeof piece, pipe)) > 0;) {
        out.output.append(piece, n);
    }
    out.code = code_of(::pclose(pipe));
    return out;
}

//! A child that makes a checkpoint of block 80 and dies at `step`; in the child nothing returns.
int child_dies_at(const fs::path& dir, CheckpointStep step) {
    const auto child = ::fork();
    if (child == 0) {
        BenchOptions options;
        options.hook = [step](CheckpointStep at) {
            if (at == step) {
                ::kill(::getpid(), SIGKILL);
            }
        };
        Bench bench(dir, options);
        bench.commit(80);
        (void)bench.create();
        ::_exit(7);  // it should be dead
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return code_of(status);
}

}  // namespace

TEST_CASE("killed at any step, the old set is usable and the next one is made") {
    const Folder folder;
    const auto dir = folder.path() / "n";
    copy_chain(dir);
    std::string first;
    {
        Bench bench(dir);
        bench.commit(60);
        first = bench.create()->id;
    }
    const auto before = dir / "chain" / "checkpoints";
    const fs::path saved = folder.path() / "saved";
    fs::copy(before, saved, fs::copy_options::recursive);
    for (const auto step :
         {CheckpointStep::kCreated, CheckpointStep::kHalfWritten, CheckpointStep::kWritten,
          CheckpointStep::kSynced, CheckpointStep::kVerified, CheckpointStep::kRenamed,
          CheckpointStep::kFolderSynced}) {
        CAPTURE(static_cast<int>(step));
        fs::remove_all(before);
        fs::copy(saved, before, fs::copy_options::recursive);
        REQUIRE(child_dies_at(dir, step) == 256 + SIGKILL);
        std::size_t leftovers = 0;
        for (const auto& entry : fs::directory_iterator(before)) {
            leftovers += entry.path().extension() == ".tmp" ? 1 : 0;
        }
        const bool published =
            step == CheckpointStep::kRenamed || step == CheckpointStep::kFolderSynced;
        CHECK(leftovers == (published ? 0 : 1));
        Bench bench(dir);
        const auto list = bench.list();
        REQUIRE(list.size() == (published ? 2 : 1));
        CHECK(list.back().id == first);
        for (const auto& info : list) {
            CHECK(info.damaged.empty());
            CHECK(bench.verify(info.id));
        }
        for (const auto& entry : fs::directory_iterator(before)) {
            CHECK(entry.path().extension() != ".tmp");
        }
        bench.commit(90);
        const auto next = bench.create();
        REQUIRE_MESSAGE(next, (next ? "" : next.error().text()));
        CHECK(next->parent == list.front().id);
    }
}

TEST_CASE("the program: create, list, verify, a flipped byte, and kills at arbitrary moments") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    const auto chain = (folder.path() / "n" / "chain").string();
    CHECK(run("checkpoint verify " + chain).output.find("checkpoint.missing") != std::string::npos);
    CHECK(run("checkpoint list " + chain).output.starts_with("none in "));
    const auto made = run("checkpoint create " + chain);
    INFO(made.output);
    REQUIRE(made.code == 0);
    const auto id = made.output.substr(0, 32);
    CHECK(run("checkpoint list " + chain).output.find(id) == 0);
    const auto sound = run("checkpoint verify " + chain + " " + id.substr(0, 8) + " --level full");
    CHECK(sound.code == 0);
    CHECK(sound.output.find("sound: checkpoint " + id) == 0);
    CHECK(sound.output.find("checked: full") != std::string::npos);
    CHECK(run("checkpoint verify " + chain + " latest --json --level basic")
              .output.find("\"verified\":\"basic\"") != std::string::npos);

    for (int round = 0; round < 6; ++round) {
        const auto child = ::fork();
        if (child == 0) {
            ::execl(program().c_str(), "synod", "checkpoint", "create", chain.c_str(), nullptr);
            ::_exit(127);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5 + 12 * round));
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        const auto verdict = run("checkpoint verify " + chain + " latest");
        CHECK_MESSAGE(verdict.code == 0, verdict.output);
    }

    const auto dir = fs::path(chain) / "checkpoints";
    fs::path file;
    for (const auto& entry : fs::directory_iterator(dir)) {
        if (entry.path().filename().string().find(id) != std::string::npos) {
            file = entry.path();
        }
    }
    REQUIRE_FALSE(file.empty());
    auto bytes = read_file(file);
    bytes[bytes.size() / 3] ^= 4;
    write_file(file, bytes);
    const auto damaged = run("checkpoint verify " + chain + " " + id);
    CHECK(damaged.code == 1);
    CHECK(damaged.output.find("FAILED checkpoint.damaged " + file.filename().string()) == 0);
    CHECK(run("checkpoint list " + chain).output.find("DAMAGED: ") != std::string::npos);
    CHECK(run("checkpoint verify " + chain + " --level wrong").code == 2);
}
