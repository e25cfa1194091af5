// SPDX-License-Identifier: Apache-2.0
//! Blocks have one encoding. What was read writes to the same bytes; no other bytes are the same block: a change
//! anywhere gives another hash, a refusal, or a check that fails, and in fast mode the next block notices.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "plugins/consensus/federation/format.hpp"
#include "tests/support/federation_chain.hpp"

using namespace synod::testing;
namespace fed = synod::federation;

namespace {

constexpr uint32_t kAuthorities = 4;

/// Block `b` written anew from what was read of it.
ByteVector encode(const fed::BlockParts& b) {
    fed::Prefix prefix;
    RC_ASSERT(fed::read_prefix(b.base, prefix));
    const auto head = prefix.encode();
    ByteVector out(head.begin(), head.end());
    const auto put = [&out](uint64_t v, size_t n) {
        out.resize(out.size() + n);
        fed::put_little(&out[out.size() - n], v, n);
    };
    out.insert(out.end(), b.signature(), b.signature() + fed::kSignatureBytes);
    put(b.bitmap, 8);
    const uint8_t* signatures = b.certificate + fed::kBitmapBytes;
    out.insert(out.end(), signatures, signatures + size_t{b.signatures} * fed::kSignatureBytes);
    put(b.transactions, 4);
    put(b.events, 4);
    put(b.records, 4);
    const uint8_t* item = b.item;
    for (uint32_t i = 0; i < b.items(); ++i) {
        const uint64_t n = fed::get_little(item, 4);
        put(n, 4);
        out.insert(out.end(), item + 4, item + 4 + n);
        item += 4 + n;
    }
    return out;
}

std::vector<ByteVector> some_transactions() {
    return *rc::gen::container<std::vector<ByteVector>>(
        rc::gen::resize(60, rc::gen::container<ByteVector>(rc::gen::arbitrary<uint8_t>())));
}

/// A byte changed, cut out, doubled or added; never the same bytes.
ByteVector changed(const ByteVector& good, size_t from, size_t until) {
    ByteVector bad = good;
    const auto at = static_cast<std::ptrdiff_t>(*rc::gen::inRange(from, until));
    switch (*rc::gen::inRange(0, 4)) {
    case 0: bad.erase(bad.begin() + at); break;
    case 1: bad.insert(bad.begin() + at, *rc::gen::arbitrary<uint8_t>()); break;
    default: bad[static_cast<size_t>(at)] ^= static_cast<uint8_t>(*rc::gen::inRange(1, 256));
    }
    RC_PRE(bad != good);
    return bad;
}

} // namespace

TEST_CASE("a block that was read writes to the bytes it was read from, and so does any run that decodes") {
    FederationChain c(kAuthorities);
    CHECK(rc::check("round trip", [&c] {
        synod_state* state = c.fork(c.genesis);
        ByteVector run;
        for (int blocks = *rc::gen::inRange(1, 5); blocks > 0; --blocks) {
            const ByteVector one = c.extend(state, 1, some_transactions());
            run.insert(run.end(), one.begin(), one.end());
        }
        c.release(state);
        if (*rc::gen::arbitrary<bool>()) {
            run = changed(run, 0, run.size());
        }
        for (size_t at = 0; at < run.size();) {
            fed::BlockParts b;
            const char* why = nullptr;
            if (!fed::read_block(std::span(run).subspan(at), b, &why)) {
                RC_ASSERT(why != nullptr);
                break;
            }
            const ByteVector again = encode(b);
            RC_ASSERT(again.size() == b.length);
            RC_ASSERT(std::equal(again.begin(), again.end(), run.begin() + static_cast<std::ptrdiff_t>(at)));
            at += static_cast<size_t>(b.length);
        }
    }));
}

TEST_CASE("no other bytes are the same block") {
    FederationChain c(kAuthorities);
    synod_state* state = c.fork(c.genesis);
    c.extend(state, 3);
    CHECK(rc::check("one encoding", [&] {
        synod_state* copy = c.fork(state);
        const ByteVector good = c.block(copy, c.weigh(copy).slot + 1, c.certificate(copy), some_transactions());
        RC_ASSERT(c.apply(copy, good) == SYNOD_OK);
        RC_ASSERT(c.checks.first_failure() == 0U);
        const ByteVector hash(c.views[0].hash, c.views[0].hash + 32);
        c.release(copy);
        const ByteVector bad = changed(good, 0, good.size());
        copy = c.fork(state);
        const synod_status status = c.apply(copy, bad);
        if (status == SYNOD_OK && c.checks.first_failure() == 0 && !c.views.empty()) {
            RC_ASSERT(ByteVector(c.views[0].hash, c.views[0].hash + 32) != hash);
            RC_FAIL("a changed block was accepted whole"); // nobody signed it
        }
        c.release(copy);
    }));
    c.release(state);
}

TEST_CASE("in fast mode the next block vouches for every byte of this one") {
    FederationChain c(kAuthorities);
    synod_state* state = c.fork(c.genesis);
    c.extend(state, 3);
    CHECK(rc::check("vouched bytes", [&] {
        synod_state* copy = c.fork(state);
        const ByteVector first = c.extend(copy, 1, some_transactions());
        const ByteVector second = c.extend(copy, 1, some_transactions());
        c.release(copy);
        ByteVector bad = changed(first, 0, first.size());
        bad.insert(bad.end(), second.begin(), second.end());
        copy = c.fork(state);
        const synod_status status = c.apply(copy, bad, 1);
        const bool whole = status == SYNOD_OK && c.views.size() == 2 && c.checks.first_failure() == 0;
        c.release(copy);
        RC_ASSERT_FALSE(whole);
    }));
    c.release(state);
}

TEST_CASE("attestations and certificates have one encoding") {
    CHECK(rc::check("attestation", [] {
        const auto bytes = *rc::gen::container<ByteVector>(fed::kAttestationBytes, rc::gen::arbitrary<uint8_t>());
        ByteVector one = bytes;
        one[0] = static_cast<uint8_t>(*rc::gen::inRange(0, 5));
        fed::Attestation a;
        if (fed::read_attestation(one, a)) {
            const auto again = a.encode();
            RC_ASSERT(std::equal(again.begin(), again.end(), one.begin(), one.end()));
        }
    }));
    CHECK(rc::check("certificate", [] {
        const auto bitmap = *rc::gen::arbitrary<uint64_t>();
        ByteVector one(8);
        fed::put_little(one.data(), bitmap, 8);
        const auto signatures = static_cast<size_t>(__builtin_popcountll(bitmap));
        one.resize(8 + 64 * signatures);
        fed::CertificateView c;
        RC_ASSERT(fed::read_certificate(one, c));
        RC_ASSERT(c.bitmap == bitmap);
        RC_ASSERT(c.signatures == signatures);
        one.push_back(0);
        RC_ASSERT_FALSE(fed::read_certificate(one, c));
        one.resize(one.size() - 2);
        RC_ASSERT_FALSE(one.size() != 0 && fed::read_certificate(one, c));
    }));
}
