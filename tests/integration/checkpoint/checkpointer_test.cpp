// SPDX-License-Identifier: Apache-2.0
//! Checkpoints of a forged chain through the real consensus and format plugins.
#include <algorithm>
#include <boost/json.hpp>
#include <random>

#include "core/app/checkpoint/methods.hpp"
#include "tests/integration/checkpoint/bench.hpp"

using namespace synod;
using namespace synod::testing;

namespace {

std::vector<std::uint64_t> heights(const std::vector<CheckpointInfo>& list) {
    std::vector<std::uint64_t> out;
    for (const auto& info : list) {
        out.push_back(info.height);
    }
    return out;
}

std::size_t files_in(const fs::path& dir, const std::string& ending) {
    return static_cast<std::size_t>(std::ranges::count_if(
        fs::directory_iterator(dir),
        [&](const auto& e) { return e.path().filename().string().ends_with(ending); }));
}

using Heights = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("one appears at each interval, the newest are kept, each holds in full") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    {
        Bench bench(folder.path() / "n", {.interval = 20, .keep = 3});
        for (std::uint64_t h = 1; h <= 107; ++h) {
            bench.commit(h);
        }
        CHECK(heights(bench.created) == Heights{20, 40, 60, 80, 100});
        CHECK(bench.failed.empty());
        const auto list = bench.list();
        CHECK(heights(list) == Heights{100, 80, 60});
        REQUIRE(bench.last());
        CHECK(bench.last()->height == 100);
        CHECK(list[0].parent == list[1].id);
        CHECK(list[1].parent == list[2].id);
        CHECK(list[2].parent == bench.created[1].id);
        CHECK(list[0].block == bench.store->hashes(100, 1)->front());
        for (const auto& info : list) {
            CHECK(info.verified == Level::kFull);
            CHECK(info.kind == "interval");
            CHECK(info.bytes == fs::file_size(bench.file(info)));
            const auto contents = bench.contents_of(info);
            CHECK_FALSE(contents.chain.head_proof.empty());
            CHECK(contents.chain.committed.height == info.height);
            CHECK(bench.verify(info.id.substr(0, 12)));
        }
        const auto asked = bench.create();
        REQUIRE_MESSAGE(asked, (asked ? "" : asked.error().text()));
        CHECK(asked->height == 107);
        CHECK(asked->kind == "on-demand");
    }
    // Another process finds them, and goes on where the first one stopped.
    Bench bench(folder.path() / "n", {.interval = 20, .keep = 3});
    CHECK(heights(bench.list()) == Heights{107, 100, 80});
    bench.commit(119);
    CHECK(bench.created.empty());
    bench.commit(121);
    CHECK(heights(bench.created) == Heights{121});
    CHECK(heights(bench.list()) == Heights{121, 107, 100});
    bench.on_format([] {});  // what goes is removed there
    CHECK(files_in(bench.checkpointer->dir(), ".checkpoint") == 3);
    CHECK(files_in(bench.checkpointer->dir(), ".tmp") == 0);
}

TEST_CASE("a state below the committed block is taken with its own block") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    Bench bench(folder.path() / "n");
    bench.committed(90, bench.state_at(77));
    const auto made = bench.create();
    REQUIRE_MESSAGE(made, (made ? "" : made.error().text()));
    CHECK(made->height == 77);
    CHECK(made->verified == Level::kFull);
    const auto contents = bench.contents_of(*made);
    CHECK(contents.chain.committed.height == 90);
    CHECK_FALSE(contents.chain.head_proof.empty());
    // Without a state nothing changes, and without any there is nothing to take.
    bench.committed(120, {});
    CHECK(bench.created.size() == 1);
    CHECK(bench.contents_of(*bench.create()).chain.committed.height == 90);
    Bench fresh(folder.path() / "n", {.writer = false});
    CHECK(fresh.create().error().code == "checkpoint.read_only");
}

TEST_CASE("the control door's methods") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    Bench bench(folder.path() / "n");
    control::Handlers door;
    app::add_checkpoint_methods(
        door, [&](std::function<void()> task) { bench.runtime->loop().post(std::move(task)); },
        *bench.checkpointer);
    const auto call = [&](const char* method, const char* params) {
        std::promise<Result<std::string>> answer;
        door.methods.at(method)(
            params, [&](Result<std::string> result) { answer.set_value(std::move(result)); });
        auto out = answer.get_future().get();
        return out ? boost::json::parse(*out).as_object()
                   : boost::json::object{{"error", out.error().code}};
    };
    const auto code = [](const boost::json::object& o) {
        return std::string(o.at("error").as_string());
    };
    CHECK(code(call("checkpoint.create", "{}")) == "checkpoint.no_state");
    bench.commit(40);
    const auto made = call("checkpoint.create", R"({"kind":"upgrade"})");
    CHECK(made.at("height").to_number<int>() == 40);
    CHECK(made.at("kind").as_string() == "upgrade");
    CHECK(made.at("verified").as_string() == "full");
    CHECK(made.at("damaged").is_null());
    CHECK(made.at("parent").is_null());
    CHECK(call("checkpoint.list", "{}").at("checkpoints").as_array().size() == 1);
    CHECK(call("checkpoint.verify", R"({"id":"latest"})").at("id") == made.at("id"));
    CHECK(code(call("checkpoint.create", R"({"kind":"interval"})")) == "control.invalid_params");
    CHECK(code(call("checkpoint.create", R"({"kind":7})")) == "control.invalid_params");
    CHECK(code(call("checkpoint.verify", "[]")) == "control.invalid_params");
    CHECK(code(call("checkpoint.verify", R"({"id":"latest","level":"none"})")) ==
          "control.invalid_params");
    CHECK(code(call("checkpoint.verify", R"({"id":"abc"})")) == "checkpoint.missing");
    CHECK(code(call("checkpoint.remove", R"({"id":"latest"})")) == "checkpoint.last_verified");
}

TEST_CASE("plain and compressed files hold the same root") {
    const Folder folder;
    std::vector<CheckpointInfo> made;
    for (const auto* compression : {"true", "false"}) {
        copy_chain(folder.path() / compression);
        Bench bench(folder.path() / compression, {.compression = compression});
        bench.commit(64);
        made.push_back(*bench.create());
        const auto contents = bench.contents_of(made.back());
        made.back().kind = to_hex(contents.chain.state_root.view()) + to_hex(contents.chain.state);
    }
    CHECK(made[0].kind == made[1].kind);
    CHECK(made[0].bytes < made[1].bytes);
}

TEST_CASE("any flipped byte and any cut is found, and the file is named") {
    const Folder folder;
    std::mt19937_64 random(5);
    for (const auto* compression : {"true", "false"}) {
        CAPTURE(compression);
        const auto dir = folder.path() / compression;
        copy_chain(dir);
        Bench bench(dir, {.compression = compression});
        bench.commit(50);
        REQUIRE(bench.create());
        bench.commit(60);
        const auto made = bench.create();
        REQUIRE(made);
        const auto file = bench.file(*made);
        const auto whole = read_file(file);
        REQUIRE(bench.verify(made->id));
        for (int round = 0; round < 60; ++round) {
            auto damaged = whole;
            if (round % 4 == 3) {
                damaged.resize(random() % whole.size());
            } else {
                damaged[random() % whole.size()] ^= static_cast<char>(1u << random() % 8);
            }
            write_file(file, damaged);
            const auto verdict =
                bench.verify(made->id, round % 2 == 0 ? Level::kBasic : Level::kFull);
            REQUIRE_FALSE(verdict);
            CHECK(verdict.error().code.starts_with("checkpoint."));
            CHECK_MESSAGE(verdict.error().where.find(made->file) != std::string::npos,
                          verdict.error().text());
        }
        CHECK(bench.list()[0].damaged.find("checkpoint.") != std::string::npos);
        CHECK(bench.last()->height == 50);  // the next older one serves
        write_file(file, whole);
        CHECK(bench.verify(made->id));
        CHECK(bench.last()->height == 60);
    }
}

TEST_CASE("a damaged one is known at the next start and makes nothing fail") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    std::string file;
    {
        Bench bench(folder.path() / "n");
        bench.commit(50);
        REQUIRE(bench.create());
        bench.commit(60);
        file = bench.file(*bench.create()).string();
    }
    auto bytes = read_file(file);
    bytes[bytes.size() / 2] ^= 1;
    write_file(file, bytes);
    write_file(fs::path(file).parent_path() / "notes.txt", "not ours");
    Bench bench(folder.path() / "n");
    auto list = bench.list();
    REQUIRE(list.size() == 2);
    CHECK(list[0].damaged.find("checkpoint.damaged") != std::string::npos);
    CHECK(bench.last()->height == 50);
    CHECK(bench.verify("latest").error().code == "checkpoint.damaged");
    bench.commit(70);
    const auto next = bench.create();
    REQUIRE(next);
    CHECK(next->parent == list[1].id);
    CHECK(read_file(fs::path(file).parent_path() / "notes.txt") == "not ours");
}

TEST_CASE("well-formed lies pass the content root and fail against the chain") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    Bench bench(folder.path() / "n");
    bench.commit(60);
    const auto good = bench.contents_of(*bench.create());
    bench.commit(61);
    const auto later = bench.contents_of(*bench.create());
    const auto lie = [&](const char* code,
                         const std::function<void(checkpoint::Contents&)>& change) {
        auto contents = good;
        change(contents);
        const auto id = bench.forge(std::move(contents));
        Bench reader(folder.path() / "n", {.writer = false});
        CAPTURE(code);
        CHECK(reader.verify(id, Level::kBasic));
        const auto verdict = reader.verify(id);
        REQUIRE_FALSE(verdict);
        CHECK_MESSAGE(verdict.error().code == code, verdict.error().text());
    };
    lie("checkpoint.other_chain", [](auto& c) { c.metadata.genesis.data[0] ^= 1; });
    lie("checkpoint.header_mismatch", [&](auto& c) { c.chain.header = later.chain.header; });
    lie("checkpoint.header_mismatch", [](auto& c) { c.metadata.block.hash.data[3] ^= 1; });
    lie("checkpoint.header_mismatch", [](auto& c) { c.metadata.block.height += 1; });
    lie("checkpoint.state_mismatch", [&](auto& c) { c.chain.state = later.chain.state; });
    lie("checkpoint.state_mismatch", [](auto& c) { c.chain.final_.height += 1; });
    lie("checkpoint.state_root", [](auto& c) { c.chain.state_root.data[0] ^= 1; });
    lie("checkpoint.state_unreadable",
        [](auto& c) { c.chain.state.resize(c.chain.state.size() / 2); });
    lie("checkpoint.certificate", [&](auto& c) { c.chain.head_proof = later.chain.head_proof; });
    lie("checkpoint.certificate", [](auto& c) { c.chain.head_proof.back() ^= 1; });
    lie("checkpoint.certificate", [](auto& c) { c.chain.head_proof.resize(10); });
    // A state that was tampered with, its root and everything else made to fit: only the header's
    // state root tells.
    auto forged_state = good;
    bool found = false;
    bench.runtime->on_worker([&] {
        auto& consensus = bench.runtime->consensus();
        for (std::size_t i = 0; i < good.chain.state.size() && !found; ++i) {
            forged_state.chain.state = good.chain.state;
            forged_state.chain.state[i] ^= 1;
            auto state = consensus.load(forged_state.chain.state);
            auto weight = state ? consensus.weigh(*state) : std::unexpected(state.error());
            if (!weight || weight->height != good.metadata.block.height ||
                Hash::copy(weight->hash) != good.metadata.block.hash ||
                weight->final_height != good.chain.final_.height ||
                Hash::copy(weight->final_hash) != good.chain.final_.hash) {
                continue;
            }
            forged_state.chain.state_root = *consensus.root(*state);
            found = forged_state.chain.state_root != good.chain.state_root;
        }
    });
    REQUIRE(found);
    lie("checkpoint.state_root", [&](auto& c) { c = forged_state; });
    // A block of some other history, sealed and consistent: the store has another one there.
    Folder other;
    app::forge::Options options;
    options.blocks = 70;
    options.transactions = 1;
    options.dir = (other.path() / "f").string();
    REQUIRE(app::forge::forge_chain(options, [](std::uint64_t) {}));
    Bench elsewhere(other.path() / "f");
    elsewhere.commit(60);
    const auto foreign = elsewhere.contents_of(*elsewhere.create());
    lie("checkpoint.off_chain", [&](auto& c) {
        c = foreign;
        c.metadata.genesis = good.metadata.genesis;
    });
}

TEST_CASE("recovery takes the newest that holds and says why not the others") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    Bench bench(folder.path() / "n");
    const auto recover = [&](app::RecoveryRequest request = {}) {
        return bench.wait<app::Recovered>(
            [&](auto done) { bench.checkpointer->recover(request, std::move(done)); });
    };
    CHECK(recover().error().code == "checkpoint.none_usable");
    std::vector<CheckpointInfo> made;
    for (const std::uint64_t h : {50, 60, 70, 80, 90}) {
        bench.commit(h);
        made.push_back(*bench.create());
    }
    auto newest = recover();
    REQUIRE_MESSAGE(newest, (newest ? "" : newest.error().text()));
    CHECK(newest->info.height == 90);
    CHECK(newest->skipped.empty());
    // 90 is cut short, 80 lies about its state, 70 is too high for the request, 60 serves.
    auto contents = bench.contents_of(made[3]);
    fs::remove(bench.file(made[3]));
    contents.chain.state_root.data[5] ^= 1;
    bench.forge(contents);
    fs::resize_file(bench.file(made[4]), 1'000);
    auto lower = recover({.max_height = 69});
    REQUIRE_MESSAGE(lower, (lower ? "" : lower.error().text()));
    CHECK(lower->info.height == 60);
    REQUIRE(lower->skipped.size() == 3);
    auto used = recover();
    REQUIRE_MESSAGE(used, (used ? "" : used.error().text()));
    CHECK(used->info.height == 70);
    REQUIRE(used->skipped.size() == 2);
    CHECK(used->skipped[0].find(made[4].file + " checkpoint.damaged: ") == 0);
    CHECK(used->skipped[1].find(" checkpoint.state_root: ") != std::string::npos);
    CHECK(bench.last()->height == 70);
    // The state is alive: the next block continues it, and it ends where the chain's does.
    Hash expected;
    const auto after = bench.state_at(90);
    bench.runtime->on_worker([&] {
        auto& consensus = bench.runtime->consensus();
        expected = *consensus.root(after);
        for (std::uint64_t h = 71; h <= 90; ++h) {
            auto block = bench.store->read_block(h);
            auto decoded = consensus.decode(SYNOD_FORM_BLOCKS, block->view, 1);
            pipeline::CheckSet unproven;
            synod_plan_options options{};
            options.level = SYNOD_LEVEL_FULL;
            options.max_slot = ~0ull;
            REQUIRE(consensus.plan(used->state, block->view, decoded->views, options, unproven));
        }
        CHECK(*consensus.root(used->state) == expected);
    });
    const auto id = [](const CheckpointInfo& info) {
        return *fixed_from_hex<checkpoint::Id>(info.id);
    };
    CHECK(recover({.named = id(made[0])})->info.height == 50);
    const auto none = recover({.named = id(made[4])});
    REQUIRE_FALSE(none);
    CHECK(none.error().code == "checkpoint.none_usable");
    CHECK(none.error().message.find("checkpoint.damaged") != std::string::npos);
}

TEST_CASE("a renamed file, a wrong id and removal") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    Bench bench(folder.path() / "n");
    bench.commit(50);
    const auto first = *bench.create();
    bench.commit(60);
    const auto second = *bench.create();
    CHECK(bench.verify("").error().code == "checkpoint.missing");
    CHECK(bench.verify("zz").error().code == "checkpoint.missing");
    const auto remove = [&](const std::string& which) {
        return bench.wait<CheckpointInfo>(
            [&](auto done) { bench.checkpointer->remove(which, std::move(done)); });
    };
    CHECK(remove(second.id).error().code == "checkpoint.last_verified");
    REQUIRE(remove(first.id));
    CHECK_FALSE(fs::exists(bench.file(first)));
    CHECK(bench.list().size() == 1);
    auto renamed = second.file;
    renamed[3] = '7';
    fs::copy(bench.file(second), bench.checkpointer->dir() / renamed);
    Bench reader(folder.path() / "n", {.writer = false});
    const auto list = reader.list();
    REQUIRE(list.size() == 2);
    CHECK(list[0].damaged.find("checkpoint.misnamed") != std::string::npos);
    CHECK(reader.last()->height == 60);
    CHECK(reader.verify(second.id).error().code == "checkpoint.ambiguous");
    CHECK(reader.verify(second.file));
}

TEST_CASE("two writers don't share a folder, and a failure is told and tried again") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    Bench bench(folder.path() / "n", {.interval = 10});
    const auto again = app::CheckpointFolder::open(bench.checkpointer->dir(), true);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == "checkpoint.locked");
    bench.list();
    fs::remove_all(bench.checkpointer->dir());
    bench.commit(12);
    REQUIRE(bench.failed.size() >= 1);
    CHECK(bench.failed[0].code == "checkpoint.io");
    CHECK(bench.create().error().code == "checkpoint.io");
    CHECK_FALSE(bench.last());
    fs::create_directories(bench.checkpointer->dir());
    bench.commit(13);
    REQUIRE(bench.created.size() == 1);
    CHECK(bench.created[0].height == 13);
}

TEST_CASE("closing in the middle leaves nothing half-made") {
    const Folder folder;
    copy_chain(folder.path() / "n");
    for (int round = 0; round < 5; ++round) {
        Bench bench(folder.path() / "n");
        const auto state = bench.state_at(40 + static_cast<std::uint64_t>(round));
        const auto height = 40 + static_cast<std::uint64_t>(round);
        bench.committed(height, state);
        bench.list();
        bench.on_control([&] {
            bench.checkpointer->create_now(checkpoint::Kind::kOnDemand, [](const auto&) {});
        });
        bench.on_control([&] { bench.checkpointer->close(); });
        CHECK(files_in(bench.checkpointer->dir(), ".tmp") == 0);
    }
    Bench bench(folder.path() / "n");
    for (const auto& info : bench.list()) {
        CHECK(info.damaged.empty());
    }
}
