// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A disk in memory that fails as disks do: power cuts that lose and tear what was not synced,
//! read, write and sync errors, no space. Registers itself as a SQLite VFS under a name of its own,
//! which is what StoreOptions::vfs takes. Deterministic: the same seed and calls, the same faults;
//! it looks at no clock and starts no thread. Any thread may use it. It must outlive every store on
//! it. What may be lost, and how: tests of SQLite (sqlite.org/testing.html, section 3.2), ALICE
//! (OSDI 2014) for reordered sectors, Rebello et al. (ATC 2020) for what a failed fsync leaves.

#include <cstdint>
#include <memory>
#include <string>

#include "core/store/disk.hpp"

namespace synod::sim {

//! How often an operation fails by itself: once in this many on average, 0 for never.
struct DiskFaults {
    std::uint32_t read_error_one_in = 0;   //!< store.io; the content is unharmed
    std::uint32_t write_error_one_in = 0;  //!< store.io; nothing was written
    std::uint32_t sync_error_one_in = 0;   //!< store.io; what was to be synced may be lost for ever
};

enum class Stop {
    kill,   //!< the process ends: nothing that was written is lost
    power,  //!< the machine ends: what was not synced may be lost, by sectors, in any mixture
};

class SimDisk : public store::Disk {
  public:
    explicit SimDisk(std::uint64_t seed);
    ~SimDisk() override;
    SimDisk(const SimDisk&) = delete;
    SimDisk& operator=(const SimDisk&) = delete;

    //! The name for StoreOptions::vfs; unique in the process.
    [[nodiscard]] const std::string& vfs() const;

    //! Everything fails from now until start(), whatever is open stays broken for ever, locks are
    //! dropped. Destroy the stores (in this order or after start()), then start() and open anew.
    void stop(Stop how);
    //! The same within the nth operation from now that changes something (write, resize, sync,
    //! rename, remove): it happens, the stop follows, and its caller sees it fail.
    void stop_after(std::uint64_t operations, Stop how);
    //! Runs again, with what is left; cancels a stop_after that has not come.
    void start();
    [[nodiscard]] bool stopped() const;

    void set_faults(const DiskFaults& faults);
    //! Bytes of all files together; a write or resize beyond gives store.disk_full. 0: no limit.
    void set_capacity(std::uint64_t bytes);
    //! Turns one random bit of a file's content for good; false when it is missing or empty.
    bool damage(const std::string& path);

    [[nodiscard]] std::uint64_t used() const;        //!< bytes of all files
    [[nodiscard]] std::uint64_t operations() const;  //!< of those that stop_after counts

    Result<void> make_folder(const std::string& dir) override;
    Result<std::int64_t> size(const std::string& path) override;
    Result<void> rename(const std::string& dir, const std::string& from,
                        const std::string& to) override;
    Result<void> write_again(const std::string& path) override;
    void remove(const std::string& path) override;
    Result<std::unique_ptr<Lock>> lock(const std::string& path, bool shared) override;

    struct Impl;  //!< the VFS's functions see it; nobody else can

  private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace synod::sim
