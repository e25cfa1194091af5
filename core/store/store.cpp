// SPDX-License-Identifier: Apache-2.0
#include "core/store/store.hpp"

#include <mutex>

#include "core/store/check.hpp"
#include "core/store/disk.hpp"
#include "core/store/pack_reader.hpp"
#include "core/store/pack_writer.hpp"
#include "core/store/rows.hpp"
#include "core/store/schema.hpp"

namespace synod::store {

struct Store::Impl {
    // Destroyed last: nobody else may open the file before it is closed.
    std::unique_ptr<Disk::Lock> lock;
    std::string path;
    StoreOptions options;

    std::mutex write_mutex;
    Database writer;
    std::optional<PackWriter> packs_out;
    Statement add_fork;
    Statement drop_fork;
    Statement drop_forks;
    Statement put_record;
    Statement remove_record;

    std::mutex read_mutex;
    Database reader;
    std::optional<PackReader> packs_in;
    Statement forks;
    Statement fork;
    Statement get_record;
    Statement list_records;

    Result<void> open_writer();
    Result<void> open_reader();
    Result<void> write(const Commit& change);
    Result<void> write_meta_values(const Commit& change);

    //! Runs `read` in one snapshot under the read mutex.
    template <typename Read>
    auto snapshot(Read read) -> decltype(read()) {
        const std::scoped_lock guard(read_mutex);
        auto transaction = Transaction::begin(reader, false);
        if (!transaction) {
            return std::unexpected(std::move(transaction.error()));
        }
        return read();
    }
    //! Runs `change` in one transaction under the write mutex.
    template <typename Change>
    Result<void> transact(Change change) {
        if (options.read_only) {
            return fail("store.read_only", "the store was opened for reading only", path);
        }
        const std::scoped_lock guard(write_mutex);
        auto transaction = Transaction::begin(writer, true);
        if (!transaction) {
            return std::unexpected(std::move(transaction.error()));
        }
        if (auto done = change(); !done) {
            return done;
        }
        return transaction->commit();
    }
};

namespace {

Result<void> prepare(Database& db, Statement& into, const char* sql) {
    auto statement = Statement::prepare(db, sql);
    if (!statement) {
        return std::unexpected(std::move(statement.error()));
    }
    into = std::move(*statement);
    return {};
}

//! Makes sure that there is a file to open.
Result<void> ensure_file(Disk& disk, const std::string& dir, const std::string& path,
                         const StoreOptions& options) {
    const auto size = disk.size(path);
    const auto log = size ? disk.size(path + "-wal") : size;
    if (!log) {
        return std::unexpected(log.error());
    }
    if (*size > 0) {
        return {};
    }
    // A new store appears complete under its name, so an empty file was once something else, and
    // SQLite would quietly take it for a new one.
    if (*size == 0 || *log > 0) {
        return fail("store.corrupt", "the database is empty or gone, but was there before", path,
                    "recover from a checkpoint or remove the folder's synod.db files");
    }
    if (!options.create_if_missing || options.read_only) {
        return fail("store.missing", "there is no store in this folder", path);
    }
    return create_file(disk, dir, path, options);
}

}  // namespace

Result<void> Store::Impl::open_writer() {
    auto db = Database::open(path, Access::read_write, options.vfs);
    if (!db) {
        return std::unexpected(std::move(db.error()));
    }
    writer = std::move(*db);
    auto done = configure(writer, options);
    done = done ? admit(writer, path, options) : done;
    if (!done) {
        return done;
    }
    auto packs = PackWriter::open(writer);
    if (!packs) {
        return std::unexpected(std::move(packs.error()));
    }
    packs_out = std::move(*packs);
    done = prepare(writer, add_fork,
                   "INSERT INTO fork_blocks VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO NOTHING");
    done = done ? prepare(writer, drop_fork, "DELETE FROM fork_blocks WHERE hash=?1") : done;
    done = done ? prepare(writer, drop_forks, "DELETE FROM fork_blocks") : done;
    done = done ? prepare(writer, put_record, "INSERT OR REPLACE INTO records VALUES(?1,?2,?3,?4)")
                : done;
    return done ? prepare(writer, remove_record, "DELETE FROM records WHERE space=?1 AND key=?2")
                : done;
}

Result<void> Store::Impl::open_reader() {
    auto db = Database::open(path, Access::read_only, options.vfs);
    if (!db) {
        return std::unexpected(std::move(db.error()));
    }
    reader = std::move(*db);
    StoreOptions reading = options;
    reading.read_only = true;
    reading.max_bytes = 0;
    auto done = configure(reader, reading);
    done = done ? admit(reader, path, reading) : done;
    if (!done) {
        return done;
    }
    auto packs = PackReader::open(reader, options.verify);
    if (!packs) {
        return std::unexpected(std::move(packs.error()));
    }
    packs_in = std::move(*packs);
    done = prepare(reader, forks, kSelectForks);
    done = done ? prepare(reader, fork,
                          "SELECT hash, height, parent, sum, bytes FROM fork_blocks WHERE hash=?1")
                : done;
    done = done ? prepare(reader, get_record,
                          "SELECT space, key, sum, value FROM records WHERE space=?1 AND key=?2")
                : done;
    return done ? prepare(reader, list_records,
                          "SELECT space, key, sum, value FROM records WHERE space=?1"
                          " AND key>=?3 ORDER BY key LIMIT ?2")
                : done;
}

Result<void> Store::Impl::write_meta_values(const Commit& change) {
    Result<void> done;
    const auto pointer = [&](std::string_view name, const std::optional<ChainPointer>& value) {
        if (done && value) {
            done = write_meta(writer, name, encode_pointer(*value));
        }
    };
    const auto blob = [&](std::string_view name, const std::optional<Bytes>& value) {
        if (done && value && value->size() > kMaxValueBytes) {
            done = fail("store.too_large", "a value is larger than the store takes",
                        std::string(name));
        } else if (done && value) {
            done = write_meta(writer, name, *value);
        }
    };
    pointer(meta::kHead, change.head);
    pointer(meta::kCommitted, change.committed);
    pointer(meta::kFinal, change.final_);
    blob(meta::kState, change.committed_state);
    blob(meta::kCertificate, change.head_certificate);
    return done;
}

Result<void> Store::Impl::write(const Commit& change) {
    Result<void> done;
    if (change.truncate_from) {
        if (*change.truncate_from == 0 || *change.truncate_from >= kMaxHeight) {
            return fail("store.bad_run", "a rewind must keep the first block");
        }
        done = packs_out->truncate(*change.truncate_from);
    }
    if (done && !change.runs.empty()) {
        const auto before = packs_out->next_height();
        if (!before) {
            return std::unexpected(before.error());
        }
        for (const auto& run : change.runs) {
            done = done ? packs_out->append(run) : done;
        }
        done = done ? packs_out->index_segments(*before) : done;
    }
    if (done && change.drop_all_forks) {
        done = Use(drop_forks).run();
    }
    for (const auto& hash : change.drop_forks) {
        done = done ? Use(drop_fork).bytes(1, hash.view()).run() : done;
    }
    for (const auto& block : change.add_forks) {
        done = done ? write_fork(add_fork, block) : done;
    }
    done = done ? write_meta_values(change) : done;
    for (const auto& record : change.put_records) {
        done = done ? write_record(put_record, record) : done;
    }
    return done;
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& dir, const StoreOptions& options) {
    const auto disk = disk_of(options.vfs);
    if (!disk) {
        return std::unexpected(disk.error());
    }
    if (options.create_if_missing && !options.read_only) {
        if (auto made = (*disk)->make_folder(dir); !made) {
            return std::unexpected(std::move(made.error()));
        }
    }
    auto lock = (*disk)->lock(dir + "/synod.lock", options.read_only);
    if (!lock) {
        return std::unexpected(std::move(lock.error()));
    }
    auto impl = std::make_unique<Impl>();
    impl->lock = std::move(*lock);
    impl->path = dir + "/synod.db";
    impl->options = options;
    auto done = ensure_file(**disk, dir, impl->path, options);
    done = done && !options.read_only ? (*disk)->write_again(impl->path + "-wal") : done;
    done = done && !options.read_only ? impl->open_writer() : done;
    done = done ? impl->open_reader() : done;
    if (!done) {
        return std::unexpected(std::move(done.error()));
    }
    return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<void> Store::commit(const Commit& change) {
    return commit(std::span(&change, 1));
}

Result<void> Store::commit(std::span<const Commit> changes) {
    return impl_->transact([&] {
        Result<void> done;
        for (const auto& change : changes) {
            done = done ? impl_->write(change) : done;
        }
        return done;
    });
}

Result<StoredState> Store::load() {
    return impl_->snapshot([&]() -> Result<StoredState> {
        StoredState out;
        const auto last = impl_->packs_in->newest();
        if (!last) {
            return std::unexpected(last.error());
        }
        if (*last) {
            out.packed_count = (*last)->next();
            out.last_packed =
                ChainPointer{(*last)->next() - 1, (*last)->hash((*last)->ends.size() - 1)};
        }
        const std::pair<std::string_view, std::optional<ChainPointer>*> pointers[] = {
            {meta::kHead, &out.head},
            {meta::kCommitted, &out.committed},
            {meta::kFinal, &out.final_}};
        for (const auto& [name, into] : pointers) {
            const auto value = read_meta(impl_->reader, name);
            auto pointer = value ? decode_pointer(*value) : std::unexpected(value.error());
            if (!pointer) {
                return std::unexpected(std::move(pointer.error()));
            }
            *into = *pointer;
        }
        const std::pair<std::string_view, std::optional<Bytes>*> blobs[] = {
            {meta::kState, &out.committed_state}, {meta::kCertificate, &out.head_certificate}};
        for (const auto& [name, into] : blobs) {
            auto value = read_meta(impl_->reader, name);
            if (!value) {
                return std::unexpected(std::move(value.error()));
            }
            *into = std::move(*value);
        }
        return out;
    });
}

Result<std::vector<ForkBlock>> Store::fork_blocks() {
    return impl_->snapshot([&]() -> Result<std::vector<ForkBlock>> {
        std::vector<ForkBlock> out;
        Use use(impl_->forks);
        for (auto row = use.step();; row = use.step()) {
            if (!row) {
                return std::unexpected(std::move(row.error()));
            }
            if (!*row) {
                return out;
            }
            auto block = read_fork(use);
            if (!block) {
                return std::unexpected(std::move(block.error()));
            }
            out.push_back(std::move(*block));
        }
    });
}

Result<std::optional<ForkBlock>> Store::fork_block(const Hash& hash) {
    return impl_->snapshot([&]() -> Result<std::optional<ForkBlock>> {
        Use use(impl_->fork);
        const auto row = use.bytes(1, hash.view()).step();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return std::nullopt;
        }
        return read_fork(use);
    });
}

Result<BlockRange> Store::read_range(std::uint64_t from, std::uint32_t max_count,
                                     std::uint64_t soft_bytes, std::uint64_t hard_bytes) {
    return impl_->snapshot(
        [&] { return impl_->packs_in->read_range(from, max_count, soft_bytes, hard_bytes); });
}

Result<SharedBytes> Store::read_block(std::uint64_t height) {
    auto range = read_range(height, 1, kMaxBlockBytes, kMaxBlockBytes);
    if (!range) {
        return std::unexpected(std::move(range.error()));
    }
    if (range->count == 0) {
        return fail("store.missing", "the block is not packed", "height " + std::to_string(height));
    }
    return std::move(range->parts.front().bytes);
}

Result<std::vector<Hash>> Store::hashes(std::uint64_t from, std::uint32_t max_count) {
    return impl_->snapshot([&] { return impl_->packs_in->hashes(from, max_count); });
}

Result<std::optional<std::uint64_t>> Store::find_hash(const Hash& hash) {
    return impl_->snapshot([&] { return impl_->packs_in->find_hash(hash); });
}

Result<std::optional<Bytes>> Store::get_record(const std::string& space, const Bytes& key) {
    return impl_->snapshot([&]() -> Result<std::optional<Bytes>> {
        Use use(impl_->get_record);
        const auto row = use.text(1, space).bytes(2, key).step();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return std::nullopt;
        }
        auto record = read_record(use);
        if (!record) {
            return std::unexpected(std::move(record.error()));
        }
        return std::move(record->value);
    });
}

Result<void> Store::put_record(const Record& record) {
    return impl_->transact([&] { return write_record(impl_->put_record, record); });
}

Result<void> Store::remove_record(const std::string& space, const Bytes& key) {
    return impl_->transact(
        [&] { return Use(impl_->remove_record).text(1, space).bytes(2, key).run(); });
}

Result<std::vector<Record>> Store::list_records(const std::string& space, std::size_t max_count,
                                                const Bytes& from) {
    return impl_->snapshot([&]() -> Result<std::vector<Record>> {
        std::vector<Record> out;
        Use use(impl_->list_records);
        use.text(1, space).number(2, std::min<std::size_t>(max_count, INT64_MAX)).bytes(3, from);
        for (auto row = use.step();; row = use.step()) {
            if (!row) {
                return std::unexpected(std::move(row.error()));
            }
            if (!*row) {
                return out;
            }
            auto record = read_record(use);
            if (!record) {
                return std::unexpected(std::move(record.error()));
            }
            out.push_back(std::move(*record));
        }
    });
}

Result<IntegrityReport> Store::check() {
    auto db = Database::open(impl_->path, Access::read_only, impl_->options.vfs);
    if (!db) {
        return std::unexpected(std::move(db.error()));
    }
    return check_database(*db);
}

}  // namespace synod::store
