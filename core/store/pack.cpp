// SPDX-License-Identifier: Apache-2.0
#include "core/store/pack.hpp"

#include <algorithm>

namespace synod::store {

std::unexpected<Error> pack_corrupt(std::uint64_t first, std::uint64_t next, const char* what) {
    return fail("store.corrupt", std::string("a pack of blocks is damaged: ") + what,
                "heights " + std::to_string(first) + " to " +
                    std::to_string(next == 0 ? 0 : next - 1),
                "recover from a checkpoint or sync into an empty folder");
}

Result<PackIndex> read_index(const Use& row) {
    PackIndex out;
    out.first_height = row.number(0);
    const std::uint64_t count = row.number(1);
    out.size = row.number(2);
    const auto index_sum = row.bytes(3);
    const auto bytes_sum = row.bytes(4);
    const auto ends = row.bytes(5);
    const auto hashes = row.bytes(6);
    const std::uint64_t next = out.first_height + std::min<std::uint64_t>(count, kPackBlocks);
    if (count == 0 || count > kPackBlocks || ends.size() != count * 4 ||
        hashes.size() != count * Hash::size() || bytes_sum.size() != Checksum::size() ||
        !same(index_sum, checksum("pack.index", out.first_height, {ends, hashes, bytes_sum}))) {
        return pack_corrupt(out.first_height, next, "the checksum of its index is wrong");
    }
    out.index_sum = Checksum::copy(index_sum.data());
    out.bytes_sum = Checksum::copy(bytes_sum.data());
    out.ends.reserve(count);
    std::uint32_t before = 0;
    for (std::size_t i = 0; i < ends.size(); i += 4) {
        const auto end = static_cast<std::uint32_t>(ends[i] | ends[i + 1] << 8 |
                                                    ends[i + 2] << 16) |
                         static_cast<std::uint32_t>(ends[i + 3]) << 24U;
        if (end <= before) {
            return pack_corrupt(out.first_height, next, "its offsets don't rise");
        }
        out.ends.push_back(end);
        before = end;
    }
    if (out.size != before) {
        return pack_corrupt(out.first_height, next, "its size is not its last offset");
    }
    out.hashes.assign(hashes.begin(), hashes.end());
    return out;
}

bool sound(const PackIndex& pack, ByteView bytes) {
    return bytes.size() == pack.size &&
           same(pack.bytes_sum.view(), checksum("pack.bytes", pack.first_height, {bytes}));
}

Bytes encode_ends(const std::vector<std::uint32_t>& ends) {
    Bytes out;
    out.reserve(ends.size() * 4);
    for (const auto end : ends) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            out.push_back(static_cast<std::uint8_t>(end >> shift));
        }
    }
    return out;
}

std::vector<Bytes> segment_entries(ByteView hashes) {
    using Entry = std::array<std::uint8_t, kEntryBytes>;
    std::vector<std::vector<Entry>> buckets(kSegmentBuckets);
    for (std::size_t i = 0; i < hashes.size() / Hash::size(); ++i) {
        const auto hash = Hash::copy(&hashes[i * Hash::size()]);
        Entry entry{};
        std::copy_n(hash.data.begin(), kPrefixBytes, entry.begin());
        entry[kPrefixBytes] = static_cast<std::uint8_t>(i);
        entry[kPrefixBytes + 1] = static_cast<std::uint8_t>(i >> 8U);
        buckets[bucket_of(hash)].push_back(entry);
    }
    std::vector<Bytes> out;
    out.reserve(kSegmentBuckets);
    for (auto& bucket : buckets) {
        std::sort(bucket.begin(), bucket.end());
        Bytes entries;
        entries.reserve(bucket.size() * kEntryBytes);
        for (const auto& entry : bucket) {
            entries.insert(entries.end(), entry.begin(), entry.end());
        }
        out.push_back(std::move(entries));
    }
    return out;
}

}  // namespace synod::store
