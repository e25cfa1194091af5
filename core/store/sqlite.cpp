// SPDX-License-Identifier: Apache-2.0
#include "core/store/sqlite.hpp"

#include <sqlite3.h>

#include <cerrno>

namespace synod::store {
namespace {

const char* code_of(int rc, int system_errno) {
    switch (rc & 0xff) {
        case SQLITE_FULL:
            return "store.disk_full";
        case SQLITE_IOERR:
            if (rc == SQLITE_IOERR_SHORT_READ || rc == SQLITE_IOERR_CORRUPTFS) {
                return "store.corrupt";
            }
            return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG
                       ? "store.disk_full"
                       : "store.io";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "store.locked";
        case SQLITE_NOMEM:
            return "store.no_memory";
        case SQLITE_TOOBIG:
            return "store.too_large";
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return "store.io";
        default:
            // Every statement here is fixed text that was tested on a sound schema, so any other
            // failure, a missing column for example, means that the file is damaged.
            return "store.corrupt";
    }
}

const char* hint_of(std::string_view code) {
    if (code == "store.disk_full") {
        return "free space or raise the store's limit; nothing that was committed is lost";
    }
    if (code == "store.corrupt") {
        return "recover from a checkpoint or sync into an empty folder";
    }
    return "";
}

//! The errno of a failed write, as the file that failed remembers it: the database or its log.
//! sqlite3_system_errno alone has whatever the clean-up after the failure left.
int errno_of(sqlite3* db, int rc) {
    if (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_TRUNCATE) {
        int seen = 0;
        sqlite3_file* log = nullptr;
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
        if (log != nullptr && log->pMethods != nullptr) {
            log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &seen);
        }
        if (seen == 0) {
            sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &seen);
        }
        if (seen != 0) {
            return seen;
        }
    }
    return sqlite3_system_errno(db);
}

}  // namespace

Result<Database> Database::open(const std::string& path, Access access,
                                const std::string& vfs) {
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
    flags |= access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= access == Access::create ? SQLITE_OPEN_CREATE : 0;
    Database out;
    out.path_ = path;
    const int rc = sqlite3_open_v2(path.c_str(), &out.db_, flags,
                                   vfs.empty() ? nullptr : vfs.c_str());
    if (rc != SQLITE_OK) {
        return out.failure(rc, "open");
    }
    sqlite3_busy_timeout(out.db_, kBusyTimeoutMs);
    sqlite3_db_config(out.db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(out.db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    return out;
}

Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)), path_(std::move(other.path_)) {}

Database& Database::operator=(Database&& other) noexcept {
    if (this != &other) {
        close();
        db_ = std::exchange(other.db_, nullptr);
        path_ = std::move(other.path_);
    }
    return *this;
}

Database::~Database() { close(); }

void Database::close() {
    if (db_ != nullptr) {
        sqlite3_close_v2(db_);
        db_ = nullptr;
    }
}

Result<void> Database::exec(const std::string& sql) {
    const int rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) {
        return failure(rc, sql.substr(0, 48));
    }
    return {};
}

Result<std::int64_t> Database::scalar(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    int rc = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    std::int64_t value = 0;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) {
            value = sqlite3_column_int64(statement, 0);
        }
    }
    sqlite3_finalize(statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return failure(rc, sql);
    }
    return value;
}

std::unexpected<Error> Database::failure(int rc, std::string_view doing) const {
    const int os_error = db_ != nullptr ? errno_of(db_, rc) : 0;
    const std::string code = code_of(rc, os_error);
    std::string message = "SQLite: ";
    message += db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(rc);
    message += " (" + std::to_string(rc) + ") while doing: ";
    message += doing;
    return fail(code, std::move(message), path_, hint_of(code));
}

Result<Statement> Statement::prepare(Database& db, const char* sql) {
    Statement out;
    out.db_ = &db;
    const int rc = sqlite3_prepare_v3(db.raw(), sql, -1, SQLITE_PREPARE_PERSISTENT, &out.raw_,
                                      nullptr);
    if (rc != SQLITE_OK) {
        return db.failure(rc, sql);
    }
    return out;
}

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), raw_(std::exchange(other.raw_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
    if (this != &other) {
        sqlite3_finalize(raw_);
        db_ = other.db_;
        raw_ = std::exchange(other.raw_, nullptr);
    }
    return *this;
}

Statement::~Statement() { sqlite3_finalize(raw_); }

Use::~Use() {
    sqlite3_reset(statement_.raw_);
    sqlite3_clear_bindings(statement_.raw_);
}

Use& Use::number(int index, std::uint64_t value) {
    bind_error_ |= sqlite3_bind_int64(statement_.raw_, index, static_cast<std::int64_t>(value));
    return *this;
}

Use& Use::bytes(int index, ByteView value) {
    // A null pointer would bind NULL; an empty blob needs an address.
    static constexpr std::uint8_t kNothing = 0;
    const auto* data = value.empty() ? &kNothing : value.data();
    bind_error_ |=
        sqlite3_bind_blob64(statement_.raw_, index, data, value.size(), SQLITE_STATIC);
    return *this;
}

Use& Use::text(int index, std::string_view value) {
    bind_error_ |= sqlite3_bind_text(statement_.raw_, index, value.data(),
                                     static_cast<int>(value.size()), SQLITE_STATIC);
    return *this;
}

Result<bool> Use::step() {
    if (bind_error_ != 0) {
        return statement_.db_->failure(bind_error_, "bind");
    }
    const int rc = sqlite3_step(statement_.raw_);
    if (rc == SQLITE_ROW) {
        return true;
    }
    if (rc == SQLITE_DONE) {
        return false;
    }
    return statement_.db_->failure(rc, sqlite3_sql(statement_.raw_));
}

Result<void> Use::run() {
    auto row = step();
    if (!row) {
        return std::unexpected(std::move(row.error()));
    }
    return {};
}

std::uint64_t Use::number(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.raw_, column));
}

ByteView Use::bytes(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(
        sqlite3_column_blob(statement_.raw_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.raw_, column));
    return data == nullptr ? ByteView{} : ByteView{data, size};
}

std::string Use::text(int column) const {
    const auto* data = sqlite3_column_text(statement_.raw_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.raw_, column));
    return data == nullptr ? std::string{}
                           : std::string{reinterpret_cast<const char*>(data), size};
}

Result<Transaction> Transaction::begin(Database& db, bool writes) {
    if (auto begun = db.exec(writes ? "BEGIN IMMEDIATE" : "BEGIN"); !begun) {
        return std::unexpected(std::move(begun.error()));
    }
    return Transaction(db);
}

Transaction::~Transaction() {
    // A full disk may have rolled back already; a second ROLLBACK would only report that.
    if (db_ != nullptr && sqlite3_get_autocommit(db_->raw()) == 0) {
        sqlite3_exec(db_->raw(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

Result<void> Transaction::commit() {
    auto done = db_->exec("COMMIT");
    if (done) {
        db_ = nullptr;
    }
    return done;
}

}  // namespace synod::store
