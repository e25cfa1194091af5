// SPDX-License-Identifier: Apache-2.0
//! When a checkpoint is due, which files go, and in which order recovery tries.
#include "core/checkpoint/policy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "core/checkpoint/choice.hpp"

using namespace synod;
using namespace synod::checkpoint;
using std::chrono::seconds;

namespace {

PolicyConfig config(std::uint64_t interval, Duration gap = {}) {
    PolicyConfig out;
    out.interval = interval;
    out.min_gap = gap;
    return out;
}

Entry entry(std::uint64_t height, Standing standing, std::uint8_t id = 0) {
    Entry out;
    out.metadata.block.height = height;
    out.metadata.id.data.fill(id);
    out.file = std::to_string(height) + "-" + std::to_string(id);
    out.standing = standing;
    return out;
}

}  // namespace

TEST_CASE("one is due when the committed height passes a multiple of the interval") {
    Policy policy(config(100));
    CHECK_FALSE(policy.due(99, seconds(1)));
    CHECK(policy.due(100, seconds(1)) == Kind::kInterval);
    policy.begin();
    CHECK_FALSE(policy.due(200, seconds(1)));  // never two at once
    policy.done(100, seconds(2));
    CHECK_FALSE(policy.due(199, seconds(2)));
    CHECK(policy.due(257, seconds(2)) == Kind::kInterval);  // passed, not met
    policy.begin();
    policy.done(257, seconds(2));
    CHECK_FALSE(policy.due(299, seconds(2)));
    CHECK(policy.due(300, seconds(2)) == Kind::kInterval);
    policy.begin();
    policy.done(300, seconds(2));
    CHECK_FALSE(policy.due(301, seconds(2)));
}

TEST_CASE("a restart knows the last one, interval 0 makes none by itself") {
    Policy restarted(config(100), 300);
    CHECK_FALSE(restarted.due(350, {}));
    CHECK(restarted.due(400, {}) == Kind::kInterval);
    Policy rolled_back(config(100), 300);
    CHECK_FALSE(rolled_back.due(250, {}));
    Policy off(config(0));
    CHECK_FALSE(off.due(1'000'000, {}));
    off.ask(Kind::kOnDemand);
    off.ask(Kind::kUpgrade);
    CHECK(off.due(5, {}) == Kind::kOnDemand);
    off.begin();
    off.done(5, {});
    CHECK_FALSE(off.due(6, {}));
}

TEST_CASE("the gap holds back the interval, never a request") {
    Policy policy(config(10, seconds(60)));
    REQUIRE(policy.due(10, seconds(0)));
    policy.begin();
    policy.done(10, seconds(1));
    CHECK_FALSE(policy.due(500, seconds(60)));
    CHECK(policy.due(500, seconds(61)) == Kind::kInterval);
    policy.ask(Kind::kEmergency);
    CHECK(policy.due(500, seconds(2)) == Kind::kEmergency);
}

TEST_CASE("failures wait longer and longer, a success ends that") {
    Policy policy(config(10));
    Instant now{};
    Duration waits[8];
    for (auto& wait : waits) {
        REQUIRE(policy.due(10, now));
        policy.begin();
        policy.failed(now);
        wait = {};
        while (!policy.due(10, now + wait)) {
            wait += seconds(1);
        }
        now += wait;
    }
    CHECK(waits[0] == seconds(10));
    CHECK(waits[1] == seconds(20));
    CHECK(waits[2] == seconds(40));
    CHECK(waits[7] == seconds(600));
    CHECK(policy.failures() == 8);
    policy.ask(Kind::kOnDemand);
    CHECK(policy.due(10, now - seconds(1)) == Kind::kOnDemand);
    policy.begin();
    policy.done(10, now);
    CHECK(policy.failures() == 0);
}

TEST_CASE("retention keeps the newest and the newest verified") {
    std::vector<Entry> all;
    for (std::uint64_t h = 1; h <= 12; ++h) {
        all.push_back(entry(h, h == 1 ? Standing::kVerified : Standing::kUnknown));
    }
    auto gone = surplus(all, 10);
    CHECK(gone == std::vector<std::string>{"2-0"});
    all[11].standing = Standing::kVerified;
    gone = surplus(all, 10);
    CHECK(gone == std::vector<std::string>{"2-0", "1-0"});
    CHECK(surplus(all, 0).size() == 11);  // one stays, whatever is asked
    CHECK(surplus({}, 10).empty());
}

TEST_CASE("damaged files don't push out usable ones") {
    std::vector<Entry> all;
    for (std::uint64_t h = 1; h <= 5; ++h) {
        all.push_back(entry(h, Standing::kVerified));
        all.push_back(entry(100 + h, Standing::kDamaged));
    }
    const auto gone = surplus(all, 5);
    CHECK(gone == std::vector<std::string>{"103-0", "102-0", "101-0"});
}

TEST_CASE("property: what stays is the newest, and the newest verified is never removed") {
    std::mt19937_64 random(3);
    for (int round = 0; round < 2'000; ++round) {
        std::vector<Entry> all;
        const auto n = random() % 30;
        for (std::uint64_t i = 0; i < n; ++i) {
            all.push_back(entry(random() % 20, static_cast<Standing>(random() % 3),
                                static_cast<std::uint8_t>(i)));
        }
        const auto keep = 1 + random() % 12;
        const auto gone = surplus(all, keep);
        std::vector<Entry> left;
        for (const auto& e : all) {
            if (std::ranges::find(gone, e.file) == gone.end()) {
                left.push_back(e);
            }
        }
        CHECK(left.size() + gone.size() == all.size());
        const auto usable = [](const std::vector<Entry>& in) {
            return static_cast<std::size_t>(std::ranges::count_if(
                in, [](const Entry& e) { return e.standing != Standing::kDamaged; }));
        };
        CHECK(usable(left) >= std::min<std::size_t>(keep, usable(all)));
        CHECK(usable(left) <= keep + 1);
        auto sorted = all;
        sort_newest_first(sorted);
        const auto newest = std::ranges::find(sorted, Standing::kVerified, &Entry::standing);
        if (newest != sorted.end()) {
            CHECK(std::ranges::find(gone, newest->file) == gone.end());
        }
    }
}

TEST_CASE("recovery tries the newest usable one first and says why it skips") {
    std::vector<Entry> all{entry(100, Standing::kVerified, 1), entry(400, Standing::kDamaged, 4),
                           entry(300, Standing::kUnknown, 3),  entry(200, Standing::kUnknown, 2),
                           entry(500, Standing::kUnknown, 5),  entry(600, Standing::kUnknown, 6)};
    all[1].why = "cut short";
    all[3].metadata.genesis.data.fill(9);
    all[4].metadata.format = 2;
    for (auto& e : all) {
        e.metadata.created = e.metadata.block.height * 1'000;
    }
    RecoveryLimits limits;
    limits.max_height = 550;
    limits.max_age_ms = 250'000;
    limits.now = 400'000;
    auto order = recovery_order(all, limits);
    REQUIRE(order.size() == 6);
    const auto says = [&](std::size_t i, std::uint64_t height, const std::string& start) {
        CHECK(order[i].entry.metadata.block.height == height);
        CHECK_MESSAGE(
            (start.empty() ? order[i].skipped.empty() : order[i].skipped.starts_with(start)),
            order[i].skipped);
    };
    says(0, 600, "checkpoint.too_high");
    says(1, 500, "checkpoint.newer");
    says(2, 400, "checkpoint.damaged: cut short");
    says(3, 300, "");
    says(4, 200, "checkpoint.other_chain");
    says(5, 100, "checkpoint.stale");
    limits.named = all[0].metadata.id;
    order = recovery_order(all, limits);
    says(3, 300, "checkpoint.not_named");
    says(5, 100, "");  // old, but asked for by name
}
