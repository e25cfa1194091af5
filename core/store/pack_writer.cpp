// SPDX-License-Identifier: Apache-2.0
#include "core/store/pack_writer.hpp"

#include <cassert>

namespace synod::store {
namespace {

Result<void> well_formed(const BlockRun& run) {
    const auto where = "run at height " + std::to_string(run.first_height);
    if (run.ends.empty() || run.ends.size() != run.hashes.size() ||
        run.ends.back() != run.bytes.view.size()) {
        return fail("store.bad_run", "offsets, hashes and bytes don't agree", where);
    }
    std::uint32_t before = 0;
    for (const auto end : run.ends) {
        if (end <= before) {
            return fail("store.bad_run", "offsets don't rise", where);
        }
        if (end - before > kMaxBlockBytes) {
            return fail("store.too_large", "a block is larger than the store takes", where);
        }
        before = end;
    }
    if (run.first_height >= kMaxHeight) {
        return fail("store.bad_run", "the height is out of range", where);
    }
    return {};
}

//! How many of the run's blocks from `from` fit a pack that holds `count` blocks and `size` bytes.
std::size_t fitting(const BlockRun& run, std::size_t from, std::size_t count, std::size_t size) {
    const std::size_t start = from == 0 ? 0 : run.ends[from - 1];
    std::size_t n = 0;
    while (from + n < run.ends.size() && count + n < kPackBlocks &&
           size + run.ends[from + n] - start <= kPackBytes) {
        ++n;
    }
    return n == 0 && count == 0 ? 1 : n;  // a block larger than a pack has one of its own
}

}  // namespace

Result<PackWriter> PackWriter::open(Database& db) {
    PackWriter out;
    struct Plan {
        Statement* statement;
        const char* sql;
    };
    const Plan plans[] = {
        {&out.newest_,
         "SELECT first_height, count, size, index_sum, bytes_sum, ends, hashes FROM packs"
         " ORDER BY first_height DESC LIMIT 1"},
        {&out.bytes_, "SELECT bytes FROM packs WHERE first_height=?1"},
        {&out.write_, "INSERT OR REPLACE INTO packs VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"},
        {&out.hashes_,
         "SELECT first_height, count, size, index_sum, bytes_sum, ends, hashes FROM packs"
         " WHERE first_height > ?1 AND first_height < ?2 ORDER BY first_height"},
        {&out.drop_packs_, "DELETE FROM packs WHERE first_height >= ?1"},
        {&out.drop_segments_, "DELETE FROM hash_segments WHERE key >= ?1"},
        {&out.put_segment_, "INSERT OR REPLACE INTO hash_segments VALUES(?1,?2,?3)"},
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

Result<std::optional<PackIndex>> PackWriter::newest() {
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

Result<std::uint64_t> PackWriter::next_height() {
    const auto pack = newest();
    if (!pack) {
        return std::unexpected(pack.error());
    }
    return *pack ? (*pack)->next() : 0;
}

Result<Bytes> PackWriter::blocks_of(const PackIndex& pack) {
    Use use(bytes_);
    const auto row = use.number(1, pack.first_height).step();
    if (!row) {
        return std::unexpected(row.error());
    }
    const auto bytes = *row ? use.bytes(0) : ByteView{};
    // Damaged blocks must not get a fresh checksum by being rewritten.
    if (!sound(pack, bytes)) {
        return pack_corrupt(pack.first_height, pack.next(), "the checksum of its blocks is wrong");
    }
    return Bytes(bytes.begin(), bytes.end());
}

Result<void> PackWriter::write(std::uint64_t first, const std::vector<std::uint32_t>& ends,
                               ByteView hashes, ByteView bytes) {
    const auto bytes_sum = checksum("pack.bytes", first, {bytes});
    const auto encoded = encode_ends(ends);
    const auto index_sum = checksum("pack.index", first, {encoded, hashes, bytes_sum.view()});
    Use use(write_);
    use.number(1, first).number(2, ends.size()).number(3, bytes.size());
    use.bytes(4, index_sum.view()).bytes(5, bytes_sum.view()).bytes(6, encoded);
    return use.bytes(7, hashes).bytes(8, bytes).run();
}

Result<std::size_t> PackWriter::extend_open_pack(const BlockRun& run, ByteView hashes) {
    auto pack = newest();
    if (!pack) {
        return std::unexpected(std::move(pack.error()));
    }
    const std::uint64_t next = *pack ? (*pack)->next() : 0;
    if (run.first_height != next) {
        return fail("store.not_contiguous",
                    "the run starts at height " + std::to_string(run.first_height) +
                        ", the store continues at " + std::to_string(next));
    }
    if (!*pack || (*pack)->count() >= kOpenBlocks || (*pack)->size >= kOpenBytes) {
        return 0;
    }
    const auto taken = fitting(run, 0, (*pack)->count(), (*pack)->size);
    if (taken == 0) {
        return 0;
    }
    auto bytes = blocks_of(**pack);
    if (!bytes) {
        return std::unexpected(std::move(bytes.error()));
    }
    const auto old_size = static_cast<std::uint32_t>(bytes->size());
    const auto added = run.bytes.view.first(run.ends[taken - 1]);
    bytes->insert(bytes->end(), added.begin(), added.end());
    for (std::size_t i = 0; i < taken; ++i) {
        (*pack)->ends.push_back(old_size + run.ends[i]);
    }
    const auto added_hashes = hashes.first(taken * Hash::size());
    (*pack)->hashes.insert((*pack)->hashes.end(), added_hashes.begin(), added_hashes.end());
    if (auto w = write((*pack)->first_height, (*pack)->ends, (*pack)->hashes, *bytes); !w) {
        return std::unexpected(std::move(w.error()));
    }
    return taken;
}

Result<void> PackWriter::append(const BlockRun& run) {
    if (auto good = well_formed(run); !good) {
        return good;
    }
    static_assert(sizeof(Hash) == Hash::size());
    const ByteView hashes{run.hashes.front().data.data(), run.hashes.size() * Hash::size()};
    auto at = extend_open_pack(run, hashes);
    if (!at) {
        return std::unexpected(std::move(at.error()));
    }
    for (std::size_t from = *at; from < run.ends.size();) {
        const auto n = fitting(run, from, 0, 0);
        const std::uint32_t start = from == 0 ? 0 : run.ends[from - 1];
        std::vector<std::uint32_t> ends(run.ends.begin() + static_cast<std::ptrdiff_t>(from),
                                        run.ends.begin() + static_cast<std::ptrdiff_t>(from + n));
        for (auto& end : ends) {
            end -= start;
        }
        const auto part = run.bytes.view.subspan(start, ends.back());
        const auto names = hashes.subspan(from * Hash::size(), n * Hash::size());
        if (auto done = write(run.first_height + from, ends, names, part); !done) {
            return done;
        }
        from += n;
    }
    return {};
}

Result<void> PackWriter::truncate(std::uint64_t height) {
    assert(height > 0);
    // What can't be read may be just what has to go.
    if (const auto next = next_height(); next && height >= *next) {
        return {};
    }
    if (auto done = Use(drop_packs_).number(1, height).run(); !done) {
        return done;
    }
    const auto first_key = height / kSegmentBlocks * kSegmentBuckets;
    if (auto done = Use(drop_segments_).number(1, first_key).run(); !done) {
        return done;
    }
    auto pack = newest();
    if (!pack) {
        return std::unexpected(std::move(pack.error()));
    }
    if (!*pack || (*pack)->next() < height) {
        return fail("store.corrupt", "blocks below the rewind's height are missing",
                    "height " + std::to_string(height));
    }
    if ((*pack)->next() == height) {
        return {};
    }
    auto bytes = blocks_of(**pack);
    if (!bytes) {
        return std::unexpected(std::move(bytes.error()));
    }
    const auto kept = static_cast<std::size_t>(height - (*pack)->first_height);
    auto ends = (*pack)->ends;
    ends.resize(kept);
    return write((*pack)->first_height, ends, ByteView((*pack)->hashes).first(kept * Hash::size()),
                 ByteView(*bytes).first(ends.back()));
}

Result<void> PackWriter::index_segments(std::uint64_t before) {
    const auto next = next_height();
    if (!next) {
        return std::unexpected(next.error());
    }
    for (auto segment = before / kSegmentBlocks; segment < *next / kSegmentBlocks; ++segment) {
        const auto first = segment * kSegmentBlocks;
        const auto end = first + kSegmentBlocks;
        Bytes hashes;
        hashes.reserve(kSegmentBlocks * Hash::size());
        Use use(hashes_);
        // Packs don't respect segments: the one that holds the first block begins earlier. Bound
        // as signed numbers, so below zero for the first segment.
        use.number(1, first - kPackBlocks).number(2, end);
        for (auto row = use.step();; row = use.step()) {
            if (!row) {
                return std::unexpected(row.error());
            }
            if (!*row) {
                break;
            }
            const auto pack = read_index(use);
            if (!pack) {
                return std::unexpected(pack.error());
            }
            const auto from = std::max(first, pack->first_height);
            for (auto h = from; h < std::min(end, pack->next()); ++h) {
                const auto hash = pack->hash(static_cast<std::size_t>(h - pack->first_height));
                hashes.insert(hashes.end(), hash.data.begin(), hash.data.end());
            }
        }
        if (hashes.size() != kSegmentBlocks * Hash::size()) {
            return pack_corrupt(first, end, "blocks of a hash segment are missing");
        }
        const auto buckets = segment_entries(hashes);
        for (std::uint64_t b = 0; b < kSegmentBuckets; ++b) {
            const auto key = segment * kSegmentBuckets + b;
            const auto sum = checksum("hash_segments", key, {buckets[b]});
            Use put(put_segment_);
            if (auto w = put.number(1, key).bytes(2, sum.view()).bytes(3, buckets[b]).run(); !w) {
                return w;
            }
        }
    }
    return {};
}

}  // namespace synod::store
