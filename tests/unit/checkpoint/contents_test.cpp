// SPDX-License-Identifier: Apache-2.0
//! Contents to records and back, and everything that a file from somebody else may get wrong.
#include "core/checkpoint/contents.hpp"

#include <doctest/doctest.h>

#include <random>

#include "core/base/codec.hpp"
#include "core/checkpoint/sections.hpp"

using namespace synod;
using namespace synod::checkpoint;

namespace {

struct Row {
    std::uint32_t section;
    Bytes key, value;
};

template <typename Fixed>
Fixed filled(std::uint8_t with) {
    Fixed out;
    out.data.fill(with);
    return out;
}

Contents example(std::size_t state_bytes = 3 * kStateChunkBytes + 5) {
    Contents out;
    auto& m = out.metadata;
    m.genesis = filled<Hash>(1);
    m.block = {4'000, filled<Hash>(2)};
    m.parent = filled<Id>(3);
    m.created = 1'700'000'000'000;
    m.version = "0.1.0";
    m.kind = Kind::kEmergency;
    m.id = make_id(m);
    out.chain = {{4'001, filled<Hash>(4)}, {3'990, filled<Hash>(5)}, Bytes(247, 6), Bytes(400, 7),
                 filled<Hash>(8),          Bytes(state_bytes)};
    for (std::size_t i = 0; i < state_bytes; ++i) {
        out.chain.state[i] = static_cast<std::uint8_t>(i * 31);
    }
    return out;
}

std::vector<Row> rows_of(const Contents& contents, Hash* root = nullptr) {
    std::vector<Row> out;
    auto written =
        write_records(contents, [&](std::uint32_t section, ByteView k, ByteView v) -> Result<void> {
            out.push_back({section, {k.begin(), k.end()}, {v.begin(), v.end()}});
            return {};
        });
    REQUIRE(written);
    if (root != nullptr) {
        *root = *written;
    }
    return out;
}

Result<Assembler::Finished> assemble(const std::vector<Row>& rows) {
    Assembler in;
    for (const auto& row : rows) {
        if (auto put = in.put(row.section, row.key, row.value); !put) {
            return std::unexpected(put.error());
        }
    }
    return in.finish();
}

//! Seals rows anew: what a forger can do, who has no signature to break.
std::vector<Row> sealed(std::vector<Row> rows) {
    ContentRoot root;
    for (const auto& row : rows) {
        if (row.section != 255) {
            (void)root.add(row.section, row.key, row.value);
        }
    }
    const auto value = root.root();
    rows.back().value.assign(value.data.begin(), value.data.end());
    return rows;
}

std::string refusal(const std::vector<Row>& rows) {
    const auto done = assemble(rows);
    return done ? "taken" : done.error().code;
}

std::size_t row_of(const std::vector<Row>& rows, std::string_view name) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (std::string_view(reinterpret_cast<const char*>(rows[i].key.data()),
                             rows[i].key.size()) == name) {
            return i;
        }
    }
    REQUIRE_MESSAGE(false, "no such row: " << name);
    return 0;
}

}  // namespace

TEST_CASE("what was written is what is read, with its root") {
    for (const std::size_t size : {std::size_t{1}, kStateChunkBytes - 1, kStateChunkBytes,
                                   kStateChunkBytes + 1, 3 * kStateChunkBytes + 5}) {
        auto contents = example(size);
        if (size == 1) {
            contents.metadata.parent.reset();
            contents.metadata.id = make_id(contents.metadata);
            contents.chain.head_proof.clear();
        }
        Hash root;
        const auto rows = rows_of(contents, &root);
        for (const auto& row : rows) {
            CHECK(row.value.size() <= kMaxValueBytes);
        }
        const auto done = assemble(rows);
        REQUIRE_MESSAGE(done, (done ? "" : done.error().text()));
        CHECK(done->contents == contents);
        CHECK(done->root == root);
    }
}

TEST_CASE("ids follow from the facts") {
    const auto m = example().metadata;
    CHECK(make_id(m) == make_id(m));
    auto other = m;
    other.created += 1;
    CHECK(make_id(other) != make_id(m));
    other = m;
    other.parent.reset();
    CHECK(make_id(other) != make_id(m));
    for (const auto kind : {Kind::kInterval, Kind::kOnDemand, Kind::kEmergency, Kind::kUpgrade}) {
        CHECK(kind_of(name(kind)) == kind);
    }
    CHECK_FALSE(kind_of("other"));
}

TEST_CASE("each lie has its name") {
    const auto rows = rows_of(example(10));
    auto changed = rows;
    changed[row_of(rows, "state_root")].value[0] ^= 1;
    CHECK(refusal(changed) == "checkpoint.root_mismatch");
    CHECK(refusal(sealed(changed)) ==
          "taken");  // whether a root is the header's, the host asks later

    changed = rows;
    changed.pop_back();
    CHECK(refusal(changed) == "checkpoint.unsealed");
    changed = rows;
    changed.push_back(rows.front());
    CHECK(refusal(changed) == "checkpoint.order");
    changed = rows;
    changed.push_back(rows.back());
    CHECK(refusal(changed) == "checkpoint.malformed");
    changed = rows;
    changed.push_back({255, {'s', 'i', 'g'}, {1, 2, 3}});
    CHECK(refusal(changed) == "taken");
    for (std::uint32_t i = 0; i <= kMaxSealRecords; ++i) {
        changed.push_back({255, {'s'}, {}});
    }
    CHECK(refusal(changed) == "checkpoint.too_large");

    changed = rows;
    changed[row_of(rows, "format")].value = {2, 0, 0, 0};
    CHECK(refusal(sealed(changed)) == "checkpoint.newer");
    changed = rows;
    changed[row_of(rows, "created")].value[0] ^= 1;
    CHECK(refusal(sealed(changed)) == "checkpoint.malformed");  // the id says otherwise
    changed = rows;
    changed[row_of(rows, "state_size")].value[0] ^= 1;
    CHECK(refusal(sealed(changed)) == "checkpoint.malformed");
    changed = rows;
    changed[row_of(rows, "kind")].value = {'x'};
    CHECK(refusal(sealed(changed)) == "checkpoint.malformed");
    changed = rows;
    changed[row_of(rows, "version")].value.assign(kMaxTextBytes + 1, 'v');
    CHECK(refusal(sealed(changed)) == "checkpoint.malformed");
    // A later program may add keys and sections under the same revision.
    changed = rows;
    changed.insert(changed.end() - 1, Row{2, {'z'}, {1}});
    changed.insert(changed.end() - 1, Row{9, {'n', 'e', 'w'}, {1}});
    CHECK(refusal(sealed(changed)) == "taken");
}

TEST_CASE("no field may be missing") {
    const auto rows = rows_of(example(10));
    for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
        const std::string name(rows[i].key.begin(), rows[i].key.end());
        auto changed = rows;
        changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
        CAPTURE(name);
        const auto got = refusal(sealed(changed));
        if (name == "head_proof") {
            CHECK(got == "taken");
        } else if (name == "parent" || name.starts_with("state/")) {
            CHECK(got == "checkpoint.malformed");
        } else {
            CHECK(got == "checkpoint.missing_field");
        }
    }
}

TEST_CASE("chunks must be full and in order") {
    const auto rows = rows_of(example());
    const auto first = row_of(rows, std::string("state/\0\0\0\0", 10));
    auto changed = rows;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(first) + 1);
    CHECK(refusal(sealed(changed)) == "checkpoint.malformed");
    changed = rows;
    changed[first].value.pop_back();
    CHECK(refusal(sealed(changed)) == "checkpoint.malformed");
}

TEST_CASE("property: hostile rows end in an error or in the same contents") {
    std::mt19937_64 random(11);
    const auto contents = example(100);
    const auto rows = rows_of(contents);
    int refused = 0;
    for (int round = 0; round < 3'000; ++round) {
        auto changed = rows;
        auto& row = changed[random() % changed.size()];
        switch (random() % 5) {
            case 0:
                row.section = static_cast<std::uint32_t>(random() % 300);
                break;
            case 1:
                row.value.resize(random() % 50);
                break;
            case 2:
                row.key.resize(random() % 20);
                break;
            case 3:
                std::swap(row, changed[random() % changed.size()]);
                break;
            default:
                for (auto& byte : row.value) {
                    byte ^= static_cast<std::uint8_t>(random());
                }
        }
        if (random() % 2 == 0 && changed.back().section == 255) {
            changed = sealed(std::move(changed));
        }
        const auto done = assemble(changed);
        if (!done) {
            CHECK(done.error().code.starts_with("checkpoint."));
            ++refused;
        } else if (done->root == *fixed_from_hex<Hash>(to_hex(rows.back().value))) {
            CHECK(done->contents == contents);
        }
    }
    CHECK(refused > 1'000);
}
