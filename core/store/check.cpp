// SPDX-License-Identifier: Apache-2.0
#include "core/store/check.hpp"

#include <algorithm>

#include "core/store/pack.hpp"
#include "core/store/rows.hpp"
#include "core/store/schema.hpp"

namespace synod::store {
namespace {

class Checker {
  public:
    explicit Checker(Database& db) : db_(db) {}

    Result<IntegrityReport> run() {
        auto snapshot = Transaction::begin(db_, false);
        if (!snapshot) {
            return outcome(std::move(snapshot.error()));
        }
        using Step = Result<void> (Checker::*)();
        const Step steps[] = {&Checker::file, &Checker::packs, &Checker::index, &Checker::forks,
                              &Checker::records, &Checker::pointers};
        for (const auto step : steps) {
            if (auto done = (this->*step)(); !done) {
                if (done.error().code != "store.corrupt") {
                    return std::unexpected(std::move(done.error()));
                }
                fault(done.error().text());
            }
        }
        return std::move(report_);
    }

  private:
    Result<IntegrityReport> outcome(Error error) {
        if (error.code != "store.corrupt") {
            return std::unexpected(std::move(error));
        }
        fault(error.text());
        return std::move(report_);
    }
    void fault(std::string what) {
        if (report_.faults.size() < kMaxIntegrityFaults) {
            report_.faults.push_back(std::move(what));
        }
    }
    //! Calls `each` for every row of a query.
    template <typename Each>
    Result<void> rows(const char* sql, Each each) {
        auto statement = Statement::prepare(db_, sql);
        if (!statement) {
            return std::unexpected(std::move(statement.error()));
        }
        Use use(*statement);
        for (auto row = use.step();; row = use.step()) {
            if (!row) {
                return std::unexpected(std::move(row.error()));
            }
            if (!*row) {
                return {};
            }
            each(use);
        }
    }

    Result<void> file() {
        return rows("PRAGMA integrity_check(20)", [&](const Use& row) {
            if (const auto text = row.text(0); text != "ok") {
                fault("SQLite: " + text);
            }
        });
    }
    Result<void> packs() {
        return rows("SELECT first_height, count, size, index_sum, bytes_sum, ends, hashes, bytes"
                    " FROM packs ORDER BY first_height",
                    [&](const Use& row) { pack(row); });
    }
    void pack(const Use& row) {
        const auto index = read_index(row);
        ++report_.packs;
        if (!index) {
            fault(index.error().text());
            next_ = row.number(0) + row.number(1);
            hashes_.clear();
            return;
        }
        if (index->first_height != next_) {
            fault("heights " + std::to_string(next_) + " to " +
                  std::to_string(index->first_height) + " are not contiguous");
            hashes_.clear();
        }
        if (!sound(*index, row.bytes(7))) {
            fault(pack_corrupt(index->first_height, index->next(),
                               "the checksum of its blocks is wrong").error().text());
        }
        report_.blocks += index->count();
        next_ = index->next();
        hashes_.insert(hashes_.end(), index->hashes.begin(), index->hashes.end());
        constexpr auto kBytes = kSegmentBlocks * Hash::size();
        const auto first = next_ - hashes_.size() / Hash::size();
        if (hashes_.size() >= kBytes && first % kSegmentBlocks == 0) {
            for (auto& entries : segment_entries(ByteView(hashes_).first(kBytes))) {
                expected_.push_back(checksum("hash_segments", expected_.size(), {entries}));
            }
            hashes_.erase(hashes_.begin(), hashes_.begin() + kBytes);
        }
    }
    Result<void> index() {
        std::uint64_t key = 0;
        auto done = rows("SELECT key, sum, entries FROM hash_segments ORDER BY key",
                         [&](const Use& row) {
            const auto sum = checksum("hash_segments", row.number(0), {row.bytes(2)});
            if (row.number(0) != key || key >= expected_.size() || expected_[key] != sum ||
                !same(row.bytes(1), sum)) {
                fault("hash_segments key " + std::to_string(key) + " does not match its packs");
            }
            ++key;
        });
        if (done && key != next_ / kSegmentBlocks * kSegmentBuckets) {
            fault("the hash index has " + std::to_string(key) + " rows for " +
                  std::to_string(next_) + " blocks");
        }
        return done;
    }
    Result<void> forks() {
        return rows(kSelectForks, [&](const Use& row) {
            ++report_.fork_blocks;
            if (const auto block = read_fork(row); !block) {
                fault(block.error().text());
            }
        });
    }
    Result<void> records() {
        return rows("SELECT space, key, sum, value FROM records", [&](const Use& row) {
            ++report_.records;
            if (const auto record = read_record(row); !record) {
                fault(record.error().text());
            }
        });
    }
    Result<void> pointers() {
        for (const auto name : {meta::kState, meta::kCertificate}) {
            if (const auto value = read_meta(db_, name); !value) {
                fault(value.error().text());
            }
        }
        for (const auto name : {meta::kHead, meta::kCommitted, meta::kFinal}) {
            const auto value = read_meta(db_, name);
            const auto pointer = value ? decode_pointer(*value) : std::unexpected(value.error());
            if (!pointer) {
                fault(pointer.error().text());
            } else if (*pointer) {
                const auto known = points_inside(**pointer);
                if (!known) {
                    return std::unexpected(known.error());
                }
                if (!*known) {
                    fault("the pointer '" + std::string(name) + "' at height " +
                          std::to_string((*pointer)->height) + " names no stored block");
                }
            }
        }
        return {};
    }
    Result<bool> points_inside(const ChainPointer& pointer) {
        bool found = false;
        auto statement = Statement::prepare(
            db_, "SELECT first_height, count, size, index_sum, bytes_sum, ends, hashes FROM packs"
                 " WHERE first_height <= ?1 ORDER BY first_height DESC LIMIT 1");
        auto fork = Statement::prepare(db_, "SELECT height FROM fork_blocks WHERE hash=?1");
        if (!statement || !fork) {
            return std::unexpected(statement ? fork.error() : statement.error());
        }
        Use use(*statement);
        const auto row = use.number(1, pointer.height).step();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (*row) {
            const auto pack = read_index(use);
            found = pack && pointer.height < pack->next() &&
                    pack->hash(pointer.height - pack->first_height) == pointer.hash;
        }
        Use in_forks(*fork);
        const auto forked = in_forks.bytes(1, pointer.hash.view()).step();
        if (!forked) {
            return std::unexpected(forked.error());
        }
        return found || (*forked && in_forks.number(0) == pointer.height);
    }

    Database& db_;
    IntegrityReport report_;
    std::uint64_t next_ = 0;
    Bytes hashes_;
    std::vector<Checksum> expected_;
};

}  // namespace

Result<IntegrityReport> check_database(Database& db) { return Checker(db).run(); }

}  // namespace synod::store
