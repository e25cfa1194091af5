// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/content_root.hpp"

#include <sodium.h>

#include <algorithm>

#include "core/base/codec.hpp"
#include "core/checkpoint/sections.hpp"

namespace synod::checkpoint {

namespace {

constexpr std::string_view kKey = "synod checkpoint content root/1";
constexpr std::uint8_t kLeaf = 0, kNode = 1, kTop = 2;

Hash digest(std::initializer_list<ByteView> parts) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, reinterpret_cast<const unsigned char*>(kKey.data()),
                            kKey.size(), Hash::size());
    for (const auto part : parts) {
        crypto_generichash_update(&state, part.data(), part.size());
    }
    Hash out;
    crypto_generichash_final(&state, out.data.data(), out.data.size());
    return out;
}

Hash node(const Hash& left, const Hash& right) {
    return digest({{&kNode, 1}, left.view(), right.view()});
}

}  // namespace

Result<void> ContentRoot::add(std::uint32_t section, ByteView key, ByteView value) {
    const auto where =
        "section " + std::to_string(section) + ", record " + std::to_string(records_);
    if (key.size() > kMaxKeyBytes || value.size() > kMaxValueBytes) {
        return fail("checkpoint.too_large", "a record is larger than records may be", where);
    }
    bytes_ += key.size() + value.size();
    if (records_ >= kMaxRecords || bytes_ > kMaxContentBytes) {
        return fail("checkpoint.too_large", "a checkpoint holds at most 256 MiB in 2^20 records",
                    where);
    }
    if (section == 0 || section >= static_cast<std::uint32_t>(Section::kSeal)) {
        return fail("checkpoint.order", "the content has no such section", where);
    }
    const bool after =
        section > last_section_ ||
        (section == last_section_ && std::ranges::lexicographical_compare(last_key_, key));
    if (!after) {
        return fail("checkpoint.order", "records are not in ascending order", where);
    }
    last_section_ = section;
    last_key_.assign(key.begin(), key.end());
    const auto head =
        Writer().put(kLeaf).put(section).put(static_cast<std::uint32_t>(key.size())).take();
    auto carried = digest({head, key, value});
    std::size_t level = 0;
    for (; (records_ >> level & 1) != 0; ++level) {
        carried = node(levels_[level], carried);
    }
    levels_.resize(std::max(levels_.size(), level + 1));
    levels_[level] = carried;
    ++records_;
    return {};
}

Hash ContentRoot::root() const {
    std::optional<Hash> top;
    for (std::size_t level = 0; level < levels_.size(); ++level) {
        if ((records_ >> level & 1) != 0) {
            top = top ? node(levels_[level], *top) : levels_[level];
        }
    }
    const auto head = Writer().put(kTop).put(records_).take();
    return digest({head, top.value_or(Hash{}).view()});
}

}  // namespace synod::checkpoint
