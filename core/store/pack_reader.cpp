// SPDX-License-Identifier: Apache-2.0
#include "core/store/pack_reader.hpp"

#include <algorithm>

namespace synod::store {

Result<PackReader> PackReader::open(Database& db, Verify verify) {
    PackReader out;
    out.verify_ = verify;
    struct Plan {
        Statement* statement;
        const char* sql;
    };
    const Plan plans[] = {
        {&out.newest_,
         "SELECT first_height, count, size, index_sum, bytes_sum, ends, hashes FROM packs"
         " ORDER BY first_height DESC LIMIT 1"},
        {&out.probe_,
         "SELECT first_height, count, index_sum FROM packs WHERE first_height <= ?1"
         " ORDER BY first_height DESC LIMIT 1"},
        {&out.index_,
         "SELECT first_height, count, size, index_sum, bytes_sum, ends, hashes FROM packs"
         " WHERE first_height <= ?1 ORDER BY first_height DESC LIMIT 1"},
        {&out.whole_,
         "SELECT first_height, count, size, index_sum, bytes_sum, ends, hashes, bytes FROM packs"
         " WHERE first_height = ?1"},
        {&out.tail_,
         "SELECT first_height, count, hashes FROM packs WHERE first_height > ?1"
         " ORDER BY first_height DESC"},
        {&out.bucket_, "SELECT sum, entries FROM hash_segments WHERE key = ?1"},
    };
    for (const auto& plan : plans) {
        auto prepared = Statement::prepare(db, plan.sql);
        if (!prepared) {
            return std::unexpected(std::move(prepared.error()));
        }
        *plan.statement = std::move(*prepared);
    }
    return out;
}

Result<std::optional<PackIndex>> PackReader::newest() {
    Use use(newest_);
    const auto row = use.step();
    if (!row) {
        return std::unexpected(row.error());
    }
    if (!*row) {
        return std::nullopt;
    }
    return read_index(use);
}

Result<std::optional<PackIndex>> PackReader::index_at(std::uint64_t height) {
    Use use(index_);
    const auto row = use.number(1, height).step();
    if (!row) {
        return std::unexpected(row.error());
    }
    if (!*row) {
        return std::nullopt;
    }
    auto pack = read_index(use);
    if (pack && height >= pack->next()) {
        return std::nullopt;
    }
    return pack;
}

Result<const PackReader::Cached*> PackReader::load(std::uint64_t first_height) {
    Use use(whole_);
    const auto row = use.number(1, first_height).step();
    if (!row) {
        return std::unexpected(row.error());
    }
    if (!*row) {
        return pack_corrupt(first_height, first_height + 1, "its row is missing");
    }
    auto pack = read_index(use);
    if (!pack) {
        return std::unexpected(std::move(pack.error()));
    }
    const auto bytes = use.bytes(7);
    std::uint64_t name = 0;
    std::memcpy(&name, pack->index_sum.data.data(), sizeof name);
    const bool known = verify_ == Verify::never ||
                       (verify_ == Verify::first_read && verified_.contains(name));
    if (bytes.size() != pack->size || (!known && !sound(*pack, bytes))) {
        return pack_corrupt(first_height, pack->next(), "the checksum of its blocks is wrong");
    }
    if (verified_.size() >= kRememberedPacks) {
        verified_.clear();
    }
    verified_.insert(name);
    std::erase_if(cache_, [&](const Cached& c) { return c.first_height == first_height; });
    cache_.push_front({first_height, pack->index_sum, std::move(pack->ends),
                       std::make_shared<const Bytes>(bytes.begin(), bytes.end())});
    std::size_t held = 0;
    std::size_t kept = 0;
    for (auto at = cache_.begin(); at != cache_.end();) {
        held += at->bytes->size();
        // The newest stays in any case: the caller is about to use it.
        at = ++kept > 1 && (kept > kCachedPacks || held > kCachedBytes) ? cache_.erase(at)
                                                                        : std::next(at);
    }
    return &cache_.front();
}

Result<const PackReader::Cached*> PackReader::pack_at(std::uint64_t height) {
    std::uint64_t first = 0;
    {
        Use use(probe_);
        const auto row = use.number(1, height).step();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row || height - use.number(0) >= use.number(1)) {
            return nullptr;
        }
        first = use.number(0);
        const auto sum = use.bytes(2);
        const auto hit = std::find_if(cache_.begin(), cache_.end(), [&](const Cached& c) {
            return c.first_height == first && same(sum, c.index_sum);
        });
        if (hit != cache_.end() && verify_ != Verify::every_read) {
            cache_.splice(cache_.begin(), cache_, hit);
            return &cache_.front();
        }
    }
    auto pack = load(first);
    if (pack && height - first >= (*pack)->ends.size()) {
        return pack_corrupt(first, height, "its count is wrong");
    }
    return pack;
}

Result<BlockRange> PackReader::read_range(std::uint64_t from, std::uint32_t max_count,
                                          std::uint64_t soft_bytes, std::uint64_t hard_bytes) {
    BlockRange out;
    out.first_height = from;
    while (out.count < max_count && from + out.count < kMaxHeight) {
        const std::uint64_t height = from + out.count;
        const auto found = pack_at(height);
        if (!found) {
            return std::unexpected(found.error());
        }
        if (*found == nullptr) {
            break;
        }
        const Cached& pack = **found;
        const auto begin = static_cast<std::size_t>(height - pack.first_height);
        const std::uint32_t start = begin == 0 ? 0 : pack.ends[begin - 1];
        RangePart part;
        part.first_height = height;
        bool full = false;
        for (auto i = begin; i < pack.ends.size() && out.count < max_count; ++i) {
            const std::uint32_t end = pack.ends[i] - start;
            const std::uint64_t total = out.bytes + end;
            if (out.count == 0 && total > hard_bytes) {
                return fail("store.too_large", "the first block exceeds the reply's hard limit",
                            "height " + std::to_string(height));
            }
            if (out.count > 0 && (total > soft_bytes || total > hard_bytes)) {
                full = true;
                break;
            }
            part.ends.push_back(end);
            ++out.count;
        }
        if (!part.ends.empty()) {
            out.bytes += part.ends.back();
            part.bytes = SharedBytes(pack.bytes, *pack.bytes).slice(start, part.ends.back());
            out.parts.push_back(std::move(part));
        }
        if (full) {
            break;
        }
    }
    return out;
}

Result<std::vector<Hash>> PackReader::hashes(std::uint64_t from, std::uint32_t max_count) {
    std::vector<Hash> out;
    while (out.size() < max_count && from + out.size() < kMaxHeight) {
        const std::uint64_t height = from + out.size();
        const auto pack = index_at(height);
        if (!pack) {
            return std::unexpected(pack.error());
        }
        if (!*pack) {
            break;
        }
        for (auto h = height; h < (*pack)->next() && out.size() < max_count; ++h) {
            out.push_back((*pack)->hash(static_cast<std::size_t>(h - (*pack)->first_height)));
        }
    }
    return out;
}

Result<std::optional<std::uint64_t>> PackReader::find_unindexed(std::uint64_t from,
                                                                const Hash& hash) {
    Use use(tail_);
    // The pack that holds `from` may begin up to a pack's length earlier. Bound as signed numbers.
    use.number(1, from - kPackBlocks);
    for (auto row = use.step();; row = use.step()) {
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return std::nullopt;
        }
        const auto hashes = use.bytes(2);
        for (std::size_t i = hashes.size() / Hash::size(); i > 0; --i) {
            if (std::memcmp(&hashes[(i - 1) * Hash::size()], hash.data.data(), Hash::size()) == 0) {
                return use.number(0) + i - 1;
            }
        }
    }
}

Result<std::optional<std::uint64_t>> PackReader::find_in_segment(std::uint64_t segment,
                                                                 const Hash& hash) {
    std::vector<std::uint64_t> candidates;
    {
        Use use(bucket_);
        const auto key = segment * kSegmentBuckets + bucket_of(hash);
        const auto row = use.number(1, key).step();
        if (!row) {
            return std::unexpected(row.error());
        }
        const auto entries = *row ? use.bytes(1) : ByteView{};
        if (!*row || !same(use.bytes(0), checksum("hash_segments", key, {entries}))) {
            return fail("store.corrupt", "a row of the hash index is missing or damaged",
                        "hash_segments key " + std::to_string(key));
        }
        for (std::size_t at = 0; at + kEntryBytes <= entries.size(); at += kEntryBytes) {
            if (std::memcmp(&entries[at], hash.data.data(), kPrefixBytes) == 0) {
                const std::uint64_t offset = entries[at + kPrefixBytes] |
                                             entries[at + kPrefixBytes + 1] << 8;
                candidates.push_back(segment * kSegmentBlocks + offset);
            }
        }
    }
    for (const auto height : candidates) {
        const auto pack = index_at(height);
        if (!pack) {
            return std::unexpected(pack.error());
        }
        if (*pack &&
            (*pack)->hash(static_cast<std::size_t>(height - (*pack)->first_height)) == hash) {
            return height;
        }
    }
    return std::nullopt;
}

Result<std::optional<std::uint64_t>> PackReader::find_hash(const Hash& hash) {
    std::uint64_t complete = 0;
    {
        Use use(probe_);
        const auto row = use.number(1, kMaxHeight).step();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return std::nullopt;
        }
        complete = std::min(use.number(0) + use.number(1), kMaxHeight) / kSegmentBlocks;
    }
    auto found = find_unindexed(complete * kSegmentBlocks, hash);
    for (auto s = complete; s > 0 && found && !*found; --s) {
        found = find_in_segment(s - 1, hash);
    }
    return found;
}

}  // namespace synod::store
