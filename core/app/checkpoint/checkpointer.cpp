// SPDX-License-Identifier: Apache-2.0
#include "core/app/checkpoint/checkpointer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "core/app/checkpoint/impl.hpp"

namespace synod::app {

namespace {

using checkpoint::Level;
using checkpoint::Standing;

constexpr const char* kProgramVersion = "0.1.0";

std::string at(const CheckpointInfo& info) {
    return "height " + std::to_string(info.height) + " id " + info.id;
}

}  // namespace

CheckpointConfig checkpoint_config(const host::Manifest& manifest, const Hash& genesis) {
    CheckpointConfig out;
    out.dir = manifest.text("checkpoint", "dir").empty() ? manifest.data_dir / "checkpoints"
                                                         : manifest.checkpoint_dir;
    out.policy.interval = static_cast<std::uint64_t>(manifest.integer("checkpoint", "interval"));
    out.keep = static_cast<std::size_t>(manifest.integer("checkpoint", "keep"));
    out.verification =
        checkpoint::level_of(manifest.text("checkpoint", "verification")).value_or(Level::kFull);
    out.genesis = genesis;
    out.version = kProgramVersion;
    return out;
}

void mark_damaged(CheckpointInfo& info, const Error& error) {
    // The disk, our own store being behind, and what a plugin can't say are not the file's faults.
    constexpr std::array<std::string_view, 4> kNotTheFile = {
        "checkpoint.io", "checkpoint.missing", "checkpoint.off_chain", "checkpoint.unsupported"};
    if (error.code.starts_with("checkpoint.") &&
        std::ranges::find(kNotTheFile, std::string_view(error.code)) == kNotTheFile.end()) {
        info.damaged = error.text();
        info.verified = Level::kNone;
    }
}

// ---- tasks
// ----------------------------------------------------------------------------------------

std::function<void()> Checkpointer::Impl::guarded(std::function<void()> task) {
    return [self = shared_from_this(), task = std::move(task)]() mutable {
        {
            const std::scoped_lock lock(self->mutex);
            if (self->closing) {
                return;
            }
            ++self->running;
        }
        task();
        task = nullptr;
        const std::scoped_lock lock(self->mutex);
        --self->running;
        self->idle.notify_all();
    };
}

void Checkpointer::Impl::on_format(std::function<void()> task) {
    parts.on_format(guarded(std::move(task)));
}
void Checkpointer::Impl::on_consensus(std::function<void()> task) {
    parts.pipeline.on_consensus(guarded(std::move(task)), {});
}
void Checkpointer::Impl::on_control(std::function<void()> task) {
    parts.deliver([self = shared_from_this(), task = std::move(task)] {
        if (!self->is_closing()) {
            task();
        }
    });
}

bool Checkpointer::Impl::is_closing() const {
    const std::scoped_lock lock(mutex);
    return closing;
}

void Checkpointer::Impl::close() {
    {
        std::unique_lock lock(mutex);
        closing = true;
        idle.wait(lock, [&] { return running == 0; });
    }
    waiting.clear();
    asked.clear();
    latest.reset();
    if (current) {
        current->file.reset();  // whatever else holds the job touches it no more
    }
    current.reset();
}

// ---- what is there
// --------------------------------------------------------------------------------

void Checkpointer::Impl::scan() {
    on_format([this] {
        auto files = folder.list();
        if (!files) {
            on_control([this, error = files.error()] { scanned(std::unexpected(error)); });
            return;
        }
        std::vector<CheckpointInfo> found;
        for (const auto& file : *files) {
            Job looked;
            looked.info.file = file.name;
            looked.info.id = to_hex(file.id.view());
            looked.info.height = file.height;
            looked.info.bytes = file.bytes;
            if (auto good = read(looked, folder.path_of(file.name)); !good) {
                if (good.error().code == "checkpoint.missing") {
                    continue;  // removed meanwhile
                }
                looked.info.damaged = good.error().text();
            }
            found.push_back(std::move(looked.info));
        }
        on_control([this, found = std::move(found)]() mutable { scanned(std::move(found)); });
    });
}

void Checkpointer::Impl::scanned(Result<std::vector<CheckpointInfo>> found) {
    has_scanned = true;
    if (found) {
        for (auto& info : *found) {
            if (!info.damaged.empty()) {
                spdlog::warn("checkpoint {} can't be used: {}", at(info), info.damaged);
            }
            remember(info);
        }
    } else {
        unreadable = found.error();
        spdlog::error("{}", unreadable->text());
    }
    const auto newest =
        std::ranges::find_if(known, [](const auto& i) { return i.damaged.empty(); });
    if (newest != known.end()) {
        policy = checkpoint::Policy(config.policy, newest->height);
    }
    if (config.writer && found) {
        prune();  // a writer that was closed may have left too many
    }
    auto tasks = std::move(waiting);
    waiting.clear();
    for (auto& task : tasks) {
        task();
    }
    try_to_make();
}

void Checkpointer::Impl::when_scanned(std::function<void()> task,
                                      std::function<void(Error)> refused) {
    if (has_scanned) {
        if (unreadable) {
            refused(*unreadable);
        } else {
            task();
        }
        return;
    }
    if (waiting.size() >= kMaxCheckpointWaiters) {
        refused({"checkpoint.busy",
                 "too many requests wait for the folder to be read",
                 {},
                 "try again"});
        return;
    }
    waiting.push_back([this, task = std::move(task), refused = std::move(refused)] {
        when_scanned(task, refused);
    });
}

void Checkpointer::Impl::remember(const CheckpointInfo& info) {
    std::erase_if(known, [&](const CheckpointInfo& k) { return k.file == info.file; });
    known.push_back(info);
    std::ranges::sort(known, [](const CheckpointInfo& a, const CheckpointInfo& b) {
        return std::tie(a.height, a.created, a.id) > std::tie(b.height, b.created, b.id);
    });
}

std::vector<checkpoint::Entry> Checkpointer::Impl::entries() const {
    std::vector<checkpoint::Entry> out;
    for (const auto& info : known) {
        checkpoint::Entry entry;
        entry.file = info.file;
        entry.metadata.block = {info.height, info.block};
        entry.metadata.genesis = config.genesis;  // whether it is, the check of the contents says
        entry.metadata.created = info.created;
        entry.metadata.id = fixed_from_hex<checkpoint::Id>(info.id).value_or(checkpoint::Id{});
        entry.standing = !info.damaged.empty()           ? Standing::kDamaged
                         : info.verified != Level::kNone ? Standing::kVerified
                                                         : Standing::kUnknown;
        entry.why = info.damaged;
        out.push_back(std::move(entry));
    }
    return out;
}

Result<CheckpointInfo> Checkpointer::Impl::find(const std::string& which) const {
    if (which == "latest" && !known.empty()) {
        return known.front();
    }
    std::optional<CheckpointInfo> found;
    for (const auto& info : known) {
        if (which.empty() || (!info.id.starts_with(which) && info.file != which)) {
            continue;
        }
        if (found) {
            return fail("checkpoint.ambiguous", "several checkpoints begin so", which,
                        "give more of the id");
        }
        found = info;
    }
    if (!found) {
        return fail("checkpoint.missing", "there is no such checkpoint", which,
                    known.empty() ? "the folder " + folder.dir().string() + " has none"
                                  : "`synod checkpoint list` shows them");
    }
    return *found;
}

void Checkpointer::Impl::prune() {
    for (auto& name : checkpoint::surplus(entries(), config.keep)) {
        std::erase_if(known, [&](const CheckpointInfo& k) { return k.file == name; });
        on_format([this, name] {
            if (auto removed = folder.remove(name); !removed) {
                spdlog::warn("{}", removed.error().text());
            }
        });
    }
}

// ---- when one is made
// -----------------------------------------------------------------------------

void Checkpointer::Impl::try_to_make() {
    if (!has_scanned || unreadable || !config.writer || !latest || !latest->state) {
        return;
    }
    const auto kind = policy.due(latest->block.height, parts.clock.mono());
    if (!kind) {
        return;
    }
    policy.begin();
    current = std::make_shared<Job>();
    current->from = *latest;
    current->level = config.verification;
    current->waiters = std::move(asked);
    asked.clear();
    auto& m = current->contents.metadata;
    m.kind = *kind;
    m.genesis = config.genesis;
    m.version = config.version;
    m.created = parts.clock.unix_ms();
    const auto parent =
        std::ranges::find_if(known, [](const auto& i) { return i.damaged.empty(); });
    if (parent != known.end()) {
        m.parent = fixed_from_hex<checkpoint::Id>(parent->id);
    }
    make(current);
}

void Checkpointer::Impl::made(const JobPtr& finished, Result<void> outcome) {
    current.reset();
    ++(outcome ? figures.made : figures.failed);
    if (outcome) {
        policy.done(finished->from.block.height, parts.clock.mono());
        remember(finished->info);
        prune();
    } else {
        policy.failed(parts.clock.mono());
    }
    for (const auto& waiter : finished->waiters) {
        waiter(outcome ? Result<CheckpointInfo>(finished->info) : std::unexpected(outcome.error()));
    }
    if (outcome && parts.created) {
        parts.created(finished->info);
    } else if (!outcome && parts.failed) {
        parts.failed(outcome.error());
    }
    if (outcome || !asked.empty()) {
        try_to_make();  // a failed one is tried again with a later block
    }
}

// ---- the outside
// ----------------------------------------------------------------------------------

Checkpointer::Checkpointer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Checkpointer::~Checkpointer() {
    close();
}
void Checkpointer::close() {
    impl_->close();
}
CheckpointFigures Checkpointer::figures() const {
    return impl_->figures;
}
bool Checkpointer::making() const {
    return impl_->policy.making();
}
const std::filesystem::path& Checkpointer::dir() const {
    return impl_->folder.dir();
}

Result<std::unique_ptr<Checkpointer>> Checkpointer::open(CheckpointConfig config,
                                                         CheckpointParts parts) {
    auto folder = CheckpointFolder::open(config.dir, config.writer, config.hook);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    auto impl = std::make_shared<Impl>(std::move(config), std::move(parts), std::move(*folder));
    impl->scan();
    return std::unique_ptr<Checkpointer>(new Checkpointer(std::move(impl)));
}

void Checkpointer::on_committed(CommittedBlock block) {
    if (!block.state) {
        return;  // what was committed with the last state still describes that state best
    }
    impl_->latest = std::move(block);
    impl_->try_to_make();
}

void Checkpointer::create_now(checkpoint::Kind kind, Done<CheckpointInfo> done) {
    if (!impl_->config.writer) {
        done(fail("checkpoint.read_only", "checkpoints can't be made here"));
        return;
    }
    if (!impl_->latest || !impl_->latest->state) {
        done(fail("checkpoint.no_state", "no committed block is known yet", {},
                  "wait until the node syncs"));
        return;
    }
    if (impl_->asked.size() >= kMaxCheckpointWaiters) {
        done(fail("checkpoint.busy", "too many requests for a checkpoint wait", {}, "try again"));
        return;
    }
    impl_->when_scanned(
        [impl = impl_.get(), kind, done] {
            impl->asked.push_back(done);
            impl->policy.ask(kind);
            impl->try_to_make();
        },
        [done](Error e) { done(std::unexpected(std::move(e))); });
}

std::optional<CheckpointInfo> Checkpointer::last() const {
    const auto& known = impl_->known;
    const auto newest =
        std::ranges::find_if(known, [](const auto& i) { return i.damaged.empty(); });
    return newest == known.end() ? std::nullopt : std::optional(*newest);
}

void Checkpointer::list(Done<std::vector<CheckpointInfo>> done) {
    impl_->when_scanned([impl = impl_.get(), done] { done(impl->known); },
                        [done](Error e) { done(std::unexpected(std::move(e))); });
}

void Checkpointer::verify(std::string which, Level level, Done<CheckpointInfo> done) {
    const auto begin = [impl = impl_.get(), which, level, done] {
        auto found = impl->find(which);
        if (!found) {
            done(std::unexpected(found.error()));
            return;
        }
        auto job = std::make_shared<Impl::Job>();
        job->info = *found;
        job->level = level;
        const auto finish = [impl, job, done](const Result<void>& outcome) {
            if (!outcome) {
                mark_damaged(job->info, outcome.error());
            }
            if (outcome || !job->info.damaged.empty()) {
                impl->remember(job->info);
            } else if (outcome.error().code == "checkpoint.missing") {
                std::erase_if(impl->known,
                              [&](const CheckpointInfo& k) { return k.file == job->info.file; });
            }
            done(outcome ? Result<CheckpointInfo>(job->info) : std::unexpected(outcome.error()));
        };
        impl->on_format([impl, job, finish] {
            auto read = impl->read(*job, impl->folder.path_of(job->info.file));
            if (read) {
                impl->check(job, finish);
                return;
            }
            impl->on_control([finish, read] { finish(read); });
        });
    };
    impl_->when_scanned(begin, [done](Error e) { done(std::unexpected(std::move(e))); });
}

void Checkpointer::remove(std::string which, Done<CheckpointInfo> done) {
    const auto begin = [impl = impl_.get(), which, done] {
        auto found = impl->find(which);
        if (!found) {
            done(std::unexpected(found.error()));
            return;
        }
        const auto verified = std::ranges::find_if(impl->known, [](const auto& i) {
            return i.damaged.empty() && i.verified != Level::kNone;
        });
        if (verified != impl->known.end() && verified->file == found->file) {
            done(fail("checkpoint.last_verified", "it is the newest verified checkpoint",
                      at(*found), "make another one first"));
            return;
        }
        std::erase_if(impl->known, [&](const CheckpointInfo& k) { return k.file == found->file; });
        impl->on_format([impl, info = *found, done] {
            auto removed = impl->folder.remove(info.file);
            impl->on_control([info, done, removed] {
                done(removed ? Result<CheckpointInfo>(info) : std::unexpected(removed.error()));
            });
        });
    };
    if (!impl_->config.writer) {
        done(fail("checkpoint.read_only", "checkpoints can't be removed here"));
        return;
    }
    impl_->when_scanned(begin, [done](Error e) { done(std::unexpected(std::move(e))); });
}

}  // namespace synod::app
