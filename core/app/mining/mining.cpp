// SPDX-License-Identifier: Apache-2.0
#include "core/app/mining/mining.hpp"

#include "core/app/rule_code.hpp"
#include "core/base/codec.hpp"

namespace synod::app {

using pipeline::CheckSet;

namespace {

const Bytes kWorkKey{'w', 'o', 'r', 'k'};
const Bytes kRecordsKey{'r', 'e', 'c', 'o', 'r', 'd', 's'};
//! Of its records in the store, and of the codes of its errors.
constexpr const char* kArea = "mining";

Error stale(std::string what) {
    return {"mining.stale", std::move(what), "work", "ask for new work"};
}

//! Rules that depend on where our own chain stands: a peer that is a block ahead or behind may send
//! what breaks them.
bool of_the_moment(const std::string& rule) {
    return rule == "record-range" || rule == "record-bits" || rule == "record-governance";
}

GivenWork given(pipeline::Consensus::Work made, Bytes payout, UnixMs now) {
    const auto& what = made.what;
    return {Hash::copy(what.hash), std::move(made.task), std::move(payout), Hash::copy(what.target),
            Hash::copy(what.previous), what.range_start, what.range_end, what.number, what.bits,
            what.chain_id, now, false};
}

}  // namespace

//! One record on its way through the checks.
struct Mining::Judged {
    pipeline::State state;
    Bytes record;
    Bytes task, proof;  //!< of a miner: the record is made of them first
    std::shared_ptr<CheckSet> checks = std::make_shared<CheckSet>();
    synod_work what{};
    std::string rule;  //!< the one that refuses it
    std::optional<Error> error;
};

Mining::Mining(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links, Listener listener)
    : keeper_(keeper), pipeline_(pipeline), links_(links), listener_(std::move(listener)) {}

void Mining::restore() {
    governance_sequence_ = keeper_.head_weight().governance_sequence;
    if (auto book = keeper_.store().get_record(kArea, kWorkKey); book && *book) {
        if (auto read = book_.decode(**book); !read) {
            listener_.problem(read.error());
        }
    }
    auto records = keeper_.store().get_record(kArea, kRecordsKey);
    if (!records || !*records) {
        return;
    }
    auto read = RecordPool::decode(**records);
    if (!read) {
        listener_.problem(read.error());
        return;
    }
    for (auto& record : *read) {
        on_record(0, SharedBytes(std::move(record)));
    }
}

void Mining::give(Bytes payout, std::function<void(Result<GivenWork>)> done) {
    const auto now = listener_.unix_now();
    book_.expire(now);
    const auto& weight = keeper_.head_weight();
    if (const auto* known = book_.current(payout, weight.final_height, weight.committed_height, now)) {
        done(*known);
        return;
    }
    const auto state = keeper_.head_state();
    auto made = std::make_shared<Result<GivenWork>>();
    pipeline_.on_consensus(
        [this, state, payout = std::move(payout), now, made] {
            auto work = pipeline_.consensus().next_work(state, payout);
            if (work) {
                *made = given(std::move(*work), payout, now);
            } else if (work.error().refusal) {
                *made = fail("mining.no_work", "nothing waits for proof of work: " + work.error().refusal->detail,
                             "work", "ask again after some slots");
            } else {
                *made = std::unexpected(work.error().error);
            }
        },
        [this, made, done = std::move(done)] {
            if (*made) {
                book_.add(**made);
                keep_work();
            }
            done(*made);
        });
}

void Mining::judge(std::shared_ptr<Judged> judged, std::function<void()> done) {
    judged->state = keeper_.head_state();
    ++in_work_;
    pipeline_.on_consensus(
        [this, judged] {
            auto& consensus = pipeline_.consensus();
            const auto refuse = [&](const pipeline::Failure& why) {
                judged->rule = why.refusal ? why.refusal->name : "";
                judged->error = why.refusal ? Error{rule_code(kArea, judged->rule), why.refusal->detail, "proof", {}}
                                            : why.error;
            };
            if (judged->record.empty()) {
                auto made = consensus.make_record(judged->task, judged->proof);
                if (!made) {
                    refuse(made.error());
                    return;
                }
                judged->record = std::move(*made);
            }
            auto what = consensus.check_record(judged->state, judged->record, *judged->checks);
            if (!what) {
                refuse(what.error());
                return;
            }
            judged->what = *what;
        },
        [this, judged, done = std::move(done)] {
            if (judged->error) {
                --in_work_;
                done();
                return;
            }
            pipeline_.prove(judged->checks, [this, judged, done](auto answer) {
                --in_work_;
                if (!answer) {
                    judged->error = answer.error();
                } else if (*answer) {
                    judged->rule = pipeline_.consensus().rule_name((*answer)->rule);
                    judged->error = Error{rule_code(kArea, judged->rule), "the parent's hash is above the target",
                                          "proof", {}};
                }
                done();
            });
        });
}

void Mining::submit(const Hash& work, Bytes proof, std::function<void(Result<void>)> done) {
    book_.expire(listener_.unix_now());
    const auto* known = book_.find(work);
    const auto refuse = [this, done](Error why) {
        ++refused_;
        done(std::unexpected(std::move(why)));
    };
    if (known == nullptr) {
        refuse({"mining.unknown_work", "no such work was given, or it expired", "hash",
                "work is good for an hour; ask for new work"});
        return;
    }
    if (known->solved) {
        refuse({"mining.duplicate", "a proof of this work was accepted before", "hash", {}});
        return;
    }
    if (known->range_start <= keeper_.head_weight().final_height) {
        refuse(stale("another proof made block " + std::to_string(known->range_start) + " final"));
        return;
    }
    if (in_work_ >= kMaxRecordsInWork) {
        refuse({"mining.busy", "too many proofs are being checked", "proof", "send it again"});
        return;
    }
    auto judged = std::make_shared<Judged>();
    judged->task = known->task;
    judged->proof = std::move(proof);
    judge(judged, [this, work, judged, refuse, done] {
        if (judged->error) {
            refuse(judged->rule == "record-range" ? stale(judged->error->message) : *judged->error);
            return;
        }
        if (const auto* again = book_.find(work); again != nullptr && again->solved) {
            refuse({"mining.duplicate", "a proof of this work was accepted before", "hash", {}});
            return;
        }
        if (pool_.reach() && judged->what.range_end <= *pool_.reach()) {
            refuse(stale("another proof up to block " + std::to_string(*pool_.reach()) +
                         " waits for the next block"));
            return;
        }
        book_.solve(work);
        keep_work();
        ++accepted_;
        accept(*judged, 0);
        done({});
    });
}

void Mining::on_record(std::uint64_t peer, const SharedBytes& bytes) {
    if (!keeper_.head_state() || in_work_ >= kMaxRecordsInWork) {
        return;
    }
    if (!seen_.first_time(bytes.view)) {
        return;
    }
    auto judged = std::make_shared<Judged>();
    judged->record.assign(bytes.view.begin(), bytes.view.end());
    judge(judged, [this, peer, judged] {
        if (!judged->error) {
            accept(*judged, peer);
        } else if (judged->rule.empty()) {
            listener_.problem(*judged->error);
        } else if (of_the_moment(judged->rule)) {
            seen_.forget(judged->record);
        } else if (peer != 0) {
            listener_.misbehaved(peer, {judged->rule, 0, {}, judged->error->message, false});
        }
    });
}

void Mining::accept(const Judged& judged, std::uint64_t from) {
    WaitingRecord record{Hash::copy(judged.what.hash), judged.what.range_start, judged.what.range_end,
                         judged.record};
    if (record.range_start <= keeper_.head_weight().final_height || !pool_.add(std::move(record))) {
        return;
    }
    seen_.first_time(judged.record);
    keep_records();
    listener_.note("a proof of work up to block " + std::to_string(judged.what.range_end) +
                   " waits for the next block");
    links_.broadcast(net::Gossip{kGossipRecord, SharedBytes(judged.record)}, from);
}

void Mining::greet(std::uint64_t peer) const {
    for (const auto& w : pool_.waiting()) {
        links_.send(peer, net::Gossip{kGossipRecord, SharedBytes(w.record)});
    }
}

void Mining::settle() {
    const auto& weight = keeper_.head_weight();
    bool changed = pool_.settle(weight.final_height);
    if (weight.governance_sequence != governance_sequence_) {
        governance_sequence_ = weight.governance_sequence;
        changed = changed || !pool_.waiting().empty();
        pool_.clear();  // what was proven names another sequence
    }
    if (changed) {
        keep_records();
    }
}

std::vector<Bytes> Mining::records() const {
    std::vector<Bytes> out;
    for (const auto& w : pool_.waiting()) {
        out.push_back(w.record);
    }
    return out;
}

std::uint64_t Mining::blocks_without_proof() const {
    const auto& weight = keeper_.head_weight();
    const auto reach = pool_.reach();
    return reach && *reach > weight.final_height && *reach <= weight.height ? weight.height - *reach
                                                                            : weight.blocks_without_pow;
}

MiningStatus Mining::status() const {
    const auto most = keeper_.info().max_blocks_without_pow;
    const auto without = keeper_.head_weight().blocks_without_pow;
    const auto stage = health::pow_stage(without, most);
    return {without, stage == health::PowStage::off ? 0 : most, stage, book_.size(),
            pool_.waiting().size(), accepted_, refused_};
}

std::optional<health::PowStage> Mining::moved_stage() {
    const auto now = status().stage;
    return std::exchange(told_, now) == now ? std::nullopt : std::optional(now);
}

void Mining::keep_work() { listener_.keep({kArea, kWorkKey, book_.encode()}); }

void Mining::keep_records() { listener_.keep({kArea, kRecordsKey, pool_.encode()}); }

}  // namespace synod::app
