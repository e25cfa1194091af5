// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Holds the authority's key. Signs only after slot and lock are durably stored, and refuses a
//! second signature for a slot, across crashes and restarts; so nothing above it can equivocate.

#include <atomic>
#include <functional>
#include <memory>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/pipeline/consensus.hpp"
#include "core/store/signer_store.hpp"

namespace synod::app {

//! An Ed25519 secret in memory that is wiped when it goes. Copies are not made.
class SecretKey {
  public:
    //! Reads 64 hexadecimal characters from a file of mode 0600. Errors: key.missing,
    //! key.permissions, key.malformed.
    static Result<std::shared_ptr<SecretKey>> load(const std::string& file);
    static std::shared_ptr<SecretKey> from_seed(ByteView seed32);
    ~SecretKey();
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;

    [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
    [[nodiscard]] Signature sign(ByteView message) const;
    [[nodiscard]] ByteView seed() const { return {secret_.data(), 32}; }

  private:
    SecretKey() = default;
    std::array<std::uint8_t, 64> secret_{};
    PublicKey public_key_;
};

//! A fresh random seed, and writing one to a new file of mode 0600. Errors: key.exists, key.io.
Bytes random_seed();
Result<void> write_seed(const std::string& file, ByteView seed32);

class Signer {
  public:
    //! Sees each request that was signed, after slot and lock were stored. [worker]
    using Witness = std::function<void(const synod_sign_request&)>;
    Signer(std::shared_ptr<SecretKey> key, std::unique_ptr<store::SignerStore> store,
           Witness witness = {})
        : key_(std::move(key)), store_(std::move(store)), witness_(std::move(witness)) {}

    //! Nothing is signed for a slot up to this one: what this key signed before the process began may be
    //! unknown here, as after a restored backup. Any thread.
    void begin_after(std::uint64_t slot) { began_ = slot; }
    [[nodiscard]] std::uint64_t began() const { return began_; }
    //! Writes the signature into `made.bytes`. Errors: signer.before_start, store.slot_not_newer, store.*.
    Result<Bytes> sign(pipeline::Unsigned made);
    [[nodiscard]] const PublicKey& public_key() const { return key_->public_key(); }
    //! Newest slots and the lock; nothing when the key never signed from this folder. Errors: store.*.
    Result<std::optional<store::SignRecord>> stored();
    //! The same for the vote: slots up to the start count as approved. Errors: store.*.
    Result<store::SignRecord> record();

  private:
    std::shared_ptr<SecretKey> key_;
    std::unique_ptr<store::SignerStore> store_;
    const Witness witness_;
    std::atomic<std::uint64_t> began_ = 0;
};

}  // namespace synod::app
