// SPDX-License-Identifier: Apache-2.0
//! Headers as a peer gets them when the last one that it asks for is the committed block: what certifies
//! that one stands in the block after it or, when there is none, was collected.

#include <doctest/doctest.h>

#include <condition_variable>
#include <filesystem>

#include "core/app/forge/forge.hpp"
#include "core/app/node/block_server.hpp"
#include "core/app/runtime.hpp"

using namespace synod;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kBlocks = 40;
constexpr std::uint32_t kAsked = 5;
constexpr std::chrono::seconds kPatience{20};

struct Folder {
    fs::path path;
    Folder() {
        auto name = (fs::temp_directory_path() / "synod-serving-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
};

//! One end of a link: who is there, and what was said.
struct End : net::NetworkHandler {
    std::mutex mutex;
    std::condition_variable some;
    std::optional<std::uint64_t> peer;
    std::optional<net::Message> said;

    void on_peer_up(const net::PeerInfo& up) override {
        const std::scoped_lock lock(mutex);
        peer = up.id;
        some.notify_all();
    }
    void on_peer_down(std::uint64_t, std::string, std::string) override {}
    void on_dial_failed(std::string, std::uint16_t, Error) override {}
    void on_frame(std::uint64_t, SharedBytes frame) override {
        auto message = net::decode_message(frame);
        const std::scoped_lock lock(mutex);
        if (message) {
            said = std::move(*message);
        }
        some.notify_all();
    }
    bool wait_for(const std::function<bool()>& there) {
        std::unique_lock lock(mutex);
        return some.wait_for(lock, kPatience, there);
    }
};

//! A forged chain behind a BlockServer, and a peer that asks it.
class Scene {
  public:
    //! `to_the_head`: the store's committed block is its head, whose certificate was collected.
    explicit Scene(bool to_the_head) {
        app::forge::Options options;
        options.blocks = kBlocks;
        options.validation = "reference";
        options.dir = folder_.path.string();
        auto forged = app::forge::forge_chain(options, [](std::uint64_t) {});
        REQUIRE_MESSAGE(forged, (forged ? "" : forged.error().text()));
        auto manifest = host::parse_manifest(
            "node: {name: t, data_dir: chain, genesis: genesis.yaml}\nperformance: {validation_workers: 2}\n"
            "plugins: {validation: reference}\n",
            folder_.path / "t.yaml");
        REQUIRE(manifest);
        std::erase_if(manifest->plugins, [](const auto& use) {
            return use.kind != "consensus" && use.kind != "validation";
        });
        auto started = app::Runtime::start(*manifest);
        REQUIRE_MESSAGE(started, (started ? "" : started.error().text()));
        runtime_ = std::move(*started);
        auto opened = runtime_->open_store(manifest->data_dir.string(), false, false, false);
        REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().text()));
        store_ = std::move(*opened);
        if (to_the_head) {
            commit_to_the_head();
        }
        keeper_ = std::make_unique<app::ChainKeeper>(runtime_->pipeline(), *store_, 1'000,
                                                     app::ChainKeeper::Listener{});
        auto loaded = keeper_->load();
        REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().text()));
        server_ = std::make_unique<app::BlockServer>(*store_, *keeper_, links_, runtime_->pool(),
                                                     runtime_->consensus(), host::system_clock());
        link();
    }
    ~Scene() { server_->finish(); }

    const chain::BlockTree& tree() { return keeper_->tree(); }
    //! The reply to kAsked headers of which the last is at height `last`.
    net::Headers ask(std::uint64_t last) {
        const auto from = last - kAsked + 1;
        server_->on(*here_.peer, net::GetHeaders{7, from, kAsked, store_->hashes(from - 1, 1).value().at(0)});
        const bool answered = there_.wait_for([&] { return there_.said.has_value(); });
        REQUIRE(answered);
        const auto* headers = std::get_if<net::Headers>(&*there_.said);
        REQUIRE(headers != nullptr);
        CHECK(headers->id == 7);
        CHECK(headers->from == from);
        return *headers;
    }
    //! What the proof certifies, when its signatures hold.
    std::optional<pipeline::HeaderView> certified(const net::Headers& headers) {
        std::promise<std::optional<pipeline::HeaderView>> out;
        pipeline::ProofJob job;
        job.proof = headers.head_proof;
        job.state = keeper_->state_of(tree().committed().hash);
        job.done = [&](const std::expected<pipeline::HeaderView, pipeline::Fault>& view) {
            out.set_value(view ? std::optional(*view) : std::nullopt);
            runtime_->loop().quit();
        };
        runtime_->pipeline().submit(std::move(job));
        runtime_->loop().run([] {});
        return out.get_future().get();
    }
    std::vector<pipeline::HeaderView> decoded(const net::Headers& headers, std::uint64_t from) {
        auto run = runtime_->consensus().decode(SYNOD_FORM_HEADERS, headers.run.view, headers.count + 1, from);
        REQUIRE(run);
        CHECK(run->consumed == headers.run.view.size());
        return std::move(run->views);
    }

  private:
    //! As if everything had been committed: what stands in the forks' table goes into the packs.
    void commit_to_the_head() {
        const auto stored = store_->load().value();
        store::Commit change;
        const auto forks = store_->fork_blocks().value();
        for (const auto& block : forks) {
            store::BlockRun run{block.height, block.bytes, {}, {block.hash}};
            run.ends.push_back(static_cast<std::uint32_t>(block.bytes.view.size()));
            change.runs.push_back(std::move(run));
            change.drop_forks.push_back(block.hash);
        }
        REQUIRE(!change.runs.empty());
        change.head = change.committed = stored.head;
        change.head_certificate = stored.head_certificate;
        const auto done = store_->commit(change);
        REQUIRE_MESSAGE(done, (done ? "" : done.error().text()));
    }
    void link() {
        auto a = net::Network::start({}, here_);
        auto b = net::Network::start({}, there_);
        REQUIRE(a);
        REQUIRE(b);
        server_end_ = std::move(*a);
        asking_end_ = std::move(*b);
        links_.network = server_end_.get();
        asking_end_->dial("127.0.0.1", server_end_->port(), {});
        REQUIRE(here_.wait_for([&] { return here_.peer.has_value(); }));
        links_.peers[*here_.peer].tier = peers::Tier::kRegular;
    }

    Folder folder_;
    std::unique_ptr<app::Runtime> runtime_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<app::ChainKeeper> keeper_;
    app::Links links_;
    std::unique_ptr<app::BlockServer> server_;
    End here_, there_;
    std::unique_ptr<net::Network> server_end_, asking_end_;
};

void served_to_the_committed_block(Scene& scene) {
    const auto committed = scene.tree().committed();
    const auto reply = scene.ask(committed.height);
    CHECK(reply.result == net::ReplyResult::ok);
    REQUIRE(reply.count == kAsked);
    const auto headers = scene.decoded(reply, committed.height - kAsked + 1);
    REQUIRE(headers.size() == kAsked);
    CHECK(Hash::copy(headers.back().hash) == committed.hash);
    const auto certified = scene.certified(reply);
    REQUIRE(certified);
    CHECK(Hash::copy(certified->hash) == committed.hash);
}

}  // namespace

TEST_CASE("headers up to the committed block, which a block above certifies") {
    Scene scene(false);
    REQUIRE(scene.tree().head().height > scene.tree().committed().height);
    served_to_the_committed_block(scene);
}

TEST_CASE("headers up to the committed block when it is the head too: its collected certificate is sent") {
    Scene scene(true);
    REQUIRE(scene.tree().committed().height == kBlocks);
    REQUIRE(scene.tree().head() == scene.tree().committed());
    served_to_the_committed_block(scene);
}

TEST_CASE("headers that go past the committed block are served to it") {
    Scene scene(false);
    const auto committed = scene.tree().committed();
    const auto reply = scene.ask(committed.height + 1);
    CHECK(reply.result == net::ReplyResult::ok);
    CHECK(reply.count == kAsked - 1);
    const auto certified = scene.certified(reply);
    REQUIRE(certified);
    CHECK(Hash::copy(certified->hash) == committed.hash);
}
