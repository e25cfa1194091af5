// SPDX-License-Identifier: Apache-2.0
#include "core/store/rows.hpp"

#include "core/base/codec.hpp"
#include "core/store/seal.hpp"

namespace synod::store {

Result<ForkBlock> read_fork(const Use& row) {
    const auto hash = row.bytes(0);
    const auto height = row.number(1);
    const auto parent = row.bytes(2);
    const auto bytes = row.bytes(4);
    if (hash.size() != Hash::size() || parent.size() != Hash::size() ||
        !same(row.bytes(3), checksum("fork_blocks", height, {hash, parent, bytes}))) {
        return fail("store.corrupt", "a fork block is damaged",
                    "height " + std::to_string(height) + ", block " + to_hex(hash));
    }
    return ForkBlock{Hash::copy(hash.data()), Hash::copy(parent.data()), height,
                     SharedBytes(Bytes(bytes.begin(), bytes.end()))};
}

Result<void> write_fork(Statement& insert, const ForkBlock& block) {
    const auto bytes = block.bytes.view;
    if (bytes.size() > kMaxBlockBytes || block.height >= kMaxHeight) {
        return fail("store.too_large", "a fork block is larger or higher than the store takes",
                    "block " + to_hex(block.hash.view()));
    }
    const auto sum =
        checksum("fork_blocks", block.height, {block.hash.view(), block.parent.view(), bytes});
    Use use(insert);
    use.bytes(1, block.hash.view()).number(2, block.height).bytes(3, block.parent.view());
    return use.bytes(4, sum.view()).bytes(5, bytes).run();
}

Result<Record> read_record(const Use& row) {
    const auto space = row.text(0);
    const auto key = row.bytes(1);
    const auto value = row.bytes(3);
    if (!same(row.bytes(2), checksum("records", {view_of(space), key, value}))) {
        return fail("store.corrupt", "a record is damaged", "space '" + space + "'");
    }
    return Record{space, Bytes(key.begin(), key.end()), Bytes(value.begin(), value.end())};
}

Result<void> write_record(Statement& upsert, const Record& record) {
    if (record.value.size() > kMaxValueBytes || record.key.size() > kMaxValueBytes) {
        return fail("store.too_large", "a record is larger than the store takes", record.space);
    }
    const auto sum = checksum("records", {view_of(record.space), record.key, record.value});
    Use use(upsert);
    use.text(1, record.space).bytes(2, record.key).bytes(3, sum.view()).bytes(4, record.value);
    return use.run();
}

Bytes encode_pointer(const ChainPointer& pointer) {
    return Writer().put(pointer.height).fixed(pointer.hash).take();
}

Result<std::optional<ChainPointer>> decode_pointer(const std::optional<Bytes>& value) {
    if (!value) {
        return std::nullopt;
    }
    Reader reader(*value);
    ChainPointer out;
    out.height = reader.get<std::uint64_t>();
    out.hash = reader.fixed<Hash>();
    if (!reader.done()) {
        return fail("store.corrupt", "a chain pointer has the wrong size", "table meta");
    }
    return out;
}

}  // namespace synod::store
