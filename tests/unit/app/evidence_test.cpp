// SPDX-License-Identifier: Apache-2.0
//! What is remembered of who said what, and the proofs that are kept.
#include "core/app/evidence/evidence_book.hpp"

#include <doctest/doctest.h>

#include "core/app/evidence/testimonies.hpp"
#include "core/app/node/gossip_digest.hpp"

using namespace synod;
using namespace synod::app;

namespace {

Hash hash_of(std::uint8_t n) {
    Hash out;
    out.data.fill(n);
    return out;
}

ProvenEvidence evidence(std::uint8_t author, std::uint64_t slot) {
    ProvenEvidence out;
    out.author.data.fill(author);
    out.purpose = 1;
    out.slot = slot;
    out.first = hash_of(1);
    out.second = hash_of(2);
    out.first_height = 7;
    out.second_height = 8;
    out.seen_at = 1'000 + slot;
    out.bytes = {author, static_cast<std::uint8_t>(slot), static_cast<std::uint8_t>(slot >> 8)};
    out.id = gossip_digest(out.bytes);
    return out;
}

}  // namespace

TEST_CASE("testimonies: only another statement for the same slot contradicts") {
    Testimonies t;
    const Said said{10, 1, 3, hash_of(1)};
    CHECK_FALSE(t.note(said, {1}));
    CHECK(t.knows(said));
    CHECK_FALSE(t.note(said, {1}));                       // the same again
    CHECK_FALSE(t.note({11, 1, 3, hash_of(2)}, {2}));     // its next slot
    CHECK_FALSE(t.note({10, 2, 3, hash_of(2)}, {3}));     // it approves, too
    CHECK_FALSE(t.note({10, 1, 2, hash_of(2)}, {4}));     // somebody else
    CHECK(t.note({10, 1, 3, hash_of(2)}, {5}) == Bytes{1});
    CHECK(t.note({10, 1, 3, hash_of(3)}, {6}) == Bytes{1});
}

TEST_CASE("testimonies: the oldest slots go first") {
    Testimonies t;
    for (std::uint64_t slot = 1; slot <= kMaxTestimonies + 5; ++slot) {
        CHECK_FALSE(t.note({slot, 1, 0, hash_of(1)}, {1}));
    }
    CHECK(t.size() == kMaxTestimonies);
    CHECK_FALSE(t.knows({5, 1, 0, hash_of(1)}));
    CHECK(t.knows({6, 1, 0, hash_of(1)}));
}

TEST_CASE("evidence book: a piece is kept once, a few of each author, and all of it over a restart") {
    EvidenceBook book;
    std::vector<store::Record> records;
    for (std::uint64_t slot = 1; slot <= kMaxEvidenceOfOne + 2; ++slot) {
        auto record = book.add(evidence(1, slot));
        CHECK(record.has_value() == (slot <= kMaxEvidenceOfOne));
        CHECK_FALSE(book.add(evidence(1, slot)));
        if (record) {
            CHECK(record->space == kEvidenceSpace);
            records.insert(records.begin(), std::move(*record));  // in another order
        }
    }
    records.push_back(*book.add(evidence(2, 9)));
    CHECK(book.guilty(evidence(2, 0).author));
    CHECK_FALSE(book.guilty(evidence(3, 0).author));
    CHECK(book.count(evidence(1, 0).author) == kMaxEvidenceOfOne);
    CHECK(book.one_of_each() == std::vector<Bytes>{evidence(1, 1).bytes, evidence(2, 9).bytes});

    EvidenceBook again;
    REQUIRE(again.restore(records));
    CHECK(again.list() == book.list());
    for (std::size_t cut = 1; cut < records[0].value.size(); ++cut) {
        auto damaged = records;
        damaged[0].value.resize(cut);
        EvidenceBook rest;
        const auto read = rest.restore(damaged);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == "evidence.corrupt");
        CHECK(rest.list().size() == book.list().size() - 1);
    }
}

TEST_CASE("evidence book: bounded in all") {
    EvidenceBook book;
    std::size_t kept = 0;
    for (std::uint32_t author = 0; author < 256; ++author) {
        for (std::uint64_t slot = 1; slot <= 2; ++slot) {
            kept += book.add(evidence(static_cast<std::uint8_t>(author), slot)) ? 1 : 0;
        }
    }
    CHECK(kept == kMaxEvidence);
    CHECK(book.list().size() == kMaxEvidence);
    CHECK(book.authors().size() == kMaxEvidence / 2);
}
