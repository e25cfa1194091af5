// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What an authority must remember before it signs, so that no crash and no power cut makes it sign
//! two blocks for one slot. Its own file, `<dir>/signer.db`, always with synchronous=FULL. Owned by
//! `app`; every function may be called from any thread. It holds no key and signs nothing.
//! Rule: behaviour.md section 7 (voting rule: last approved slot and lock).

#include <memory>
#include <optional>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace synod::store {

struct SignRecord {
    std::uint64_t last_proposed_slot = 0;
    std::uint64_t last_approved_slot = 0;
    std::uint64_t lock_slot = 0;
    Hash lock_hash;
    auto operator<=>(const SignRecord&) const = default;
};

//! Errors of every function: store.corrupt, store.disk_full, store.io, store.locked.
class SignerStore {
  public:
    //! Opens or creates the file and holds `<dir>/signer.lock`; `vfs` as StoreOptions::vfs. Errors
    //! also: store.missing.
    static Result<std::unique_ptr<SignerStore>> open(const std::string& dir, bool create_if_missing,
                                                     const std::string& vfs = {});
    ~SignerStore();
    SignerStore(const SignerStore&) = delete;
    SignerStore& operator=(const SignerStore&) = delete;

    //! What was last recorded for this authority; nothing when it never signed.
    Result<std::optional<SignRecord>> load(const PublicKey& key);
    //! Durable when it returns; sign only after that. Refused with store.slot_not_newer unless no
    //! slot goes back, at least one advances, and the lock's hash changes only with its slot.
    Result<void> record(const PublicKey& key, const SignRecord& next);
    //! As record, for one purpose: the slot must be newer than the last of its kind, whatever else
    //! moved. A proposal leaves the rest as it is; an approval may advance the lock with it.
    Result<void> record_proposal(const PublicKey& key, std::uint64_t slot);
    Result<void> record_approval(const PublicKey& key, std::uint64_t slot,
                                 std::uint64_t lock_slot, const Hash& lock_hash);

  private:
    struct Impl;
    explicit SignerStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace synod::store
