// SPDX-License-Identifier: Apache-2.0
#include "tools/miner/work.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace miner {

namespace {

constexpr std::size_t kRootAt = 36, kTimeAt = 68, kBitsAt = 72, kNonceAt = 76;  // in a block header
constexpr std::uint32_t kEasyBits = 0x207fffff;  // of the parent, where it means nothing

Hash twice(const std::uint8_t* bytes, std::size_t size) {
    Hash once, out;
    crypto_hash_sha256(once.data(), bytes, size);
    crypto_hash_sha256(out.data(), once.data(), once.size());
    return out;
}

void append(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
        out.push_back(static_cast<char>(value >> (8 * i)));
    }
}

void store(std::uint8_t* at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) {
        at[i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

std::string hex(const std::string& bytes) {
    std::string out(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    out.pop_back();
    return out;
}

std::optional<Hash> from_hex(const std::string& text) {
    Hash out;
    std::size_t size = 0;
    if (sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size, nullptr) != 0 ||
        size != out.size() || text.size() != 2 * out.size()) {
        return std::nullopt;
    }
    return out;
}

//! One null input; its script is an extra nonce and the commitment: magic, root in display order, a tree
//! of one chain, nonce 0. One output that pays nobody, as a coinbase without one is no Bitcoin transaction.
std::string coinbase_for(const Work& work, std::uint32_t extra_nonce) {
    std::string commitment = "\xfa\xbe\x6d\x6d";
    commitment.append(work.hash.rbegin(), work.hash.rend());
    append(commitment, 1, 4);
    append(commitment, 0, 4);
    std::string script;
    script.push_back(4);
    append(script, extra_nonce, 4);
    script.push_back(static_cast<char>(commitment.size()));
    script += commitment;
    std::string out;
    append(out, 1, 4);
    append(out, 1, 1);
    out.append(32, '\0');
    append(out, 0xffffffff, 4);
    append(out, script.size(), 1);
    out += script;
    append(out, 0xffffffff, 4);
    append(out, 1, 1);
    append(out, 0, 8);
    append(out, 1, 1);
    out.push_back(0x6a);  // OP_RETURN
    append(out, 0, 4);
    return out;
}

}  // namespace

std::optional<Work> read_work(const std::string& hash, const std::string& target, std::uint32_t chain_id) {
    auto read = from_hex(hash);
    const auto limit = from_hex(target);
    if (!read || !limit) {
        return std::nullopt;
    }
    std::ranges::reverse(*read);
    return Work{*read, *limit, chain_id};
}

Parent::Parent(const Work& work, std::uint32_t time_s, std::uint32_t extra_nonce)
    : target_(work.target), coinbase_(coinbase_for(work, extra_nonce)) {
    store(header_.data(), work.chain_id == 0 ? 0x00010001 : 1);  // the parent must not have our chain's id
    const auto root = twice(reinterpret_cast<const std::uint8_t*>(coinbase_.data()), coinbase_.size());
    std::ranges::copy(root, header_.begin() + kRootAt);
    store(&header_[kTimeAt], time_s);
    store(&header_[kBitsAt], kEasyBits);
}

bool Parent::grind(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        store(&header_[kNonceAt], nonce_++);
        const auto hash = twice(header_.data(), header_.size());
        if (!std::lexicographical_compare(target_.rbegin(), target_.rend(), hash.rbegin(), hash.rend())) {
            return true;
        }
    }
    return false;
}

std::string Parent::proof() const {
    std::string out = coinbase_;
    out.append(32, '\0');  // the parent block's hash: nobody looks at it
    append(out, 0, 1);     // the coinbase is the only transaction
    append(out, 0, 4);
    append(out, 0, 1);     // ours is the only chain
    append(out, 0, 4);
    out.append(header_.begin(), header_.end());
    return hex(out);
}

}  // namespace miner
