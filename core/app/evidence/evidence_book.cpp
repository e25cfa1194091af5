// SPDX-License-Identifier: Apache-2.0
#include "core/app/evidence/evidence_book.hpp"

#include <synod/consensus.h>

#include <algorithm>

#include "core/app/node/gossip_digest.hpp"
#include "core/base/codec.hpp"

namespace synod::app {

namespace {

Bytes encode(const ProvenEvidence& e) {
    return synod::Writer()
        .fixed(e.author)
        .put(e.purpose)
        .put(e.slot)
        .fixed(e.first)
        .fixed(e.second)
        .put(e.first_height)
        .put(e.second_height)
        .put(e.seen_at)
        .blob(e.bytes)
        .take();
}

std::optional<ProvenEvidence> decode(ByteView bytes) {
    Reader in(bytes);
    ProvenEvidence out;
    out.author = in.fixed<PublicKey>();
    out.purpose = in.get<std::uint32_t>();
    out.slot = in.get<std::uint64_t>();
    out.first = in.fixed<Hash>();
    out.second = in.fixed<Hash>();
    out.first_height = in.get<std::uint64_t>();
    out.second_height = in.get<std::uint64_t>();
    out.seen_at = in.get<UnixMs>();
    const auto own = in.blob(SYNOD_EVIDENCE_MAX);
    if (!in.done() || own.empty()) {
        return std::nullopt;
    }
    out.bytes.assign(own.begin(), own.end());
    out.id = gossip_digest(out.bytes);
    return out;
}

}  // namespace

std::optional<store::Record> EvidenceBook::add(ProvenEvidence evidence) {
    auto& list = by_author_[evidence.author];
    const bool known = std::ranges::any_of(list, [&](const auto& e) {
        return e.slot == evidence.slot && e.purpose == evidence.purpose;
    });
    if (known || list.size() >= kMaxEvidenceOfOne || size_ >= kMaxEvidence) {
        if (list.empty()) {
            by_author_.erase(evidence.author);
        }
        return std::nullopt;
    }
    ++size_;
    store::Record out{kEvidenceSpace, Bytes(evidence.id.view().begin(), evidence.id.view().end()), encode(evidence)};
    list.push_back(std::move(evidence));
    return out;
}

Result<void> EvidenceBook::restore(const std::vector<store::Record>& records) {
    Result<void> out;
    std::vector<ProvenEvidence> all;
    for (const auto& record : records) {
        if (auto read = decode(record.value)) {
            all.push_back(std::move(*read));
        } else if (out) {
            out = fail("evidence.corrupt", "a stored piece of evidence can't be read", to_hex(record.key));
        }
    }
    std::ranges::sort(all, {}, &ProvenEvidence::seen_at);
    for (auto& evidence : all) {
        (void)add(std::move(evidence));
    }
    return out;
}

std::size_t EvidenceBook::count(const PublicKey& author) const {
    const auto it = by_author_.find(author);
    return it == by_author_.end() ? 0 : it->second.size();
}

std::vector<ProvenEvidence> EvidenceBook::list() const {
    std::vector<ProvenEvidence> out;
    for (const auto& [author, list] : by_author_) {
        out.insert(out.end(), list.begin(), list.end());
    }
    return out;
}

std::vector<Bytes> EvidenceBook::one_of_each() const {
    std::vector<Bytes> out;
    for (const auto& [author, list] : by_author_) {
        out.push_back(list.front().bytes);
    }
    return out;
}

std::vector<PublicKey> EvidenceBook::authors() const {
    std::vector<PublicKey> out;
    for (const auto& [author, list] : by_author_) {
        out.push_back(author);
    }
    return out;
}

}  // namespace synod::app
