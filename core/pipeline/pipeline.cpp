// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/pipeline.hpp"
#include "core/base/planted.hpp"

#include <algorithm>

namespace synod::pipeline {

bool sender_is_to_blame(const Error& error) {
    return error.code == "plugin.corrupt_input" || error.code == "plugin.invalid_call";
}

namespace {

//! Smallest thing that a block or header can be, for bounding what decode may allocate.
constexpr std::size_t kMinItemBytes = 64;

Hash hash_of(const HeaderView& view) { return Hash::copy(view.hash); }
Hash parent_of(const HeaderView& view) { return Hash::copy(view.parent); }

Fault own_fault(const Error& error) { return {error.code, 0, {}, error.text(), true}; }

Fault unreadable(const Error& error, std::uint64_t height) {
    return sender_is_to_blame(error) ? Fault{"malformed", height, {}, error.text(), false}
                                     : own_fault(error);
}

Fault fault_of(const Failure& failure, std::span<const ProvenBlock> blocks) {
    if (!failure.refusal) {
        return own_fault(failure.error);
    }
    Fault out{failure.refusal->name, 0, {}, failure.refusal->detail, false};
    if (failure.refusal->block < blocks.size()) {
        out.height = blocks[failure.refusal->block].view.height;
        out.hash = hash_of(blocks[failure.refusal->block].view);
    }
    return out;
}

//! Of a piece that starts with the run's block number `first`: the blocks whose signatures need no
//! check. A child commits every byte of its parent, but the run's last block has its child in
//! another run: its author's signature could be any bytes, and the peer that brings the next run
//! would be blamed for them.
std::size_t vouched_of(const BlocksJob& job, std::size_t first, std::size_t blocks) {
    if (SYNOD_PLANTED("the_last_is_vouched_too")) {
        return blocks;
    }
    return job.vouched ? std::min(blocks, job.count - 1 - std::min<std::size_t>(first, job.count - 1))
                       : 0;
}

}  // namespace

struct Pipeline::Running {
    BlocksJob job;
    std::uint64_t generation = 0;
    std::vector<ProvenBlock> blocks;
    std::vector<std::unique_ptr<CheckSet>> checks;
    State state;
    synod_weight weight{};
    std::optional<Fault> fault;
};

Pipeline::Pipeline(Workers& pool, Consensus& consensus, Prover prover,
                   std::function<void(std::function<void()>)> deliver,
                   std::shared_ptr<Strand> consensus_strand,
                   std::shared_ptr<Strand> validation_strand)
    : pool_(pool),
      consensus_(consensus),
      prover_(std::move(prover)),
      deliver_(std::move(deliver)),
      plan_strand_(std::move(consensus_strand)),
      prove_strand_(validation_strand ? std::move(validation_strand) : Strand::make(pool)) {}

void Pipeline::reset() {
    const std::scoped_lock lock(generation_mutex_);
    ++generation_;
}

void Pipeline::submit(BlocksJob job) {
    auto run = std::make_shared<Running>();
    run->job = std::move(job);
    {
        const std::scoped_lock lock(generation_mutex_);
        run->generation = generation_;
    }
    // What wasn't read yet is read on the plan strand's own turn: its hashing fans out over the workers
    // by itself, and a strand that never waits can't starve the pool.
    plan_strand_->post([this, run] {
        read_all(run);
        plan(run);
        prove_strand_->post([this, run] {
            for (auto& checks : run->checks) {
                if (run->fault) {
                    break;
                }
                if (auto proven = prover_(*checks); !proven) {
                    run->fault = own_fault(proven.error());
                } else if (const auto failed = checks->first_failure();
                           failed && !SYNOD_PLANTED("failed_proofs_taken")) {
                    const auto index = static_cast<std::size_t>(&checks - run->checks.data());
                    const auto& view = (*run->job.pieces[index].views)[failed->block];
                    run->fault = Fault{consensus_.rule_name(failed->rule), view.height,
                                       hash_of(view), "the proof does not hold", false};
                }
            }
            finish(run);
        });
    });
}

std::unique_ptr<CheckSet> Pipeline::take_checks() {
    const std::scoped_lock lock(spare_mutex_);
    if (spare_.empty()) {
        return std::make_unique<CheckSet>();
    }
    auto out = std::move(spare_.back());
    spare_.pop_back();
    return out;
}

void Pipeline::give_back(std::vector<std::unique_ptr<CheckSet>>& checks) {
    for (auto& set : checks) {
        set->clear();
    }
    const std::scoped_lock lock(spare_mutex_);
    while (!checks.empty() && spare_.size() < kSpareCheckSets) {
        spare_.push_back(std::move(checks.back()));
        checks.pop_back();
    }
    checks.clear();
}

std::expected<Piece, Fault> Pipeline::read(const SharedBytes& bytes, std::size_t count,
                                           std::uint64_t from) const {
    const auto room = std::min<std::size_t>(count + 1, bytes.view.size() / kMinItemBytes + 1);
    auto decoded = consensus_.decode(SYNOD_FORM_BLOCKS, bytes.view, room, from);
    if (!decoded) {
        return std::unexpected(unreadable(decoded.error(), from));
    }
    if (decoded->consumed != bytes.view.size()) {
        return std::unexpected(Fault{"malformed", from, {}, "bytes left over after the last block", false});
    }
    return Piece{bytes, std::make_shared<const std::vector<HeaderView>>(std::move(decoded->views))};
}

void Pipeline::submit(ReadJob job) {
    {
        const std::scoped_lock lock(reads_mutex_);
        ++reads_;
    }
    pool_.post([this, shared = std::make_shared<ReadJob>(std::move(job))] {
        auto piece = read(shared->bytes, shared->count, shared->from);
        if (piece && piece->views->size() != shared->count) {
            piece = std::unexpected(Fault{"count", shared->from, {}, "not as many blocks as it says", false});
        }
        deliver_([shared, piece = std::move(piece)]() mutable { shared->done(std::move(piece)); });
        const std::scoped_lock lock(reads_mutex_);
        if (--reads_ == 0) {
            no_reads_.notify_all();
        }
    });
}

void Pipeline::drain_reads() {
    std::unique_lock lock(reads_mutex_);
    no_reads_.wait(lock, [this] { return reads_ == 0; });
}

void Pipeline::read_all(const std::shared_ptr<Running>& run) {
    auto& job = run->job;
    run->blocks.reserve(job.count);
    auto parent = job.parent;
    auto height = job.from;
    for (auto& piece : job.pieces) {
        if (piece.views == nullptr) {
            auto done = read(piece.bytes, job.count - run->blocks.size(), height);
            if (!done) {
                run->fault = std::move(done.error());
                return;
            }
            piece = std::move(*done);
        }
        for (const auto& view : *piece.views) {
            if (view.height != height || parent_of(view) != parent) {
                run->fault = Fault{view.height != height ? "height" : "parent-link", height,
                                   hash_of(view), "the run is not one chain", false};
                return;
            }
            parent = hash_of(view);
            ++height;
            run->blocks.push_back({view, piece.bytes.slice(view.offset, view.length)});
        }
    }
    if (run->blocks.size() != job.count) {
        run->fault = Fault{"count", height, {}, "not as many blocks as were asked for", false};
    } else if (!job.expected_end.is_zero() && parent != job.expected_end) {
        run->fault = Fault{"range-end", height - 1, parent,
                           "the run does not lead to the verified header", false};
    } else if (const auto ahead = std::ranges::find_if(run->blocks, [&](const ProvenBlock& b) {
                   return b.view.slot > job.max_slot;
               });
               ahead != run->blocks.end()) {
        // By our clock, and hashes led here: it may be the clock that is wrong, so nobody is blamed.
        run->fault = Fault{"slot-future", ahead->view.height, hash_of(ahead->view), "by our clock",
                           !SYNOD_PLANTED("future_ranges_blamed")};
    }
}

void Pipeline::plan(const std::shared_ptr<Running>& run) {
    const bool sequence = run->job.sequence;
    if (run->fault) {
        if (sequence) {
            speculative_.reset();
        }
        return;
    }
    if (speculative_generation_ != run->generation) {
        speculative_.reset();
        speculative_generation_ = run->generation;
    }
    auto base = run->job.base ? run->job.base
                : speculative_hash_ == run->job.parent ? speculative_
                                                       : State{};
    if (!base && run->job.derive) {
        base = run->job.derive();
    }
    if (sequence) {
        speculative_.reset();
    }
    if (!base) {
        run->fault = Fault{"superseded", run->job.from, {}, "what it stood on was discarded", true};
        return;
    }
    auto forked = consensus_.fork(base);
    if (!forked) {
        run->fault = own_fault(forked.error());
        return;
    }
    synod_plan_options options{};
    options.level = run->job.level;
    options.max_slot = run->job.max_slot;
    std::size_t first = 0;
    for (std::size_t i = 0; i < run->job.pieces.size(); ++i) {
        const auto& [bytes, views] = run->job.pieces[i];
        options.vouched = vouched_of(run->job, first, views->size());
        run->checks.push_back(take_checks());
        auto planned = consensus_.plan(*forked, bytes.view, *views, options, *run->checks.back());
        if (!planned) {
            run->fault = fault_of(planned.error(), std::span(run->blocks).subspan(first));
            return;
        }
        first += views->size();
    }
    auto weight = consensus_.weigh(*forked);
    if (!weight) {
        run->fault = own_fault(weight.error());
        return;
    }
    run->weight = *weight;
    run->state = *forked;
    if (sequence) {
        speculative_ = *forked;
        speculative_hash_ = hash_of(run->blocks.back().view);
    }
}

void Pipeline::finish(const std::shared_ptr<Running>& run) {
    give_back(run->checks);
    deliver_([run] {
        if (run->fault) {
            run->job.done(std::unexpected(*run->fault));
        } else {
            run->job.done(ChainSegment{std::move(run->blocks), run->state, run->weight});
        }
    });
}

void Pipeline::submit(HeadersJob job) {
    auto shared = std::make_shared<HeadersJob>(std::move(job));
    auto checks = std::make_shared<CheckSet>();
    auto views = std::make_shared<std::vector<HeaderView>>();
    auto fault = std::make_shared<std::optional<Fault>>();
    plan_strand_->post([this, shared, checks, views, fault] {
        const auto refuse = [&](std::string rule, std::string detail, bool own = false) {
            *fault = Fault{std::move(rule), shared->parent.height + 1, {}, std::move(detail), own};
        };
        auto decoded = consensus_.decode(SYNOD_FORM_HEADERS, shared->run.view, shared->count,
                                         shared->parent.height + 1);
        if (!decoded) {
            *fault = unreadable(decoded.error(), shared->parent.height + 1);
        } else if (decoded->views.size() != shared->count ||
                   decoded->consumed != shared->run.view.size() || decoded->views.empty()) {
            refuse("malformed", "not as many headers as it says");
        } else {
            *views = std::move(decoded->views);
            synod_plan_options options{};
            options.level = SYNOD_LEVEL_FULL;
            options.max_slot = ~0ULL;  // looked at once the proof holds
            auto planned = consensus_.plan_headers(shared->state, shared->parent, shared->run.view,
                                                   *views, options);
            auto proof = planned ? consensus_.check_head(shared->state, shared->proof.view, *checks)
                                 : Outcome<HeaderView>(HeaderView{});
            if (!planned) {
                refuse(planned.error().refusal ? planned.error().refusal->name : "internal",
                       planned.error().error.text(), !planned.error().refusal);
                (*fault)->not_yet = planned.error().refusal && planned.error().refusal->not_yet;
            } else if (!proof && !proof.error().refusal) {
                *fault = unreadable(proof.error().error, shared->parent.height + 1);
            } else if (!proof) {
                refuse(proof.error().refusal->name, proof.error().error.text());
                (*fault)->not_yet = proof.error().refusal->not_yet;
            } else if (hash_of(*proof) != hash_of(views->back())) {
                refuse("head-proof", "it certifies another header than the last of the reply");
            }
        }
        prove_strand_->post([this, shared, checks, views, fault] {
            if (!*fault && checks->size() > 0) {
                if (auto proven = prover_(*checks); !proven) {
                    *fault = own_fault(proven.error());
                } else if (const auto failed = checks->first_failure()) {
                    *fault = Fault{consensus_.rule_name(failed->rule), views->back().height,
                                   hash_of(views->back()), "the proof does not hold", false};
                } else if (views->back().slot > shared->max_slot) {
                    // A quorum certified it: it is our clock that is wrong.
                    *fault = Fault{"slot-future", views->back().height, hash_of(views->back()), "by our clock", true};
                }
            }
            deliver_([shared, views, fault] {
                if (*fault) {
                    shared->done(std::unexpected(**fault));
                } else {
                    shared->done(std::move(*views));
                }
            });
        });
    });
}

void Pipeline::submit(ProofJob job) {
    auto shared = std::make_shared<ProofJob>(std::move(job));
    auto checks = std::make_shared<CheckSet>();
    plan_strand_->post([this, shared, checks] {
        auto proof = std::make_shared<Outcome<HeaderView>>(
            consensus_.check_head(shared->state, shared->proof.view, *checks));
        prove_strand_->post([this, shared, checks, proof] {
            std::optional<Fault> fault;
            if (!*proof) {
                const auto& refusal = proof->error().refusal;
                fault = refusal ? Fault{refusal->name, 0, {}, proof->error().error.text(), false, refusal->not_yet}
                                : unreadable(proof->error().error, 0);
            } else if (auto proven = prover_(*checks); !proven) {
                fault = own_fault(proven.error());
            } else if (const auto failed = checks->first_failure()) {
                fault = Fault{consensus_.rule_name(failed->rule), (*proof)->height,
                              hash_of(**proof), "the proof does not hold", false};
            }
            deliver_([shared, proof, fault] {
                if (fault) {
                    shared->done(std::unexpected(*fault));
                } else {
                    shared->done(**proof);
                }
            });
        });
    });
}

void Pipeline::on_consensus(std::function<void()> work, std::function<void()> done) {
    plan_strand_->post([this, work = std::move(work), done = std::move(done)] {
        work();
        if (done) {
            deliver_(done);
        }
    });
}

void Pipeline::on_consensus_and_wait(const std::function<void()>& work) {
    plan_strand_->post_and_wait(work);
}

void Pipeline::prove(std::shared_ptr<CheckSet> checks,
                     std::function<void(Result<std::optional<FailedCheck>>)> done) {
    prove_strand_->post([this, checks = std::move(checks), done = std::move(done)] {
        Result<std::optional<FailedCheck>> answer;
        if (auto proven = prover_(*checks); !proven) {
            answer = std::unexpected(proven.error());
        } else {
            answer = checks->first_failure();
        }
        deliver_([done, answer] { done(answer); });
    });
}

}  // namespace synod::pipeline
