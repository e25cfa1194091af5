// SPDX-License-Identifier: Apache-2.0
#include <synod/plugin.hpp>
#include <synod/testing.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>

extern "C" const synod_entry synod_entry_v1_readme;

namespace {

using namespace synod::testing;

/// Throws what its configuration asks for, from the call that it names.
class Thrower : public synod::Optimizer {
public:
    static inline int alive = 0;
    explicit Thrower(const synod::Context& c) : Optimizer(c), at_(c.config.get_string("at", "")) {
        maybe("create");
        ++alive;
    }
    ~Thrower() override { --alive; }
    void activate() override { maybe("activate"); }
    void drain(uint64_t) override { maybe("drain"); }
    void deactivate() override { maybe("deactivate"); }
    void reconfigure(const synod::Value& v) override {
        if (v.find("bad") != nullptr) {
            throw synod::Failure(SYNOD_E_CONFIG, "bad", "be good", "bad");
        }
        at_ = v.get_string("at", "");
    }
    void save(synod::Sink& out) override { out.write(at_); }
    void load(synod::Source& in, uint32_t rev) override {
        std::array<uint8_t, 64> b{};
        const size_t n = in.read_full(b);
        at_.assign(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(n));
        at_ += "/" + std::to_string(rev);
    }
    void on_event(std::span<const synod_event> e) override {
        events += e.size();
        maybe("event");
    }
    void propose(std::span<const int64_t>, std::span<const synod_knob>, std::span<int64_t> p) override {
        maybe("propose");
        maybe_parallel();
        if (!p.empty()) {
            p[0] += static_cast<int64_t>(host().workers());
        }
    }
    const void* extension(std::string_view id) const noexcept override {
        return id == "x.extra/1" ? &events : nullptr;
    }
    size_t events = 0;

private:
    void maybe(std::string_view call) {
        if (at_ == call) {
            throw synod::Failure(SYNOD_E_BUSY, "thrown at " + at_, "hint", "where");
        }
        if (at_ == std::string(call) + ":std") {
            throw std::runtime_error("standard");
        }
        if (at_ == std::string(call) + ":int") {
            throw 5;
        }
        if (at_ == std::string(call) + ":memory") {
            throw std::bad_alloc();
        }
        if (at_ == std::string(call) + ":positive") {
            throw synod::Failure(SYNOD_PENDING, "a failure that looks like success");
        }
    }
    void maybe_parallel() {
        if (at_ == "parallel") {
            host().parallel(8, [](uint32_t i) {
                if (i == 5) {
                    throw synod::Failure(SYNOD_E_CORRUPT, "task 5");
                }
            });
        }
    }
    std::string at_;
};

struct Definition {
    using type = Thrower;
    static constexpr synod::Metadata meta = {.id = "x.thrower",
                                             .name = "Thrower",
                                             .version = "0.0.1",
                                             .flags = SYNOD_F_HOT_SWAP,
                                             .state_rev = 3,
                                             .needs = {"synod.host.exec/1"},
                                             .provides = {"x.extra/1"}};
};
constexpr const synod_entry& kEntry = synod::detail::Emit<Definition>::entry;

synod_status propose(Driver& d) {
    const synod_knob knob{1, 0, 0, 100, 1, 10, 50};
    int64_t out = 0;
    return d.table<synod_optimizer_api>()->propose(d.instance(), nullptr, 0, &knob, 1, &out, d.fresh());
}

} // namespace

TEST_CASE("descriptor and entry say what the macro was given") {
    CHECK(std::string(reinterpret_cast<const char*>(kEntry.magic), 8) == SYNOD_ENTRY_MAGIC);
    CHECK(kEntry.size == sizeof(synod_entry));
    CHECK(kEntry.abi_major == SYNOD_ABI_MAJOR);
    REQUIRE(kEntry.n_plugins == 1);
    const synod_descriptor& d = *kEntry.plugins[0];
    CHECK(std::string(d.id) == "x.thrower");
    CHECK(std::string(d.kind) == SYNOD_KIND_OPTIMIZER);
    CHECK(d.state_rev == 3);
    CHECK(std::string(d.requires_[0]) == "synod.host.exec/1");
    CHECK(d.requires_[1] == nullptr);
    CHECK(d.optional[0] == nullptr);
    CHECK(std::string(d.provides[0]) == SYNOD_KIND_OPTIMIZER);
    CHECK(std::string(d.provides[1]) == "x.extra/1");
    CHECK(d.provides[2] == nullptr);
    CHECK_NOTHROW(synod::parse_json(d.config_schema));
}

TEST_CASE("what is thrown becomes a status and texts") {
    FakeHost host;
    {
        Driver d(kEntry, host, R"({"at":"create"})");
        CHECK(d.status() == SYNOD_E_BUSY);
        CHECK_FALSE(d.created());
        CHECK(std::string(d.error().message) == "thrown at create");
        CHECK(std::string(d.error().hint) == "hint");
        CHECK(std::string(d.error().where) == "where");
        CHECK(d.error().code == SYNOD_E_BUSY);
    }
    const std::pair<const char*, synod_status> kCases[] = {{"propose", SYNOD_E_BUSY},
                                                           {"propose:std", SYNOD_E_INTERNAL},
                                                           {"propose:int", SYNOD_E_INTERNAL},
                                                           {"propose:memory", SYNOD_E_NO_MEMORY},
                                                           {"propose:positive", SYNOD_E_INTERNAL}};
    for (const auto& [at, status] : kCases) {
        CAPTURE(at);
        Driver d(kEntry, host, R"({"at":")" + std::string(at) + "\"}");
        CHECK(propose(d) == status);
        CHECK(d.error().code == status);
        CHECK(d.error().message[0] != '\0');
    }
    for (const char* at : {"activate", "activate:std", "activate:int"}) {
        Driver d(kEntry, host, R"({"at":")" + std::string(at) + "\"}");
        CHECK(d.activate() < 0);
    }
    CHECK(Thrower::alive == 0);
}

TEST_CASE("a broken caller gets a status") {
    FakeHost host;
    const synod_plugin_api& api = *kEntry.plugins[0]->api;
    synod_instance* out = nullptr;
    CHECK(api.create(nullptr, {nullptr, 0}, &out, nullptr) == SYNOD_E_INVALID);
    CHECK(api.create(host.raw(), {nullptr, 0}, nullptr, nullptr) == SYNOD_E_INVALID);
    CHECK(api.create(host.raw(), synod::to_bytes(std::string_view("{oops")), &out, nullptr) == SYNOD_E_CONFIG);
    CHECK(out == nullptr);
    CHECK(api.activate(nullptr, nullptr) == SYNOD_E_INVALID);
    CHECK(api.query(nullptr, SYNOD_KIND_OPTIMIZER) == nullptr);
    api.destroy(nullptr);
    Driver d(kEntry, host);
    CHECK(d.api().save(d.instance(), nullptr, nullptr) == SYNOD_E_INVALID);
    CHECK(d.table<synod_optimizer_api>()->propose(d.instance(), nullptr, 5, nullptr, 0, nullptr, nullptr) ==
          SYNOD_E_INVALID);
}

TEST_CASE("ids are matched whole") {
    FakeHost host;
    Driver d(kEntry, host);
    CHECK(d.table<synod_optimizer_api>() != nullptr);
    for (const char* id : {"", "synod.optimizer", "synod.optimizer/", "synod.optimizer/12", "synod.scoring/1"}) {
        CHECK(d.api().query(d.instance(), id) == nullptr);
    }
    CHECK(d.api().query(d.instance(), "x.extra/1") != nullptr);
}

TEST_CASE("an error struct is written only as far as its size") {
    synod_error e;
    std::memset(&e, 0x5a, sizeof(e));
    e.size = offsetof(synod_error, hint); // a caller that knows no hint
    synod::write_error(&e, SYNOD_E_BUSY, std::string(400, 'x'), "hint", "where");
    CHECK(e.code == SYNOD_E_BUSY);
    CHECK(std::string(e.message) == std::string(255, 'x'));
    CHECK(e.hint[0] == 0x5a);
    CHECK(e.where[0] == 0x5a);
    e.size = 4;
    e.code = 77;
    synod::write_error(&e, SYNOD_E_BUSY, "m");
    CHECK(e.code == 77);
    e.size = sizeof(e);
    synod::write_error(&e, SYNOD_E_BUSY, std::string(254, 'x') + "\xc3\xa9"); // 256 bytes, the cut falls inside e-acute
    CHECK(std::string(e.message) == std::string(254, 'x'));
}

TEST_CASE("a refused reconfigure leaves the old settings") {
    FakeHost host;
    Driver d(kEntry, host, R"({"at":"old"})");
    MemorySink before, after, changed;
    CHECK(d.save(before) == SYNOD_OK);
    CHECK(d.reconfigure(R"({"bad":1})") == SYNOD_E_CONFIG);
    CHECK(d.reconfigure("[") == SYNOD_E_CONFIG);
    CHECK(d.save(after) == SYNOD_OK);
    CHECK(before.text() == "old");
    CHECK(after.text() == "old");
    CHECK(d.reconfigure(R"({"at":"new"})") == SYNOD_OK);
    CHECK(d.save(changed) == SYNOD_OK);
    CHECK(changed.text() == "new");
}

TEST_CASE("state goes through streams in any pieces, and a stream's failure is passed on") {
    FakeHost host;
    Driver d(kEntry, host, R"({"at":"abc"})");
    MemorySource one_by_one({'x', 'y', 'z'}, 1);
    CHECK(d.load(one_by_one, 3) == SYNOD_OK);
    MemorySink out;
    CHECK(d.save(out) == SYNOD_OK);
    CHECK(out.text() == "xyz/3");
    MemorySource failing({'x', 'y', 'z'}, 1, 2);
    CHECK(d.load(failing, 3) == SYNOD_E_INTERNAL);
    CHECK(std::string(d.error().where) == "byte 2");
    MemorySink full(2);
    CHECK(d.save(full) == SYNOD_E_BUSY);
}

TEST_CASE("a failing event handler is logged, not thrown") {
    FakeHost host;
    Driver d(kEntry, host, R"({"at":"event"})");
    synod_event e{};
    e.size = sizeof(e);
    d.event({e, e});
    REQUIRE(host.lines.size() == 1);
    CHECK(host.lines[0].level == SYNOD_LOG_ERROR);
    CHECK(host.lines[0].fields[0].second == "thrown at event");
}

TEST_CASE("parallel work carries its first failure back, inline and on threads") {
    for (const Parallel mode : {Parallel::Inline, Parallel::Threads}) {
        FakeHost host(1, mode);
        Driver d(kEntry, host, R"({"at":"parallel"})");
        CHECK(propose(d) == SYNOD_E_CORRUPT);
        CHECK(std::string(d.error().message) == "task 5");
        std::atomic<uint64_t> sum{0};
        synod::Host(host.raw()).parallel(100, [&](uint32_t i) { sum += i; });
        CHECK(sum == 4950);
    }
}

TEST_CASE("the README's plugin works as printed") {
    FakeHost host;
    Driver d(synod_entry_v1_readme, host);
    REQUIRE(d.activate() == SYNOD_OK);
    const auto* table = d.table<synod_scoring_api>();
    REQUIRE(table != nullptr);
    REQUIRE(table->n_columns == 1);
    CHECK(table->columns[0] == SYNOD_COL_LATENCY_US);
    ScoreTable t(1, 2);
    t.at(0, 0) = 10;
    t.at(0, 1) = 30;
    int64_t scores[3] = {0, 0, 99};
    CHECK(table->score(d.instance(), SYNOD_NEED_BLOCKS, t.columns(), 2, scores, d.fresh()) == SYNOD_OK);
    CHECK(scores[0] == -10);
    CHECK(scores[1] == -30);
    CHECK(scores[2] == 99);
    MemorySink json;
    CHECK(table->explain(d.instance(), 1, t.columns(), 0, json.raw(), d.fresh()) == SYNOD_E_UNSUPPORTED);
}
