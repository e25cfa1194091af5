// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Hashing for a merge-mined chain without a parent chain behind it: a coinbase that commits to the work,
//! an otherwise empty parent header, its nonce ground. For devnets. Pure; any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace miner {

using Hash = std::array<std::uint8_t, 32>;  //!< internal order

struct Work {
    Hash hash{};    //!< to be committed to
    Hash target{};  //!< little-endian
    std::uint32_t chain_id = 0;
};

//! From createauxblock's `hash` (display hex) and `_target` (little-endian hex).
std::optional<Work> read_work(const std::string& hash, const std::string& target, std::uint32_t chain_id);

//! A parent block that nobody else knows.
class Parent {
  public:
    Parent(const Work& work, std::uint32_t time_s, std::uint32_t extra_nonce);
    //! Tries `count` nonces from where the last call ended; true: the header now meets the target.
    bool grind(std::uint32_t count);
    //! The proof in Namecoin's encoding, hex.
    [[nodiscard]] std::string proof() const;

  private:
    Hash target_;
    std::string coinbase_;  //!< raw bytes
    std::array<std::uint8_t, 80> header_{};
    std::uint32_t nonce_ = 0;
};

}  // namespace miner
