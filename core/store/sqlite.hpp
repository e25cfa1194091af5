// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A thin RAII layer over the SQLite C API: a connection, a prepared statement, one use of a
//! statement, a transaction. Owned by the store; an object is used by one thread at a time (the
//! owner's mutex sees to that). It never throws and never decides what is stored.

#include <cstdint>
#include <string>
#include <utility>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace synod::store {

//! How long a statement waits for another connection of this process, milliseconds.
inline constexpr int kBusyTimeoutMs = 2000;

enum class Access { read_only, read_write, create };

class Database {
  public:
    //! Opens a file; `vfs` as StoreOptions::vfs. Errors: store.locked, store.corrupt,
    //! store.disk_full, store.io, store.no_memory.
    static Result<Database> open(const std::string& path, Access access,
                                 const std::string& vfs = {});
    Database() = default;
    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    //! Runs statements without results or whose results don't matter.
    Result<void> exec(const std::string& sql);
    //! The first column of the first row of a query as an integer (0 without a row).
    Result<std::int64_t> scalar(const std::string& sql);
    //! The last SQLite error as an Error with its stable code; `doing` names the operation.
    [[nodiscard]] std::unexpected<Error> failure(int rc, std::string_view doing) const;
    [[nodiscard]] sqlite3* raw() const { return db_; }
    [[nodiscard]] bool is_open() const { return db_ != nullptr; }
    void close();

  private:
    sqlite3* db_ = nullptr;
    std::string path_;
};

//! A prepared statement; it must not outlive its database.
class Statement {
  public:
    static Result<Statement> prepare(Database& db, const char* sql);
    Statement() = default;
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&& other) noexcept;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

  private:
    friend class Use;
    Database* db_ = nullptr;
    sqlite3_stmt* raw_ = nullptr;
};

//! One use of a statement: bind, step, read; the destructor resets it. Bound bytes are borrowed and
//! must live until then; bytes read are valid until the next step.
class Use {
  public:
    explicit Use(Statement& statement) : statement_(statement) {}
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use();

    Use& number(int index, std::uint64_t value);
    Use& bytes(int index, ByteView value);
    Use& text(int index, std::string_view value);
    //! True when there is a row to read, false at the end.
    Result<bool> step();
    //! Steps a statement that answers no rows.
    Result<void> run();
    [[nodiscard]] std::uint64_t number(int column) const;
    [[nodiscard]] ByteView bytes(int column) const;
    [[nodiscard]] std::string text(int column) const;

  private:
    Statement& statement_;
    int bind_error_ = 0;
};

//! Rolls back unless committed.
class Transaction {
  public:
    //! `writes` takes the write lock at once; otherwise it is a snapshot for reading.
    static Result<Transaction> begin(Database& db, bool writes);
    Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

  private:
    explicit Transaction(Database& db) : db_(&db) {}
    Database* db_;
};

}  // namespace synod::store
