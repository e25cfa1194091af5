// SPDX-License-Identifier: Apache-2.0
//! How one checkpoint is made (gathered, written, read back, checked, published) and how any is
//! checked. Each step runs on the strand that it needs and hands the job on.

#include "core/app/checkpoint/impl.hpp"

namespace synod::app {

using checkpoint::Level;

CheckpointInfo describe(const checkpoint::Contents& contents, const Hash& root, std::string file,
                        std::uint64_t bytes) {
    CheckpointInfo out;
    const auto& m = contents.metadata;
    out.id = to_hex(m.id.view());
    out.file = std::move(file);
    out.height = m.block.height;
    out.block = m.block.hash;
    out.root = root;
    out.parent = m.parent ? to_hex(m.parent->view()) : "";
    out.kind = std::string(checkpoint::name(m.kind));
    out.created = m.created;
    out.bytes = bytes;
    return out;
}

void Checkpointer::Impl::make(const JobPtr& made_job) {
    on_consensus([this, job = made_job] {
        auto contents = gather_checkpoint(parts.pipeline.consensus(), parts.store, job->from,
                                          std::move(job->contents.metadata));
        job->from.state.reset();
        if (!contents) {
            on_control(
                [this, job, error = contents.error()] { made(job, std::unexpected(error)); });
            return;
        }
        job->contents = std::move(*contents);
        on_format([this, job] {
            if (auto written = write(*job); !written) {
                job->file.reset();
                on_control(
                    [this, job, error = written.error()] { made(job, std::unexpected(error)); });
                return;
            }
            check(job, [this, job](const Result<void>& good) {
                // Where two backends disagree nobody can tell, and it is kept all the same, as read back only: the
                // block is committed here, and a checkpoint is what an emergency begins with.
                if (good || good.error().code == "validation.disagreement") {
                    publish(job);
                    return;
                }
                on_format([this, job, good] {
                    job->file.reset();  // the disk is none of the control thread's business
                    on_control([this, job, good] { made(job, good); });
                });
            });
        });
    });
}

Result<void> Checkpointer::Impl::write(Job& job) {
    const auto& m = job.contents.metadata;
    auto file = folder.create(m.block.height, m.id);
    if (!file) {
        return std::unexpected(file.error());
    }
    job.file.emplace(std::move(*file));
    auto root = encode_checkpoint(parts.format, job.contents,
                                  [&](ByteView bytes) { return job.file->write(bytes); });
    if (!root) {
        return std::unexpected(root.error());
    }
    if (auto synced = job.file->sync(); !synced) {
        return synced;
    }
    job.info = describe(job.contents, *root, checkpoint_file_name(m.block.height, m.id),
                        job.file->bytes());
    if (job.level == Level::kNone) {
        return {};
    }
    // From here on only what the disk gives back counts.
    job.contents = {};
    if (auto back = read(job, job.file->path()); !back) {
        return back;
    }
    if (job.info.root != *root) {
        return fail("checkpoint.root_mismatch", "what was read back isn't what was written",
                    job.info.file, "look at the format plugin and at the disk");
    }
    return {};
}

void Checkpointer::Impl::publish(const JobPtr& published) {
    on_format([this, job = published] {
        auto outcome = folder.publish(std::move(*job->file));
        job->file.reset();
        job->contents = {};
        on_control([this, job, outcome] { made(job, outcome); });
    });
}

Result<void> Checkpointer::Impl::read(Job& job, const std::filesystem::path& file) const {
    auto finished = decode_checkpoint(parts.format, file);
    if (!finished) {
        return std::unexpected(finished.error());
    }
    const auto& m = finished->contents.metadata;
    if (checkpoint_file_name(m.block.height, m.id) != job.info.file) {
        return fail("checkpoint.misnamed",
                    "it is the checkpoint " + checkpoint_file_name(m.block.height, m.id),
                    job.info.file, "somebody renamed it");
    }
    const auto name = job.info.file;
    const auto verified = std::max(job.info.verified, Level::kBasic);
    job.info = describe(finished->contents, finished->root, name, job.info.bytes);
    job.info.verified = verified;
    job.contents = std::move(finished->contents);
    return {};
}

void Checkpointer::Impl::check(const JobPtr& checked, Then then) {
    if (checked->level != Level::kFull) {
        on_control([then = std::move(then)] { then({}); });
        return;
    }
    on_consensus([this, job = checked, then = std::move(then)] {
        auto good = check_checkpoint(parts.pipeline.consensus(), parts.store, job->contents,
                                     config.genesis);
        if (!good) {
            on_control([then, error = good.error()] { then(std::unexpected(error)); });
            return;
        }
        if (job->keep_state) {
            job->checked = *good;
        }
        if (!good->certificate) {
            job->info.verified = Level::kFull;
            on_control([then] { then({}); });
            return;
        }
        // Its answer comes on the control thread.
        parts.pipeline.prove(good->certificate, [self = shared_from_this(), job,
                                                 then](auto proven) {
            if (self->is_closing()) {
                return;
            }
            if (!proven) {
                then(std::unexpected(proven.error()));
            } else if (*proven) {
                then(fail("checkpoint.certificate",
                          "rule " + self->parts.pipeline.consensus().rule_name((*proven)->rule) +
                              " refuses its block's certificate",
                          "height " + std::to_string(job->info.height)));
            } else {
                job->info.verified = Level::kFull;
                then({});
            }
        });
    });
}

}  // namespace synod::app
