// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/contents.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "core/base/codec.hpp"
#include "core/checkpoint/sections.hpp"

namespace synod::checkpoint {

namespace {

constexpr std::array<std::pair<Kind, std::string_view>, 4> kKinds{{{Kind::kInterval, "interval"},
                                                                   {Kind::kOnDemand, "on-demand"},
                                                                   {Kind::kEmergency, "emergency"},
                                                                   {Kind::kUpgrade, "upgrade"}}};

ByteView bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view text_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes encode(const BlockRef& ref) {
    return Writer().put(ref.height).fixed(ref.hash).take();
}

Bytes chunk_key(std::uint32_t number) {
    Writer out;
    out.raw(bytes_of(key::kState));
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.put(static_cast<std::uint8_t>(number >> shift));
    }
    return out.take();
}

std::unexpected<Error> malformed(std::string_view key) {
    return fail("checkpoint.malformed", "a field has a wrong size or value", std::string(key));
}

template <typename Int>
bool read(ByteView from, Int& out) {
    Reader in(from);
    out = in.get<Int>();
    return in.done();
}
template <std::size_t N, typename Tag>
bool read(ByteView from, FixedBytes<N, Tag>& out) {
    Reader in(from);
    out = in.fixed<FixedBytes<N, Tag>>();
    return in.done();
}
bool read(ByteView from, BlockRef& out) {
    Reader in(from);
    out.height = in.get<std::uint64_t>();
    out.hash = in.fixed<Hash>();
    return in.done();
}

}  // namespace

std::string_view name(Kind kind) {
    const auto* found = std::ranges::find(kKinds, kind, [](const auto& row) { return row.first; });
    return found == kKinds.end() ? "unknown" : found->second;
}

std::optional<Kind> kind_of(std::string_view text) {
    const auto* found = std::ranges::find(kKinds, text, [](const auto& row) { return row.second; });
    return found == kKinds.end() ? std::nullopt : std::optional(found->first);
}

Id make_id(const Metadata& m) {
    Writer in;
    in.raw(bytes_of("synod checkpoint id/1"))
        .fixed(m.genesis)
        .put(m.block.height)
        .fixed(m.block.hash);
    in.put(std::uint64_t{m.created});
    if (m.parent) {
        in.fixed(*m.parent);
    }
    in.raw(bytes_of(name(m.kind)));
    Id out;
    crypto_generichash(out.data.data(), out.data.size(), in.view().data(), in.view().size(),
                       nullptr, 0);
    return out;
}

Result<Hash> write_records(const Contents& contents, const Put& put) {
    ContentRoot root;
    Result<void> good;
    const auto record = [&](Section section, ByteView key, ByteView value) {
        if (good) {
            good = root.add(static_cast<std::uint32_t>(section), key, value);
        }
        if (good) {
            good = put(static_cast<std::uint32_t>(section), key, value);
        }
    };
    const auto& m = contents.metadata;
    const auto meta = [&](std::string_view key, ByteView value) {
        record(Section::kMetadata, bytes_of(key), value);
    };
    meta(key::kBlockHash, m.block.hash.view());
    meta(key::kCreated, Writer().put(std::uint64_t{m.created}).take());
    meta(key::kFormat, Writer().put(m.format).take());
    meta(key::kGenesis, m.genesis.view());
    meta(key::kHeight, Writer().put(m.block.height).take());
    meta(key::kId, m.id.view());
    meta(key::kKind, bytes_of(name(m.kind)));
    if (m.parent) {
        meta(key::kParent, m.parent->view());
    }
    meta(key::kVersion, bytes_of(m.version));

    const auto& c = contents.chain;
    const auto chain = [&](ByteView key, ByteView value) { record(Section::kChain, key, value); };
    chain(bytes_of(key::kCommitted), encode(c.committed));
    chain(bytes_of(key::kFinal), encode(c.final_));
    if (!c.head_proof.empty()) {
        chain(bytes_of(key::kHeadProof), c.head_proof);
    }
    chain(bytes_of(key::kHeader), c.header);
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < c.state.size(); at += kStateChunkBytes) {
        const auto n = std::min(kStateChunkBytes, c.state.size() - at);
        chain(chunk_key(number++), ByteView(c.state).subspan(at, n));
    }
    chain(bytes_of(key::kStateRoot), c.state_root.view());
    chain(bytes_of(key::kStateSize), Writer().put(std::uint64_t{c.state.size()}).take());
    if (!good) {
        return std::unexpected(good.error());
    }
    const auto content = root.root();
    if (auto sealed =
            put(static_cast<std::uint32_t>(Section::kSeal), bytes_of(key::kRoot), content.view());
        !sealed) {
        return std::unexpected(sealed.error());
    }
    return content;
}

Result<void> Assembler::metadata(std::string_view key, ByteView value) {
    auto& m = out_.metadata;
    const auto taken = [&](bool good) -> Result<void> {
        if (!good) {
            return malformed(key);
        }
        seen_.emplace(key);
        return {};
    };
    if (key == key::kBlockHash) {
        return taken(read(value, m.block.hash));
    }
    if (key == key::kCreated) {
        return taken(read(value, m.created));
    }
    if (key == key::kFormat) {
        return taken(read(value, m.format));
    }
    if (key == key::kGenesis) {
        return taken(read(value, m.genesis));
    }
    if (key == key::kHeight) {
        return taken(read(value, m.block.height));
    }
    if (key == key::kId) {
        return taken(read(value, m.id));
    }
    if (key == key::kKind) {
        const auto kind = kind_of(text_of(value));
        m.kind = kind.value_or(Kind::kInterval);
        return taken(kind.has_value());
    }
    if (key == key::kParent) {
        m.parent.emplace();
        return taken(read(value, *m.parent));
    }
    if (key == key::kVersion) {
        m.version = text_of(value.first(std::min(value.size(), kMaxTextBytes)));
        return taken(value.size() <= kMaxTextBytes);
    }
    return {};
}

Result<void> Assembler::chain(std::string_view key, ByteView value) {
    auto& c = out_.chain;
    const auto taken = [&](bool good) -> Result<void> {
        if (!good) {
            return malformed(key);
        }
        seen_.emplace(key);
        return {};
    };
    const auto keep = [&](Bytes& to, std::size_t most) {
        if (value.size() <= most) {
            to.assign(value.begin(), value.end());
        }
        return taken(!value.empty() && value.size() <= most);
    };
    if (key == key::kCommitted) {
        return taken(read(value, c.committed));
    }
    if (key == key::kFinal) {
        return taken(read(value, c.final_));
    }
    if (key == key::kHeader) {
        return keep(c.header, kMaxHeaderBytes);
    }
    if (key == key::kHeadProof) {
        return keep(c.head_proof, kMaxHeaderBytes);
    }
    if (key == key::kStateRoot) {
        return taken(read(value, c.state_root));
    }
    if (key == key::kStateSize) {
        return taken(read(value, state_size_));
    }
    if (key.starts_with(key::kState)) {
        if (key != text_of(chunk_key(chunks_)) || value.empty() ||
            value.size() > kStateChunkBytes || c.state.size() % kStateChunkBytes != 0) {
            return fail("checkpoint.malformed", "the state's chunks are not in order and full",
                        "chunk " + std::to_string(chunks_));
        }
        ++chunks_;
        c.state.insert(c.state.end(), value.begin(), value.end());
    }
    return {};
}

Result<void> Assembler::put(std::uint32_t section, ByteView key, ByteView value) {
    if (section == static_cast<std::uint32_t>(Section::kSeal)) {
        if (++seal_records_ > kMaxSealRecords) {
            return fail("checkpoint.too_large", "too many records in the seal", "seal");
        }
        if (text_of(key) != key::kRoot) {
            return {};  // signatures of the root, which this code doesn't know
        }
        Hash root;
        if (sealed_ || !read(value, root)) {
            return malformed(key::kRoot);
        }
        sealed_ = root;
        return {};
    }
    if (sealed_) {
        return fail("checkpoint.order", "a record comes after the seal",
                    "section " + std::to_string(section));
    }
    if (auto added = root_.add(section, key, value); !added) {
        return added;
    }
    switch (static_cast<Section>(section)) {
        case Section::kMetadata:
            return metadata(text_of(key), value);
        case Section::kChain:
            return chain(text_of(key), value);
        default:
            return {};
    }
}

Result<void> Assembler::complete() const {
    if (seen_.contains(key::kFormat) && out_.metadata.format > kFormatRevision) {
        return fail("checkpoint.newer",
                    "it is of format revision " + std::to_string(out_.metadata.format) +
                        ", this program reads up to " + std::to_string(kFormatRevision),
                    {}, "use the program that wrote it, or a newer one");
    }
    for (const auto field : {key::kBlockHash, key::kCreated, key::kFormat, key::kGenesis,
                             key::kHeight, key::kId, key::kKind, key::kVersion, key::kCommitted,
                             key::kFinal, key::kHeader, key::kStateRoot, key::kStateSize}) {
        if (!seen_.contains(field)) {
            return fail("checkpoint.missing_field", "a field is missing", std::string(field));
        }
    }
    return {};
}

Result<Assembler::Finished> Assembler::finish() {
    // The root first: what it doesn't cover is not worth a word about its fields.
    if (!sealed_) {
        return fail("checkpoint.unsealed", "it has no content root", "seal");
    }
    if (const auto root = root_.root(); root != *sealed_) {
        return fail("checkpoint.root_mismatch",
                    "the records lead to the content root " + to_hex(root.view()) +
                        ", the file says " + to_hex(sealed_->view()),
                    "seal", "the file was changed: use another checkpoint");
    }
    if (auto all = complete(); !all) {
        return std::unexpected(all.error());
    }
    if (state_size_ != out_.chain.state.size() || state_size_ == 0) {
        return fail("checkpoint.malformed", "the state's chunks are not as long as it says",
                    "state_size");
    }
    if (out_.metadata.id != make_id(out_.metadata)) {
        return fail("checkpoint.malformed", "its id doesn't follow from its facts", "id");
    }
    return Finished{std::move(out_), *sealed_};
}

}  // namespace synod::checkpoint
