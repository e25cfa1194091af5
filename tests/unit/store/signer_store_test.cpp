// SPDX-License-Identifier: Apache-2.0
#include "core/store/signer_store.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "core/store/sqlite.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace synod;
using namespace synod::store;
using namespace synod::store::test;

namespace {
std::string code_of(const auto& result) { return result ? "ok" : result.error().code; }
PublicKey key(std::uint8_t n) {
    PublicKey out;
    out.data[0] = n;
    return out;
}
}  // namespace

TEST_CASE("signer store: advances only, and remembers across a restart") {
    TempDir dir;
    {
        auto signer = SignerStore::open(dir.path(), true);
        REQUIRE(signer);
        CHECK_FALSE(*(*signer)->load(key(1)));
        CHECK(code_of(SignerStore::open(dir.path(), true)) == "store.locked");
        CHECK((*signer)->record_proposal(key(1), 10));
        CHECK(code_of((*signer)->record_proposal(key(1), 10)) == "store.slot_not_newer");
        CHECK(code_of((*signer)->record_proposal(key(1), 9)) == "store.slot_not_newer");
        CHECK((*signer)->record_approval(key(1), 12, 8, hash_of(8)));
        // A newer lock does not excuse a second approval of one slot.
        CHECK(code_of((*signer)->record_approval(key(1), 12, 9, hash_of(9))) ==
              "store.slot_not_newer");
        CHECK(code_of((*signer)->record_approval(key(1), 13, 7, hash_of(7))) ==
              "store.slot_not_newer");
        CHECK(code_of((*signer)->record_approval(key(1), 13, 8, hash_of(9))) ==
              "store.slot_not_newer");
        CHECK((*signer)->record(key(1), {11, 12, 9, hash_of(9)}));
        CHECK(code_of((*signer)->record(key(1), {11, 12, 9, hash_of(9)})) ==
              "store.slot_not_newer");
        CHECK((*signer)->record_approval(key(2), 1, 0, Hash{}));
    }
    auto signer = SignerStore::open(dir.path(), false);
    REQUIRE(signer);
    CHECK(*(*signer)->load(key(1)) == SignRecord{11, 12, 9, hash_of(9)});
    CHECK((*(*signer)->load(key(2)))->last_approved_slot == 1);
    CHECK(code_of((*signer)->record_approval(key(1), 12, 9, hash_of(9))) == "store.slot_not_newer");
}

TEST_CASE("signer store: a damaged or emptied file never reads as a fresh one") {
    TempDir dir;
    CHECK(code_of(SignerStore::open(dir.path(), false)) == "store.missing");
    {
        auto signer = SignerStore::open(dir.path(), true);
        REQUIRE((*signer)->record_proposal(key(1), 10));
    }
    {
        auto db = Database::open(dir.path() + "/signer.db", Access::read_write);
        REQUIRE(db->exec("UPDATE signers SET value=zeroblob(56)"));
    }
    {
        auto signer = SignerStore::open(dir.path(), true);
        REQUIRE(signer);
        CHECK(code_of((*signer)->load(key(1))) == "store.corrupt");
        CHECK(code_of((*signer)->record_proposal(key(1), 11)) == "store.corrupt");
    }
    std::ofstream(dir.path() + "/signer.db", std::ios::trunc).flush();
    CHECK(code_of(SignerStore::open(dir.path(), true)) == "store.corrupt");
}
