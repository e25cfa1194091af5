// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/peer_ranker.hpp"

#include <synod/scoring.h>

#include <algorithm>
#include <cmath>

#include "core/host/guard.hpp"

namespace synod::app {

namespace {

constexpr double kQ32 = 4294967296.0;  // 1.0 in Q32.32
//! A score at or below zero still gets asked now and then: nobody is starved for ever.
constexpr double kLeastWeight = 0.01;

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
    std::string problem;
    std::unordered_map<PublicKey, Score> scores;
    Weights weights;
};

struct PeerRanker::Question {
    std::vector<RankedPeer> peers;
    std::vector<peers::PeerMetrics> rows;
    std::vector<Score> scores;
    std::string problem;
};

PeerRanker::PeerRanker(host::Instance* scoring, OnStrand on_strand, Deliver deliver, Weights weights)
    : on_strand_(std::move(on_strand)),
      deliver_(std::move(deliver)),
      scoring_(scoring),
      shared_(std::make_shared<Shared>()) {
    shared_->weights = std::move(weights);
}

PeerRanker::~PeerRanker() { shared_->weights = {}; }

peers::Performance& PeerRanker::of(const PublicKey& identity) {
    if (measured_.size() >= kMaxMeasured && !measured_.contains(identity)) {
        measured_.erase(measured_.begin());
    }
    return measured_[identity];
}

bool PeerRanker::due(Instant now) const {
    return scoring_ != nullptr && !shared_->open && now >= next_;
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
    question->peers = std::move(connected);
    shared_->open = true;
    on_strand_([question, scoring = scoring_, shared = shared_, deliver = deliver_] {
        answer(*question, *scoring);
        deliver([question, shared] {
            shared->open = false;
            shared->problem = question->problem;
            if (!shared->weights || !question->problem.empty()) {
                return;
            }
            shared->scores.clear();
            std::vector<std::pair<sync::PeerId, double>> weights;
            for (std::size_t i = 0; i < question->peers.size(); ++i) {
                weights.emplace_back(question->peers[i].id,
                                     std::max(kLeastWeight, question->scores[i].value));
                shared->scores[question->peers[i].identity] = std::move(question->scores[i]);
            }
            shared->weights(std::move(weights));
        });
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
    if (auto done = host::call<&synod_scoring_api::score>(scoring, "scoring.score",
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
