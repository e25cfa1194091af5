// SPDX-License-Identifier: Apache-2.0
//! libFuzzer target for everything that reads a peer's merged-mining bytes: proof, finality record,
//! report.
#include "plugins/consensus/federation/auxpow/bundle.hpp"
#include "plugins/consensus/federation/auxpow/check_json.hpp"

#include <synod/cpp/sha256.hpp>

#include <cstdlib>

namespace {

using namespace synod::federation;

void sha256d(void*, const synod_bytes* spans, uint64_t n, uint8_t* out) {
    for (uint64_t i = 0; i < n; ++i) {
        synod::Sha256 once, twice;
        once.update({spans[i].p, static_cast<size_t>(spans[i].n)});
        twice.update(once.finish());
        const auto digest = twice.finish();
        std::memcpy(out + 32 * i, digest.data(), digest.size());
    }
}

void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView bytes(data, size);
    const Hasher hash{&sha256d, nullptr};
    if (const auto proof = parse_auxpow(bytes)) {
        const Bytes again = encode_auxpow(*proof);
        must(ByteView(again).size() == size && std::equal(again.begin(), again.end(), data));
        must(check_auxpow(*proof, {}, 1, std::nullopt, hash).rules.size() == kRuleCount);
    }
    if (const auto record = decode_record(bytes)) {
        const auto again = encode_record(*record);
        must(again && again->size() == size && std::equal(again->begin(), again->end(), data));
    }
    must(!check_json(1, {}, std::nullopt, bytes, hash).empty());
    return 0;
}
