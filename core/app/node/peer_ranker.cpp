// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/peer_ranker.hpp"

#include <synod/scoring.h>

#include <algorithm>
#include <cmath>

#include "core/base/q32.hpp"
#include "core/host/guard.hpp"

namespace synod::app {

namespace {

//! A score at or below zero still gets asked now and then: nobody is starved for ever.
constexpr double kLeastWeight = 0.01;
constexpr double kEqualWeight = 1;  // of everybody when nobody is scored
constexpr const char* kScore = "scoring.score";

//! Writes up to kMaxTermsBytes of the plugin's account into a string.
synod_sink terms_sink(std::string& out) {
    synod_sink sink{};
    sink.size = sizeof sink;
    sink.ctx = &out;
    sink.write = [](void* ctx, synod_bytes more) -> synod_status {
        auto& text = *static_cast<std::string*>(ctx);
        if (more.n > kMaxTermsBytes - text.size()) {
            return SYNOD_E_NO_MEMORY;
        }
        text.append(reinterpret_cast<const char*>(more.p), more.n);
        return SYNOD_OK;
    };
    return sink;
}

}  // namespace

struct PeerRanker::Shared {
    bool open = false;  // a question is
    std::uint32_t failures = 0;  // in a row
    std::string problem;
    std::unordered_map<PublicKey, Score> scores;
    Weights weights;
    Isolated isolated;

    void take(Question& question);
    void failed(const Question& question);
};

struct PeerRanker::Question {
    std::string alias;
    std::vector<RankedPeer> peers;
    std::vector<peers::PeerMetrics> rows;
    std::vector<Score> scores;
    std::string problem;
};

void PeerRanker::Shared::take(Question& question) {
    open = false;
    problem = question.problem;
    if (!weights) {
        return;
    }
    if (!problem.empty()) {
        failed(question);
        return;
    }
    failures = 0;
    scores.clear();
    std::vector<std::pair<sync::PeerId, double>> out;
    for (std::size_t i = 0; i < question.peers.size(); ++i) {
        out.emplace_back(question.peers[i].id, std::max(kLeastWeight, question.scores[i].value));
        scores[question.peers[i].identity] = std::move(question.scores[i]);
    }
    weights(std::move(out));
}

void PeerRanker::Shared::failed(const Question& question) {
    if (++failures != kFailuresToIsolate) {
        return;
    }
    scores.clear();
    std::vector<std::pair<sync::PeerId, double>> equal;
    for (const auto& peer : question.peers) {
        equal.emplace_back(peer.id, kEqualWeight);
    }
    weights(std::move(equal));
    isolated({question.alias, kScore, problem});
}

PeerRanker::PeerRanker(host::Instance* scoring, OnStrand on_strand, Deliver deliver, Weights weights,
                       Isolated isolated)
    : on_strand_(std::move(on_strand)),
      deliver_(std::move(deliver)),
      scoring_(scoring),
      shared_(std::make_shared<Shared>()) {
    shared_->weights = std::move(weights);
    shared_->isolated = std::move(isolated);
}

PeerRanker::~PeerRanker() { shared_->weights = {}; }

peers::Performance& PeerRanker::of(const PublicKey& identity) {
    if (measured_.size() >= kMaxMeasured && !measured_.contains(identity)) {
        measured_.erase(measured_.begin());
    }
    return measured_[identity];
}

bool PeerRanker::due(Instant now) const {
    return scoring_ != nullptr && shared_->failures < kFailuresToIsolate && !shared_->open && now >= next_;
}

void PeerRanker::rank(std::vector<RankedPeer> connected, Instant now) {
    if (!due(now) || connected.empty()) {
        return;
    }
    next_ = now + kRankEvery;
    auto question = std::make_shared<Question>();
    for (auto& peer : connected) {
        auto row = peer.known;
        of(peer.identity).describe(row);
        question->rows.push_back(row);
    }
    question->alias = scoring_->alias();
    question->peers = std::move(connected);
    shared_->open = true;
    on_strand_([question, scoring = scoring_, shared = shared_, deliver = deliver_] {
        answer(*question, *scoring);
        deliver([question, shared] { shared->take(*question); });
    });
}

void PeerRanker::answer(Question& question, host::Instance& scoring) {
    const auto* table = scoring.table<synod_scoring_api>();
    peers::ScoringColumns columns;
    if (auto filled = columns.fill({table->columns, table->n_columns}, question.rows); !filled) {
        question.problem = filled.error().text();
        return;
    }
    std::vector<std::int64_t> values(columns.padded_rows());
    const auto rows = static_cast<std::uint64_t>(columns.rows());
    if (auto done = host::call<&synod_scoring_api::score>(scoring, kScore,
                                                          std::uint32_t{SYNOD_NEED_BLOCKS},
                                                          columns.columns(), rows, values.data());
        !done) {
        question.problem = done.error().text();
        return;
    }
    question.scores.resize(columns.rows());
    for (std::uint64_t i = 0; i < rows; ++i) {
        question.scores[i].value = static_cast<double>(values[i]) / kQ32;
        const auto sink = terms_sink(question.scores[i].terms);
        if (!host::call<&synod_scoring_api::explain>(scoring, "scoring.explain",
                                                     std::uint32_t{SYNOD_NEED_BLOCKS},
                                                     columns.columns(), i, &sink)) {
            question.scores[i].terms.clear();  // a score without its account is still a score
        }
    }
}

std::optional<Score> PeerRanker::score(const PublicKey& identity) const {
    const auto it = shared_->scores.find(identity);
    return it == shared_->scores.end() ? std::nullopt : std::optional(it->second);
}

const std::string& PeerRanker::problem() const { return shared_->problem; }

}  // namespace synod::app
