// SPDX-License-Identifier: Apache-2.0
//! The pure judges: messages, request table, token bucket, admission.
#include <doctest/doctest.h>

#include <random>

#include "core/net/admission.hpp"
#include "core/net/messages.hpp"
#include "core/net/request_table.hpp"

using namespace synod;
using namespace synod::net;
using namespace std::chrono_literals;

TEST_CASE("messages: round trips; truncated and trailing bytes are refused") {
    std::mt19937_64 random(1);
    for (int i = 0; i < 200; ++i) {
        Blocks blocks{static_cast<std::uint32_t>(random()), ReplyResult::busy, 7, random(), 5, {}};
        const SharedBytes run(Bytes(random() % 300, 9));
        blocks.run = run;
        Headers headers{1, ReplyResult::ok, 0, random(), 3, run, SharedBytes(Bytes(9, 2))};
        const std::vector<Message> all = {
            Status{random(), {}, 2, 3, {}, 4, 5, run}, GetHeaders{1, random(), 9, {}}, headers,
            GetBlocks{1, 2, 65'536, {}, 3}, blocks, GetByHash{4, {}}, Announce{random(), {}, 3},
            NewBlock{run}, Gossip{7, run}, Ping{random(), 1}, Pong{2, 3}, GetPeers{5},
            Peers{6, {{"10.0.0.1", 80, {}}, {"::1", 81, {}}}}, Goodbye{3, "so long"}};
        for (const auto& message : all) {
            const auto frame = encode_message(message);
            const auto back = decode_message(SharedBytes(frame));
            REQUIRE(back);
            CHECK(encode_message(*back) == frame);
            auto longer = frame;
            longer.push_back(0);
            CHECK(decode_message(SharedBytes(longer)).error().code == "net.message_malformed");
            const Bytes shorter(frame.begin(), frame.end() - 1);
            CHECK(decode_message(SharedBytes(shorter)).error().code == "net.message_malformed");
        }
        for (const bool is_blocks : {true, false}) {
            Bytes joined;
            for (const auto& part : is_blocks ? encode_parts(blocks, {run.slice(0, 0), run})
                                              : encode_parts(headers, {run})) {
                joined.insert(joined.end(), part.view.begin(), part.view.end());
            }
            CHECK(joined == encode_message(is_blocks ? Message(blocks) : Message(headers)));
        }
    }
    CHECK(decode_message(SharedBytes(Bytes{99})).error().code == "net.message_unknown_type");
    CHECK(decode_message(SharedBytes(Bytes{})).error().code == "net.message_empty");
    CHECK(!decode_message(SharedBytes(encode_message(GetBlocks{1, 2, 0, {}, 3}))));
    CHECK(!decode_message(SharedBytes(encode_message(GetBlocks{1, 2, 65'537, {}, 3}))));
    CHECK(!decode_message(
        SharedBytes(encode_message(Gossip{1, SharedBytes(Bytes(kMaxGossipBytes + 1))}))));
}

TEST_CASE("requests: every verdict") {
    RequestTable table(3);
    const RequestLimits limits{100, 10, 1'000};
    const auto ask = [&] {
        const auto id = table.next_id();
        REQUIRE(table.open(id, 1, RequestKind::blocks, limits, 0s, 5s));
        return id;
    };
    const auto verdict = [&](std::uint32_t id, std::uint64_t peer, std::uint64_t from,
                             std::uint32_t count, std::uint64_t bytes, Instant now) {
        return table.match({id, peer, RequestKind::blocks, from, count, bytes}, now).verdict;
    };
    CHECK(verdict(ask(), 1, 100, 10, 1'000, 1s) == ReplyVerdict::ok);
    CHECK(verdict(ask(), 1, 101, 10, 1'000, 1s) == ReplyVerdict::out_of_range);
    CHECK(verdict(ask(), 1, 100, 11, 1'000, 1s) == ReplyVerdict::out_of_range);
    CHECK(verdict(ask(), 1, 100, 10, 1'001, 1s) == ReplyVerdict::too_large);
    CHECK(verdict(ask(), 1, 100, 10, 1'000, 6s) == ReplyVerdict::late);
    const auto id = ask();
    CHECK(verdict(id, 2, 100, 1, 10, 1s) == ReplyVerdict::unsolicited);
    CHECK(verdict(id + 50, 1, 100, 1, 10, 1s) == ReplyVerdict::unsolicited);
    CHECK(table.expire(4s).empty());
    CHECK(table.expire(5s).size() == 1);
    CHECK(verdict(id, 1, 100, 1, 10, 6s) == ReplyVerdict::late);
    CHECK(verdict(id, 1, 100, 1, 10, 6s) == ReplyVerdict::unsolicited);
    ask();
    ask();
    const auto last = ask();
    CHECK(table.open(last, 1, RequestKind::blocks, limits, 0s, 5s).error().code ==
          "net.request_id_in_use");
    CHECK(table.open(77, 1, RequestKind::blocks, limits, 0s, 5s).error().code ==
          "net.request_table_full");
    CHECK(table.peer_closed(1).size() == 3);
    CHECK(table.size() == 0);
}

TEST_CASE("limits: the bucket refills, debt is waited off, caps hold") {
    TokenBucket bucket(1'000, 10s, 0s);
    CHECK(bucket.try_take(1'000, 0s));
    CHECK(!bucket.try_take(1, 0s));
    CHECK(bucket.try_take(500, 5s + 1ms));
    bucket.charge(1'000, 5s + 1ms);
    CHECK(bucket.wait(100, 5s + 1ms) > 10s);
    CHECK(bucket.available(100s) == 1'000);
    CHECK(request_cost(10) == 4'106);

    AdmissionLimits limits;
    limits.max_total = 5;
    limits.max_inbound = 4;
    limits.max_per_address = 2;
    limits.max_per_group = 3;
    Admission gate(limits, 0s);
    const auto one = *parse_ip("10.1.0.1");
    REQUIRE(gate.admit_inbound(one, 0s));
    REQUIRE(gate.admit_inbound(one, 0s));
    CHECK(gate.admit_inbound(one, 0s).error().code == "net.address_full");
    REQUIRE(gate.admit_inbound(*parse_ip("10.1.9.9"), 0s));
    CHECK(gate.admit_inbound(*parse_ip("10.1.9.8"), 0s).error().code == "net.subnet_full");
    REQUIRE(gate.admit_inbound(*parse_ip("2001:db8::1"), 0s));
    CHECK(gate.admit_inbound(*parse_ip("9.9.9.9"), 0s).error().code == "net.inbound_full");
    REQUIRE(gate.admit_outbound(*parse_ip("9.9.9.9")));
    CHECK(gate.admit_outbound(*parse_ip("9.9.9.8")).error().code == "net.full");
    gate.release(one, true);
    CHECK(gate.admit_inbound(*parse_ip("10.1.9.8"), 0s));
    CHECK(!parse_ip("example.org"));
}
