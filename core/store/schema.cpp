// SPDX-License-Identifier: Apache-2.0
#include "core/store/schema.hpp"

#include <algorithm>
#include <array>

#include "core/store/seal.hpp"

namespace synod::store {
namespace {

//! "SYND", in the header of every store's file.
constexpr std::int64_t kApplicationId = 0x53594e44;

struct Migration {
    std::uint32_t version;
    const char* what;
    const char* sql;
};

// A migration is never edited once released: the next change is a new row. Small columns come
// before `bytes`, so that reading them doesn't walk a pack's overflow pages.
constexpr std::array<Migration, 1> kMigrations{{
    {1, "packs, hash index, fork blocks, meta, records",
     "CREATE TABLE packs(first_height INTEGER PRIMARY KEY, count INTEGER NOT NULL,"
     " size INTEGER NOT NULL, index_sum BLOB NOT NULL, bytes_sum BLOB NOT NULL,"
     " ends BLOB NOT NULL, hashes BLOB NOT NULL, bytes BLOB NOT NULL);"
     "CREATE TABLE hash_segments(key INTEGER PRIMARY KEY, sum BLOB NOT NULL,"
     " entries BLOB NOT NULL);"
     "CREATE TABLE fork_blocks(hash BLOB PRIMARY KEY, height INTEGER NOT NULL,"
     " parent BLOB NOT NULL, sum BLOB NOT NULL, bytes BLOB NOT NULL);"
     "CREATE TABLE meta(key TEXT PRIMARY KEY, sum BLOB NOT NULL, value BLOB NOT NULL);"
     "CREATE TABLE records(space TEXT NOT NULL, key BLOB NOT NULL, sum BLOB NOT NULL,"
     " value BLOB NOT NULL, PRIMARY KEY(space, key)) WITHOUT ROWID;"},
}};
static_assert(kMigrations.back().version == kSchemaVersion);

Result<void> migrate(Database& db, std::uint32_t from) {
    auto transaction = Transaction::begin(db, true);
    if (!transaction) {
        return std::unexpected(std::move(transaction.error()));
    }
    std::string sql =
        "CREATE TABLE IF NOT EXISTS migrations(version INTEGER PRIMARY KEY, what TEXT NOT NULL);";
    for (const auto& step : kMigrations) {
        if (step.version > from) {
            sql += step.sql;
            sql += "INSERT INTO migrations VALUES(" + std::to_string(step.version) + ",'" +
                   step.what + "');";
        }
    }
    sql += "PRAGMA user_version=" + std::to_string(kSchemaVersion);
    if (auto done = db.exec(sql); !done) {
        return done;
    }
    return transaction->commit();
}

void remove_with_log(Disk& disk, const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
        disk.remove(path + suffix);
    }
}

}  // namespace

Result<void> configure(Database& db, const StoreOptions& options) {
    std::string sql = "PRAGMA cell_size_check=ON;PRAGMA temp_store=MEMORY;";
    if (!options.read_only) {
        sql += options.synchronous == Synchronous::full ? "PRAGMA synchronous=FULL;"
                                                        : "PRAGMA synchronous=NORMAL;";
        sql += "PRAGMA wal_autocheckpoint=" + std::to_string(kWalPages) + ";";
        sql += "PRAGMA journal_size_limit=" + std::to_string(kWalKeepBytes) + ";";
    }
    if (auto done = db.exec(sql); !done) {
        return done;
    }
    if (options.max_bytes > 0) {
        const auto pages = std::max<std::uint64_t>(options.max_bytes / kPageBytes, 1);
        return db.exec("PRAGMA max_page_count=" + std::to_string(pages));
    }
    return {};
}

Result<void> create_file(Disk& disk, const std::string& dir, const std::string& path,
                         const StoreOptions& options) {
    const std::string building = path + ".new";
    remove_with_log(disk, building);
    {
        auto db = Database::open(building, Access::create, options.vfs);
        if (!db) {
            return std::unexpected(std::move(db.error()));
        }
        auto done = db->exec("PRAGMA page_size=" + std::to_string(kPageBytes) +
                             ";PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
                             "PRAGMA application_id=" + std::to_string(kApplicationId));
        done = done ? migrate(*db, 0) : done;
        done = done ? write_meta(*db, meta::kNetwork, view_of(options.network_id)) : done;
        done = done ? write_meta(*db, meta::kGenesis, options.genesis_hash.view()) : done;
        if (!done) {
            return done;
        }
    }
    return disk.rename(dir, building, path);
}

Result<void> admit(Database& db, const std::string& path, const StoreOptions& options) {
    const auto id = db.scalar("PRAGMA application_id");
    const auto version = id ? db.scalar("PRAGMA user_version") : id;
    if (!version) {
        return std::unexpected(version.error());
    }
    if (*id != kApplicationId || *version < 1) {
        return fail("store.corrupt", "this is not a Synod store", path);
    }
    if (*version > kSchemaVersion) {
        return fail("store.schema_newer",
                    "the store has schema " + std::to_string(*version) + ", this node knows " +
                        std::to_string(kSchemaVersion),
                    path, "run a newer node or choose an empty folder");
    }
    if (*version < kSchemaVersion) {
        if (options.read_only) {
            return fail("store.schema_older", "the store needs a migration", path,
                        "open it once for writing");
        }
        if (auto done = migrate(db, static_cast<std::uint32_t>(*version)); !done) {
            return done;
        }
    }
    const auto network = read_meta(db, meta::kNetwork);
    const auto genesis = network ? read_meta(db, meta::kGenesis) : network;
    if (!genesis) {
        return std::unexpected(genesis.error());
    }
    if (!*network || !*genesis) {
        return fail("store.corrupt", "the store's network is not recorded", path);
    }
    const auto same_bytes = [](const Bytes& a, ByteView b) {
        return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
    };
    if (!same_bytes(**network, view_of(options.network_id)) ||
        !same_bytes(**genesis, options.genesis_hash.view())) {
        return fail("store.wrong_network",
                    "the store belongs to network '" +
                        std::string((*network)->begin(), (*network)->end()) + "', genesis " +
                        to_hex(**genesis),
                    path, "choose another folder or the right genesis file");
    }
    return {};
}

Result<std::optional<Bytes>> read_meta(Database& db, std::string_view key) {
    auto statement = Statement::prepare(db, "SELECT sum, value FROM meta WHERE key=?1");
    if (!statement) {
        return std::unexpected(std::move(statement.error()));
    }
    Use use(*statement);
    const auto row = use.text(1, key).step();
    if (!row) {
        return std::unexpected(row.error());
    }
    if (!*row) {
        return std::nullopt;
    }
    const auto value = use.bytes(1);
    if (!same(use.bytes(0), checksum("meta", {view_of(key), value}))) {
        return fail("store.corrupt", "the checksum of '" + std::string(key) + "' is wrong",
                    "table meta");
    }
    return Bytes(value.begin(), value.end());
}

Result<void> write_meta(Database& db, std::string_view key, ByteView value) {
    auto statement = Statement::prepare(
        db, "INSERT INTO meta VALUES(?1,?2,?3)"
            " ON CONFLICT(key) DO UPDATE SET sum=excluded.sum, value=excluded.value");
    if (!statement) {
        return std::unexpected(std::move(statement.error()));
    }
    const auto sum = checksum("meta", {view_of(key), value});
    return Use(*statement).text(1, key).bytes(2, sum.view()).bytes(3, value).run();
}

}  // namespace synod::store
