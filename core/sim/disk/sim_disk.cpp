// SPDX-License-Identifier: Apache-2.0
#include "core/sim/disk/sim_disk.hpp"

#include <atomic>

#include "core/sim/disk/sim_disk_impl.hpp"

namespace synod::sim {
namespace {

std::unexpected<Error> broken(const std::string& path) {
    return fail("store.io", "the disk does not answer", path);
}

//! Dropped by its owner, or void after a stop.
class Held : public store::Disk::Lock {
  public:
    Held(std::weak_ptr<SimDisk::Impl> disk, std::string path, std::uint64_t life)
        : disk_(std::move(disk)), path_(std::move(path)), life_(life) {}
    ~Held() override {
        const auto disk = disk_.lock();
        if (!disk) {
            return;
        }
        const std::scoped_lock guard(disk->mutex);
        const auto at = disk->locks.find(path_);
        if (disk->life == life_ && at != disk->locks.end()) {
            at->second -= at->second > 0 ? 1 : -1;
            if (at->second == 0) {
                disk->locks.erase(at);
            }
        }
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

  private:
    std::weak_ptr<SimDisk::Impl> disk_;
    std::string path_;
    std::uint64_t life_;
};

}  // namespace

void SimDisk::Impl::apply(Names& names, const NameChange& change) {
    if (!change.from.empty()) {
        names.erase(change.from);
    }
    if (!change.to.empty()) {
        names[change.to] = change.file;
    }
}

bool SimDisk::Impl::changed() {
    ++operations;
    if (stop_at == 0 || operations < stop_at) {
        return true;
    }
    stop_now(stop_how);
    return false;
}

void SimDisk::Impl::stop_now(Stop how) {
    if (how == Stop::power) {
        const auto kept = random.below(name_changes.size() + 1);
        for (std::uint64_t i = 0; i < kept; ++i) {
            apply(safe_names, name_changes[i]);
        }
        names = safe_names;
        name_changes.clear();
        for (auto& [path, file] : names) {
            file->content.lose_unsynced(random);
        }
    }
    for (auto& [path, file] : names) {
        auto content = std::move(file->content);
        *file = SharedFile{};
        file->content = std::move(content);
    }
    locks.clear();
    off = true;
    stop_at = 0;
    ++life;
}

std::uint64_t SimDisk::Impl::used() const {
    std::uint64_t out = 0;
    for (const auto& [path, file] : names) {
        out += file->content.size();
    }
    return out;
}

bool SimDisk::Impl::has_space(const SimFile& file, std::uint64_t size) const {
    return capacity == 0 || size <= file.size() || used() - file.size() + size <= capacity;
}

std::shared_ptr<SharedFile> SimDisk::Impl::find(const std::string& path) const {
    const auto at = names.find(path);
    return at == names.end() ? nullptr : at->second;
}

std::shared_ptr<SharedFile> SimDisk::Impl::create(const std::string& path) {
    name_changes.push_back({"", path, std::make_shared<SharedFile>()});
    apply(names, name_changes.back());
    return name_changes.back().file;
}

void SimDisk::Impl::move(const std::string& from, const std::string& to) {
    name_changes.push_back({from, to, names[from]});
    apply(names, name_changes.back());
}

void SimDisk::Impl::erase(const std::string& path) {
    name_changes.push_back({path, "", nullptr});
    apply(names, name_changes.back());
}

void SimDisk::Impl::sync_names() {
    safe_names = names;
    name_changes.clear();
}

SimDisk::SimDisk(std::uint64_t seed) : impl_(std::make_shared<Impl>(seed)) {
    static std::atomic<std::uint64_t> made{0};
    impl_->vfs_name = "synod-sim-" + std::to_string(++made);
    register_vfs(*impl_, this);
}

SimDisk::~SimDisk() {
    sqlite3_vfs_unregister(&impl_->vfs.base);
}

const std::string& SimDisk::vfs() const {
    return impl_->vfs_name;
}

void SimDisk::stop(Stop how) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->off) {
        impl_->stop_now(how);
    }
}

void SimDisk::stop_after(std::uint64_t operations, Stop how) {
    const std::scoped_lock guard(impl_->mutex);
    impl_->stop_at = impl_->operations + operations;
    impl_->stop_how = how;
}

void SimDisk::start() {
    const std::scoped_lock guard(impl_->mutex);
    impl_->off = false;
    impl_->stop_at = 0;
}

bool SimDisk::stopped() const {
    const std::scoped_lock guard(impl_->mutex);
    return impl_->off;
}

void SimDisk::set_faults(const DiskFaults& faults) {
    const std::scoped_lock guard(impl_->mutex);
    impl_->faults = faults;
}

void SimDisk::set_capacity(std::uint64_t bytes) {
    const std::scoped_lock guard(impl_->mutex);
    impl_->capacity = bytes;
}

bool SimDisk::damage(const std::string& path) {
    const std::scoped_lock guard(impl_->mutex);
    const auto file = impl_->find(path);
    return file && file->content.flip_bit(impl_->random.below(file->content.size()),
                                          static_cast<unsigned>(impl_->random.below(8)));
}

std::uint64_t SimDisk::used() const {
    const std::scoped_lock guard(impl_->mutex);
    return impl_->used();
}

std::uint64_t SimDisk::operations() const {
    const std::scoped_lock guard(impl_->mutex);
    return impl_->operations;
}

Result<void> SimDisk::make_folder(const std::string& dir) {
    const std::scoped_lock guard(impl_->mutex);
    if (impl_->off) {
        return broken(dir);
    }
    return {};  // a name is all that a folder is here
}

Result<std::int64_t> SimDisk::size(const std::string& path) {
    const std::scoped_lock guard(impl_->mutex);
    if (impl_->off) {
        return broken(path);
    }
    const auto file = impl_->find(path);
    return file ? static_cast<std::int64_t>(file->content.size()) : -1;
}

Result<void> SimDisk::rename(const std::string& dir, const std::string& from,
                             const std::string& to) {
    const std::scoped_lock guard(impl_->mutex);
    if (impl_->off || !impl_->find(from)) {
        return broken(from);
    }
    impl_->move(from, to);
    if (!impl_->changed()) {
        return broken(to);
    }
    if (impl_->random.one_in(impl_->faults.sync_error_one_in)) {
        return fail("store.io", "cannot sync the folder", dir);
    }
    impl_->sync_names();
    if (!impl_->changed()) {
        return broken(dir);
    }
    return {};
}

Result<void> SimDisk::write_again(const std::string& path) {
    const std::scoped_lock guard(impl_->mutex);
    if (impl_->off) {
        return broken(path);
    }
    const auto file = impl_->find(path);
    if (!file || file->content.size() == 0) {
        return {};
    }
    if (impl_->random.one_in(impl_->faults.read_error_one_in)) {
        return fail("store.io", "cannot read the log", path);
    }
    Bytes all(file->content.size());
    file->content.read(0, all);
    file->content.write(0, all);
    if (!impl_->changed()) {
        return broken(path);
    }
    if (impl_->random.one_in(impl_->faults.sync_error_one_in)) {
        file->content.fail_sync();
        return fail("store.io", "cannot sync the log", path);
    }
    file->content.sync();
    return impl_->changed() ? Result<void>{} : broken(path);
}

void SimDisk::remove(const std::string& path) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->off && impl_->find(path)) {
        impl_->erase(path);
        impl_->changed();
    }
}

Result<std::unique_ptr<store::Disk::Lock>> SimDisk::lock(const std::string& path, bool shared) {
    const std::scoped_lock guard(impl_->mutex);
    if (impl_->off) {
        return broken(path);
    }
    auto& holders = impl_->locks[path];
    if (holders < 0 || (holders > 0 && !shared)) {
        return fail("store.locked", "the folder is in use by another store", path);
    }
    holders += shared ? 1 : -1;
    return std::make_unique<Held>(impl_, path, impl_->life);
}

}  // namespace synod::sim
