// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A forged chain with a Runtime, its store and a Checkpointer, whose control thread is one of its
//! own: the test's thread posts to it and waits. One chain is forged for all tests and copied for
//! each.

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "core/app/checkpoint/checkpointer.hpp"
#include "core/app/checkpoint/codec.hpp"
#include "core/app/forge/forge.hpp"
#include "core/app/runtime.hpp"

namespace synod::testing {

namespace fs = std::filesystem;
using app::CheckpointInfo;
using checkpoint::Level;

inline constexpr std::uint64_t kBlocks = 130;

class Folder {
  public:
    Folder() {
        auto name = (fs::temp_directory_path() / "synod-checkpoint-XXXXXX").string();
        path_ = ::mkdtemp(name.data()) == nullptr ? fs::path() : fs::path(name);
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

//! genesis.yaml and chain/ of kBlocks blocks.
inline const fs::path& forged() {
    static const Folder folder;
    static const bool made = [] {
        app::forge::Options options;
        options.blocks = kBlocks;
        options.transactions = 2;
        options.dir = (folder.path() / "forged").string();
        auto forged = app::forge::forge_chain(options, [](std::uint64_t) {});
        REQUIRE_MESSAGE(forged, (forged ? "" : forged.error().text()));
        return true;
    }();
    REQUIRE(made);
    static const fs::path path = folder.path() / "forged";
    return path;
}

inline void copy_chain(const fs::path& to) {
    fs::copy(forged(), to, fs::copy_options::recursive);
}

inline std::string read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

struct BenchOptions {
    std::uint64_t interval = 0;
    std::size_t keep = 10;
    Level verification = Level::kFull;
    std::string compression = "true";
    bool writer = true;
    app::StepHook hook;
};

class Bench {
  public:
    //! `dir` holds genesis.yaml and chain/.
    explicit Bench(const fs::path& dir, const BenchOptions& options = {}) {
        spdlog::set_level(spdlog::level::off);  // damage is made on purpose here
        const auto text =
            "node: {name: test, data_dir: chain, genesis: genesis.yaml}\n"
            "performance: {validation_workers: 2}\n"
            "checkpoint: {interval: " +
            std::to_string(options.interval) + ", keep: " + std::to_string(options.keep) +
            ", compression: " + options.compression +
            ", verification: " + std::string(checkpoint::name(options.verification)) + "}\n";
        auto manifest = host::parse_manifest(text, dir / "test.yaml");
        REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().text()));
        std::erase_if(manifest->plugins, [](const host::PluginUse& use) {
            return use.kind != "consensus" && use.kind != "validation" && use.kind != "checkpoint";
        });
        auto started = app::Runtime::start(*manifest);
        REQUIRE_MESSAGE(started, (started ? "" : started.error().text()));
        runtime = std::move(*started);
        auto opened = runtime->open_store(manifest->data_dir.string(), false, true, false);
        REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().text()));
        store = std::move(*opened);
        format = runtime->registry().of_kind(SYNOD_KIND_CHECKPOINT);
        REQUIRE(format != nullptr);
        genesis = Hash::copy(runtime->info().genesis_hash);
        auto config = app::checkpoint_config(*manifest, genesis);
        config.policy.min_gap = {};
        config.policy.retry_first = {};
        config.writer = options.writer;
        config.hook = options.hook;
        auto made = app::Checkpointer::open(
            config,
            app::CheckpointParts{
                runtime->pipeline(), *store, *format,
                [this](std::function<void()> task) { runtime->post(*format, std::move(task)); },
                [this](std::function<void()> task) { runtime->loop().post(std::move(task)); },
                [this](const CheckpointInfo& info) { created.push_back(info); },
                [this](const Error& error) { failed.push_back(error); }});
        REQUIRE_MESSAGE(made, (made ? "" : made.error().text()));
        checkpointer = std::move(*made);
        control = std::jthread([this] { runtime->loop().run([] {}); });
    }
    ~Bench() {
        on_control([&] { checkpointer->close(); });
        runtime->loop().quit();
        control.join();
        checkpointer.reset();
        state.reset();
        store.reset();
        runtime.reset();
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    //! Runs on the control thread, and waits for it.
    void on_control(const std::function<void()>& task) {
        std::promise<void> over;
        runtime->loop().post([&] {
            task();
            over.set_value();
        });
        over.get_future().wait();
    }
    template <typename T>
    Result<T> wait(const std::function<void(app::Checkpointer::Done<T>)>& begin) {
        std::promise<Result<T>> answer;
        on_control([&] { begin([&](Result<T> result) { answer.set_value(std::move(result)); }); });
        return answer.get_future().get();
    }
    void committed(std::uint64_t to, pipeline::State after) {
        on_control([&] {
            checkpointer->on_committed({{to, store->hashes(to, 1)->front()}, std::move(after), {}});
        });
    }
    std::optional<CheckpointInfo> last() {
        std::optional<CheckpointInfo> out;
        on_control([&] { out = checkpointer->last(); });
        return out;
    }
    std::vector<CheckpointInfo> list() {
        auto out = wait<std::vector<CheckpointInfo>>(
            [&](auto done) { checkpointer->list(std::move(done)); });
        REQUIRE_MESSAGE(out, (out ? "" : out.error().text()));
        return *out;
    }
    Result<CheckpointInfo> verify(const std::string& which, Level level = Level::kFull) {
        return wait<CheckpointInfo>(
            [&](auto done) { checkpointer->verify(which, level, std::move(done)); });
    }
    Result<CheckpointInfo> create() {
        return wait<CheckpointInfo>([&](auto done) {
            checkpointer->create_now(checkpoint::Kind::kOnDemand, std::move(done));
        });
    }

    //! The state after block `to`, built from the blocks before it; forward only.
    pipeline::State state_at(std::uint64_t to) {
        pipeline::State out;
        runtime->on_worker([&] {
            auto& consensus = runtime->consensus();
            if (!state) {
                state = consensus.genesis()->state;
            }
            for (; height < to; ++height) {
                auto block = store->read_block(height + 1);
                auto decoded = consensus.decode(SYNOD_FORM_BLOCKS, block->view, 1);
                pipeline::CheckSet unproven;
                synod_plan_options options{};
                options.level = SYNOD_LEVEL_FULL;
                options.vouched = 1;
                options.max_slot = ~0ull;
                REQUIRE(consensus.plan(state, block->view, decoded->views, options, unproven));
            }
            out = *consensus.fork(state);
        });
        return out;
    }
    //! As if the block had just been committed; waits until a checkpoint that was due is made.
    void commit(std::uint64_t to) {
        committed(to, state_at(to));
        list();  // the folder was read
        for (bool making = true; making;) {
            on_control([&] { making = checkpointer->making(); });
            std::this_thread::yield();
        }
    }
    fs::path file(const CheckpointInfo& info) const { return checkpointer->dir() / info.file; }
    //! Writes a file as a forger would: well-formed and sealed, whatever it says.
    std::string forge(checkpoint::Contents contents) {
        contents.metadata.id = checkpoint::make_id(contents.metadata);
        const auto name =
            app::checkpoint_file_name(contents.metadata.block.height, contents.metadata.id);
        std::string bytes;
        Result<Hash> root;
        on_format([&] {
            root = app::encode_checkpoint(*format, contents, [&](ByteView more) -> Result<void> {
                bytes.append(more.begin(), more.end());
                return {};
            });
        });
        REQUIRE(root);
        write_file(checkpointer->dir() / name, bytes);
        return to_hex(contents.metadata.id.view());
    }
    checkpoint::Contents contents_of(const CheckpointInfo& info) {
        Result<checkpoint::Assembler::Finished> out = fail("test", "not read");
        on_format([&] { out = app::decode_checkpoint(*format, file(info)); });
        REQUIRE_MESSAGE(out, (out ? "" : out.error().text()));
        return out->contents;
    }
    void on_format(const std::function<void()>& task) {
        std::promise<void> over;
        runtime->post(*format, [&] {
            task();
            over.set_value();
        });
        over.get_future().wait();
    }

    std::unique_ptr<app::Runtime> runtime;
    std::unique_ptr<store::Store> store;
    host::Instance* format = nullptr;
    Hash genesis;
    std::unique_ptr<app::Checkpointer> checkpointer;
    std::vector<CheckpointInfo> created;
    std::vector<Error> failed;
    pipeline::State state;
    std::uint64_t height = 0;
    std::jthread control;
};

}  // namespace synod::testing
