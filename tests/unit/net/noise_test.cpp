// SPDX-License-Identifier: Apache-2.0
//! The handshake against the published vectors, and frames over its transport.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "core/net/frame.hpp"

using namespace synod;
using namespace synod::net;

namespace {
Bytes hex(const boost::json::value& v) {
    return *from_hex(std::string(v.as_string()));
}
}  // namespace

TEST_CASE("noise: every XX message and hash of the vectors") {
    std::ifstream file(std::string(SYNOD_VECTORS_DIR) + "/noise-xx.json");
    if (!file) {
        MESSAGE("skipped: noise-xx.json is not there");
        return;
    }
    std::stringstream text;
    text << file.rdbuf();
    const auto root = boost::json::parse(text.str());
    int rows = 0;
    for (const auto& row : root.at("vectors").as_array()) {
        const auto& v = row.as_object();
        if (v.at("protocol_name").as_string() != "Noise_XX_25519_ChaChaPoly_BLAKE2b") {
            continue;
        }
        ++rows;
        NoiseXX a(NoiseRole::initiator, hex(v.at("init_prologue")),
                  NoiseKeyPair::from_secret(hex(v.at("init_static"))),
                  NoiseKeyPair::from_secret(hex(v.at("init_ephemeral"))));
        NoiseXX b(NoiseRole::responder, hex(v.at("resp_prologue")),
                  NoiseKeyPair::from_secret(hex(v.at("resp_static"))),
                  NoiseKeyPair::from_secret(hex(v.at("resp_ephemeral"))));
        NoiseTransport ta;
        NoiseTransport tb;
        const auto& messages = v.at("messages").as_array();
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const auto plain = hex(messages[i].at("payload"));
            const auto wire = hex(messages[i].at("ciphertext"));
            if (i < 3) {
                auto sent = (i % 2 == 0 ? a : b).write_message(plain);
                REQUIRE(sent);
                CHECK(*sent == wire);
                auto got = (i % 2 == 0 ? b : a).read_message(wire);
                REQUIRE(got);
                CHECK(*got == plain);
                if (i == 2) {
                    CHECK(to_hex(a.handshake_hash()) == v.at("handshake_hash").as_string());
                    CHECK(a.handshake_hash() == b.handshake_hash());
                    ta = a.split();
                    tb = b.split();
                }
                continue;
            }
            Bytes out(plain.size() + kNoiseTagBytes);
            REQUIRE((i % 2 == 0 ? ta : tb).send.encrypt({}, plain, out.data()));
            CHECK(out == wire);
        }
    }
    CHECK(rows > 0);
}

TEST_CASE("frame: any size in any slices comes back; any flipped bit is refused") {
    const Bytes key(32, 7);
    FrameEncoder encoder{CipherState(key)};
    FrameDecoder decoder{CipherState(key)};
    for (const std::size_t size : {std::size_t{1}, std::size_t{600}, kRecordPlainBytes,
                                   kRecordPlainBytes + 1, kMaxFrameBytes}) {
        Bytes plain(size);
        for (std::size_t i = 0; i < size; ++i) {
            plain[i] = static_cast<std::uint8_t>(i * 31);
        }
        const SharedBytes whole(plain);
        const std::vector<SharedBytes> parts = {whole.slice(0, size / 3),
                                                whole.slice(size / 3, size - size / 3)};
        Bytes wire;
        REQUIRE(encoder.append(parts, wire));
        std::vector<SharedBytes> out;
        for (std::size_t at = 0; at < wire.size(); at += 70'001) {
            const auto n = std::min<std::size_t>(70'001, wire.size() - at);
            REQUIRE(decoder.feed(ByteView(wire).subspan(at, n), out));
        }
        REQUIRE(out.size() == 1);
        CHECK(Bytes(out[0].view.begin(), out[0].view.end()) == plain);
    }
    Bytes small;
    FrameEncoder fresh{CipherState(key)};
    REQUIRE(fresh.append(Bytes(20, 1), small));
    for (std::size_t bit = 0; bit < small.size() * 8; ++bit) {
        auto bad = small;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        FrameDecoder one{CipherState(key)};
        std::vector<SharedBytes> out;
        (void)one.feed(bad, out);
        CHECK(out.empty());
    }
    FrameDecoder limited{CipherState(key)};
    std::vector<SharedBytes> out;
    CHECK(limited.feed(Bytes(4, 0xff), out).error().code == "net.frame_too_large");
    CHECK(limited.feed(Bytes(4, 0), out).error().code == "net.frame_dead");
    CHECK(fresh.append(Bytes(kMaxFrameBytes + 1), small).error().code == "net.frame_too_large");
}

TEST_CASE("frame: a frame can't be cut in two at a record's edge") {
    const Bytes key(32, 7);
    FrameEncoder encoder{CipherState(key)};
    FrameDecoder decoder{CipherState(key)};
    Bytes wire;
    REQUIRE(encoder.append(Bytes(kRecordPlainBytes + 1, 3), wire));
    wire[0] = 0xff;  // claims one full record, 65,535 bytes
    wire[1] = 0xff;
    wire[2] = 0;
    std::vector<SharedBytes> out;
    const auto result = decoder.feed(ByteView(wire).first(4 + kNoiseMaxMessage), out);
    REQUIRE(!result);
    CHECK(result.error().code == "net.frame_tag");
    CHECK(out.empty());
}
