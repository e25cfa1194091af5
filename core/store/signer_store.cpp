// SPDX-License-Identifier: Apache-2.0
#include "core/store/signer_store.hpp"

#include <mutex>

#include "core/base/codec.hpp"
#include "core/base/planted.hpp"
#include "core/store/disk.hpp"
#include "core/store/seal.hpp"
#include "core/store/sqlite.hpp"

namespace synod::store {
namespace {

//! "SYNS", in the file's header.
constexpr std::int64_t kSignerId = 0x53594e53;
constexpr std::int64_t kSignerSchema = 1;

Bytes encode(const SignRecord& record) {
    return Writer()
        .put(record.last_proposed_slot)
        .put(record.last_approved_slot)
        .put(record.lock_slot)
        .fixed(record.lock_hash)
        .take();
}

Result<void> newer(const std::optional<SignRecord>& last, const SignRecord& next) {
    const SignRecord old = last.value_or(SignRecord{});
    const bool back = next.last_proposed_slot < old.last_proposed_slot ||
                      next.last_approved_slot < old.last_approved_slot ||
                      next.lock_slot < old.lock_slot;
    const bool forward = next.last_proposed_slot > old.last_proposed_slot ||
                         next.last_approved_slot > old.last_approved_slot ||
                         next.lock_slot > old.lock_slot;
    const bool swapped = last && next.lock_slot == old.lock_slot && next.lock_hash != old.lock_hash;
    if (back || !forward || swapped) {
        return fail("store.slot_not_newer", "the signer's record may only advance",
                    "proposed " + std::to_string(old.last_proposed_slot) + ", approved " +
                        std::to_string(old.last_approved_slot) + ", lock " +
                        std::to_string(old.lock_slot));
    }
    return {};
}

Result<void> create(Disk& disk, const std::string& dir, const std::string& path,
                    const std::string& vfs) {
    const std::string building = path + ".new";
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
        disk.remove(building + suffix);
    }
    {
        auto db = Database::open(building, Access::create, vfs);
        if (!db) {
            return std::unexpected(std::move(db.error()));
        }
        const auto done = db->exec(
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA application_id=" +
            std::to_string(kSignerId) +
            ";BEGIN;CREATE TABLE migrations(version INTEGER PRIMARY KEY, what TEXT NOT NULL);"
            "INSERT INTO migrations VALUES(1,'signers');"
            "CREATE TABLE signers(key BLOB PRIMARY KEY, sum BLOB NOT NULL, value BLOB NOT NULL);"
            "PRAGMA user_version=" + std::to_string(kSignerSchema) + ";COMMIT");
        if (!done) {
            return done;
        }
    }
    return disk.rename(dir, building, path);
}

}  // namespace

struct SignerStore::Impl {
    std::unique_ptr<Disk::Lock> lock;
    std::mutex mutex;
    Database db;
    Statement select;
    Statement upsert;

    Result<std::optional<SignRecord>> read(const PublicKey& key);
    //! Replaces a key's record by what `advance` makes of it, in one transaction.
    template <typename Advance>
    Result<void> update(const PublicKey& key, Advance advance);
};

Result<std::optional<SignRecord>> SignerStore::Impl::read(const PublicKey& key) {
    Use use(select);
    const auto row = use.bytes(1, key.view()).step();
    if (!row) {
        return std::unexpected(row.error());
    }
    if (!*row) {
        return std::nullopt;
    }
    const auto value = use.bytes(1);
    Reader reader(value);
    SignRecord out;
    out.last_proposed_slot = reader.get<std::uint64_t>();
    out.last_approved_slot = reader.get<std::uint64_t>();
    out.lock_slot = reader.get<std::uint64_t>();
    out.lock_hash = reader.fixed<Hash>();
    if (!reader.done() || !same(use.bytes(0), checksum("signers", {key.view(), value}))) {
        return fail("store.corrupt", "the signer's record is damaged", to_hex(key.view()),
                    "don't sign with this key before a slot that it can't have signed");
    }
    return out;
}

template <typename Advance>
Result<void> SignerStore::Impl::update(const PublicKey& key, Advance advance) {
    const std::scoped_lock guard(mutex);
    auto transaction = Transaction::begin(db, true);
    if (!transaction) {
        return std::unexpected(std::move(transaction.error()));
    }
    const auto last = read(key);
    if (!last) {
        return std::unexpected(last.error());
    }
    const Result<SignRecord> next = advance(last->value_or(SignRecord{}));
    auto done = next ? newer(*last, *next) : std::unexpected(next.error());
    if (!done) {
        return done;
    }
    const auto value = encode(*next);
    const auto sum = checksum("signers", {key.view(), value});
    done = Use(upsert).bytes(1, key.view()).bytes(2, sum.view()).bytes(3, value).run();
    return done ? transaction->commit() : done;
}

SignerStore::SignerStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SignerStore::~SignerStore() = default;

Result<std::unique_ptr<SignerStore>> SignerStore::open(const std::string& dir,
                                                       bool create_if_missing,
                                                       const std::string& vfs) {
    const auto disk = disk_of(vfs);
    if (!disk) {
        return std::unexpected(disk.error());
    }
    auto lock = (*disk)->lock(dir + "/signer.lock", false);
    if (!lock) {
        return std::unexpected(std::move(lock.error()));
    }
    const std::string path = dir + "/signer.db";
    const auto size = (*disk)->size(path);
    if (!size) {
        return std::unexpected(size.error());
    }
    if (*size < 0) {
        if (!create_if_missing) {
            return fail("store.missing", "there is no signer store in this folder", path);
        }
        if (auto done = create(**disk, dir, path, vfs); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    if (auto done = (*disk)->write_again(path + "-wal"); !done) {
        return std::unexpected(std::move(done.error()));
    }
    auto impl = std::make_unique<Impl>();
    impl->lock = std::move(*lock);
    auto db = Database::open(path, Access::read_write, vfs);
    if (!db) {
        return std::unexpected(std::move(db.error()));
    }
    impl->db = std::move(*db);
    const auto id = impl->db.scalar("PRAGMA application_id");
    const auto version = id ? impl->db.scalar("PRAGMA user_version") : id;
    auto synchronous =
        impl->db.exec(SYNOD_PLANTED("signer_waits_for_no_disk") ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL");
    if (!version || !synchronous) {
        return std::unexpected(version ? synchronous.error() : version.error());
    }
    if (*id != kSignerId || *version < 1) {
        return fail("store.corrupt", "this is not a signer store", path,
                    "an empty or foreign file must not make an authority forget what it signed");
    }
    if (*version > kSignerSchema) {
        return fail("store.schema_newer", "the signer store was written by a newer node", path);
    }
    auto select = Statement::prepare(impl->db, "SELECT sum, value FROM signers WHERE key=?1");
    auto upsert = Statement::prepare(impl->db, "INSERT OR REPLACE INTO signers VALUES(?1,?2,?3)");
    if (!select || !upsert) {
        return std::unexpected(select ? upsert.error() : select.error());
    }
    impl->select = std::move(*select);
    impl->upsert = std::move(*upsert);
    return std::unique_ptr<SignerStore>(new SignerStore(std::move(impl)));
}

Result<std::optional<SignRecord>> SignerStore::load(const PublicKey& key) {
    const std::scoped_lock guard(impl_->mutex);
    return impl_->read(key);
}

Result<void> SignerStore::record(const PublicKey& key, const SignRecord& next) {
    return impl_->update(key, [&](const SignRecord&) -> Result<SignRecord> { return next; });
}

Result<void> SignerStore::record_proposal(const PublicKey& key, std::uint64_t slot) {
    return impl_->update(key, [&](SignRecord last) -> Result<SignRecord> {
        last.last_proposed_slot = slot;  // anything but an advance is refused by the rule itself
        return last;
    });
}

Result<void> SignerStore::record_approval(const PublicKey& key, std::uint64_t slot,
                                          std::uint64_t lock_slot, const Hash& lock_hash) {
    return impl_->update(key, [&](SignRecord last) -> Result<SignRecord> {
        if (slot <= last.last_approved_slot) {
            return fail("store.slot_not_newer", "this slot or a later one was approved already",
                        "approved " + std::to_string(last.last_approved_slot));
        }
        last.last_approved_slot = slot;
        last.lock_slot = lock_slot;
        last.lock_hash = lock_hash;
        return last;
    });
}

}  // namespace synod::store
