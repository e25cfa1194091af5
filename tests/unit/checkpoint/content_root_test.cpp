// SPDX-License-Identifier: Apache-2.0
//! The content root: its bytes against an independent computation, order, limits, and that nothing
//! of a record can change without the root.
#include "core/checkpoint/content_root.hpp"

#include <doctest/doctest.h>

#include <random>

#include "core/checkpoint/sections.hpp"

using namespace synod;
using namespace synod::checkpoint;

namespace {

struct Row {
    std::uint32_t section;
    Bytes key, value;
};

Bytes bytes(std::string_view text) {
    return {text.begin(), text.end()};
}

Result<Hash> root_of(const std::vector<Row>& rows) {
    ContentRoot root;
    for (const auto& row : rows) {
        if (auto added = root.add(row.section, row.key, row.value); !added) {
            return std::unexpected(added.error());
        }
    }
    return root.root();
}

std::vector<Row> example() {
    Bytes all(256);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = static_cast<std::uint8_t>(i);
    }
    return {{1, bytes("a"), bytes("one")},
            {1, bytes("b"), {}},
            {2, bytes("a"), bytes("two")},
            {2, bytes("ab"), all},
            {7, {}, bytes("z")}};
}

}  // namespace

TEST_CASE("the root is what an independent BLAKE2b says for 0 to 5 records") {
    // Python's hashlib.blake2b with the recursive definition of RFC 6962, section 2.1.
    constexpr std::string_view kRoots[] = {
        "354793da135a5c5e61bb441cb307736891453fe5ff8f3feb83f721b99290ff91",
        "c843141c50054f5edcd3a7fa6bbddec4473df679f1f7b8b46b61c09735f9efad",
        "956c7d29fc1caa266f6ae387f47f4705e497179e318a34b19e79a12719ba62dc",
        "b8d61ba328b9766642574c490a74a387eb28258795ec44bbe7718b8fad49245d",
        "b32d43ff41360a423dc25e61653f35bb6a313526991e12ddeaaa3ca227431cd1",
        "c9ffa4cc71d9ff1cbfc432c33e2f679bdc4df12c87e82a9224caedc3a4ca41cf",
    };
    const auto rows = example();
    for (std::size_t n = 0; n <= rows.size(); ++n) {
        const auto root = root_of({rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n)});
        REQUIRE(root);
        CHECK(to_hex(root->view()) == kRoots[n]);
    }
}

TEST_CASE("records out of order, twice or of the seal are refused") {
    const auto code = [](const std::vector<Row>& rows) {
        const auto root = root_of(rows);
        return root ? std::string() : root.error().code;
    };
    CHECK(code({{1, bytes("b"), {}}, {1, bytes("a"), {}}}) == "checkpoint.order");
    CHECK(code({{1, bytes("a"), {}}, {1, bytes("a"), {}}}) == "checkpoint.order");
    CHECK(code({{2, bytes("a"), {}}, {1, bytes("b"), {}}}) == "checkpoint.order");
    CHECK(code({{0, bytes("a"), {}}}) == "checkpoint.order");
    CHECK(code({{255, bytes("root"), {}}}) == "checkpoint.order");
    CHECK(code({{1, bytes("a"), {}}, {1, bytes("aa"), {}}, {2, bytes("a"), {}}}).empty());
    CHECK(code({{1, Bytes(kMaxKeyBytes + 1), {}}}) == "checkpoint.too_large");
    CHECK(code({{1, {1}, Bytes(kMaxValueBytes + 1)}}) == "checkpoint.too_large");
}

TEST_CASE("the sum of all records is bounded") {
    ContentRoot root;
    const Bytes value(kMaxValueBytes);
    std::string refused;
    for (std::uint8_t i = 0; i < 32 && refused.empty(); ++i) {
        const Bytes key{i};
        if (auto added = root.add(1, key, value); !added) {
            refused = added.error().code;
        }
    }
    CHECK(refused == "checkpoint.too_large");
    CHECK(root.records() == kMaxContentBytes / kMaxValueBytes - 1);
}

TEST_CASE("property: any change of any record changes the root") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<Row> rows;
        const auto n = 1 + random() % 40;
        for (std::uint64_t i = 0; i < n; ++i) {
            Row row{
                static_cast<std::uint32_t>(1 + i / 10), {static_cast<std::uint8_t>(i), 'k'}, {}};
            row.value.resize(random() % 70);
            for (auto& byte : row.value) {
                byte = static_cast<std::uint8_t>(random());
            }
            rows.push_back(std::move(row));
        }
        const auto whole = root_of(rows);
        REQUIRE(whole);
        const auto at = random() % n;
        auto changed = rows;
        switch (random() % 4) {
            case 0:
                changed[at].value.push_back(0);
                break;
            case 1:
                changed[at].key.push_back(0);
                break;
            case 2:
                changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
                break;
            default:
                if (changed[at].value.empty()) {
                    changed[at].value.push_back(1);
                } else {
                    changed[at].value[random() % changed[at].value.size()] ^= 1u << random() % 8;
                }
        }
        const auto other = root_of(changed);
        REQUIRE(other);
        CHECK(*other != *whole);
        // A byte that moves from a value's front to its key's end is another record.
        auto moved = rows;
        if (!moved[at].value.empty()) {
            moved[at].key.push_back(moved[at].value.front());
            moved[at].value.erase(moved[at].value.begin());
            const auto third = root_of(moved);
            REQUIRE(third);
            CHECK(*third != *whole);
        }
    }
}
