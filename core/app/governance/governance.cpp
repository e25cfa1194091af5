// SPDX-License-Identifier: Apache-2.0
#include "core/app/governance/governance.hpp"

#include <boost/json.hpp>

#include "core/app/rule_code.hpp"
#include "core/base/codec.hpp"

namespace synod::app {

using pipeline::CheckSet;

namespace {

namespace json = boost::json;

//! Of its records in the store, and of the codes of its errors.
constexpr const char* kArea = "governance";
const Bytes kWaitingKey{'w', 'a', 'i', 't', 'i', 'n', 'g'};

//! Rules that whatever chain and height can't excuse: who passes such an event on didn't look at it.
bool never_holds(const std::string& rule) {
    return rule == "event-shape" || rule == "event-network" || rule == "event-signature" || rule == "event-evidence";
}

}  // namespace

//! One event on its way through the checks.
struct Governance::Arrived {
    std::uint64_t peer = 0;  //!< 0: an operator's, or one that waited here
    Bytes event;
    std::function<void(Result<void>)> done;
    pipeline::State state;
    std::shared_ptr<CheckSet> checks = std::make_shared<CheckSet>();
    synod_governance_event what{};
    std::string rule;
    bool not_yet = false;
    std::optional<Error> error;
};

Governance::Governance(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links,
                       std::uint64_t seed, Listener listener)
    : keeper_(keeper),
      pipeline_(pipeline),
      links_(links),
      listener_(std::move(listener)),
      repair_(seed) {}

void Governance::restore() {
    buffer_.carried(keeper_.head_weight().governance_sequence);
    auto waiting = keeper_.store().get_record(kArea, kWaitingKey);
    if (!waiting || !*waiting) {
        return;
    }
    Reader in(**waiting);
    while (in.left() > 0) {
        const auto event = in.blob(SYNOD_EVENT_MAX);
        if (event.empty()) {
            listener_.problem({"governance.record_damaged", "the waiting events can't be read", kArea, {}});
            return;
        }
        auto arrived = std::make_shared<Arrived>();
        arrived->event.assign(event.begin(), event.end());
        take(std::move(arrived));
    }
}

void Governance::submit(Bytes event, std::function<void(Result<void>)> done) {
    auto arrived = std::make_shared<Arrived>();
    arrived->event = std::move(event);
    arrived->done = std::move(done);
    take(std::move(arrived));
}

void Governance::on_event(std::uint64_t peer, const SharedBytes& bytes) {
    if (!seen_.first_time(bytes.view)) {
        return;
    }
    auto arrived = std::make_shared<Arrived>();
    arrived->peer = peer;
    arrived->event.assign(bytes.view.begin(), bytes.view.end());
    take(std::move(arrived));
}

void Governance::take(std::shared_ptr<Arrived> arrived) {
    if (queue_.size() >= kMaxQueuedEvents) {
        arrived->error = Error{"governance.busy", "too many events are being checked", "event", "send it again"};
        refused(arrived);
        return;
    }
    queue_.push_back(std::move(arrived));
    pump();
}

void Governance::pump() {
    if (busy_ || queue_.empty()) {
        return;
    }
    const auto arrived = queue_.front();
    queue_.pop_front();
    arrived->state = keeper_.head_state();
    if (!arrived->state) {
        arrived->error = Error{"governance.busy", "the chain is being loaded", "node", "send it again"};
        refused(arrived);
        return;
    }
    busy_ = true;
    follow_head();  // what the state has must not be put before the event once more
    pipeline_.on_consensus(
        [this, arrived, before = buffer_.run()] {
            auto judged = pipeline_.consensus().check_event(arrived->state, before, arrived->event,
                                                            arrived->what, *arrived->checks);
            if (!judged) {
                const auto& why = judged.error();
                arrived->rule = why.refusal ? why.refusal->name : "";
                arrived->not_yet = why.refusal && why.refusal->not_yet;
                arrived->error = why.refusal ? Error{rule_code(kArea, arrived->rule), why.refusal->detail, "event", {}}
                                             : why.error;
            }
        },
        [this, arrived] {
            if (arrived->error) {
                busy_ = false;
                judged(arrived);
                pump();
                return;
            }
            pipeline_.prove(arrived->checks, [this, arrived](auto answer) {
                busy_ = false;
                if (!answer) {
                    arrived->error = answer.error();
                } else if (*answer) {
                    arrived->rule = pipeline_.consensus().rule_name((*answer)->rule);
                    arrived->error = Error{rule_code(kArea, arrived->rule), "a signature does not hold", "event", {}};
                }
                judged(arrived);
                pump();
            });
        });
}

void Governance::judged(const std::shared_ptr<Arrived>& arrived) {
    const auto sequence = arrived->what.sequence;
    if (arrived->not_yet) {
        if (buffer_.hold(sequence, arrived->event) == EventBuffer::Kept::full) {
            arrived->error = Error{"governance.full", "too many events wait for those before them", "event",
                                   "send it again later"};
        } else {
            arrived->error = Error{"governance.gap",
                                   "event " + std::to_string(buffer_.next()) + " and those up to this one are missing",
                                   "event", "they are asked for; it is kept until then"};
        }
        refused(arrived);
        return;
    }
    if (arrived->error) {
        refused(arrived);
        return;
    }
    if (sequence != buffer_.next()) {  // the chain moved while it was judged
        take(arrived);
        return;
    }
    if (buffer_.append(arrived->event) == EventBuffer::Kept::full) {
        arrived->error = Error{"governance.full", "too many events wait for a block", "event", "send it again later"};
        refused(arrived);
        return;
    }
    seen_.first_time(arrived->event);
    repair_.progressed();
    for (auto& [id, peer] : peers_) {
        peer.asked = 0;
    }
    keep_waiting();
    ++accepted_;
    listener_.note("governance event " + std::to_string(sequence) + ", effective at height " +
                   std::to_string(arrived->what.effective) + ", waits for a block");
    links_.broadcast(net::Gossip{kGossipEvent, SharedBytes(arrived->event)}, arrived->peer);
    if (arrived->done) {
        arrived->done({});
    }
    if (auto early = buffer_.take_next()) {
        auto next = std::make_shared<Arrived>();
        next->event = std::move(*early);
        take(std::move(next));
    }
}

void Governance::refused(const std::shared_ptr<Arrived>& arrived) {
    const auto& why = *arrived->error;
    const bool kept = why.code == "governance.gap";
    const bool known = arrived->rule == "event-sequence" && !arrived->not_yet;  // carried, or waiting already
    if (!kept && !known) {
        ++refused_;
        overflowed_ += why.code == "governance.full" || why.code == "governance.busy" ? 1 : 0;
        listener_.note("governance event refused: " + why.text());
    }
    if (arrived->peer != 0 && never_holds(arrived->rule)) {
        listener_.misbehaved(arrived->peer, {arrived->rule, 0, {}, why.message, false});
    } else if (!known && !kept) {
        seen_.forget(arrived->event);
    }
    if (arrived->done) {
        arrived->done(std::unexpected(why));
    }
}

void Governance::keep_waiting() {
    synod::Writer out;
    for (const auto& event : buffer_.kept()) {
        out.blob(event);
    }
    listener_.keep({kArea, kWaitingKey, out.take()});
}

void Governance::on_proven(const pipeline::ChainSegment& segment) {
    for (const auto& block : segment.blocks) {
        if ((block.view.flags & SYNOD_VIEW_HAS_EVENTS) != 0) {
            note_events(block);
        }
    }
}

void Governance::note_events(const pipeline::ProvenBlock& block) {
    struct Found {
        std::vector<Bytes> events;
        std::uint64_t last = 0;
        std::optional<Error> error;
    };
    auto found = std::make_shared<Found>();
    pipeline_.on_consensus(
        [this, bytes = block.bytes, found] {
            auto text = pipeline_.consensus().explain_block(bytes.view);
            boost::system::error_code wrong;
            const auto value = text ? json::parse(*text, wrong) : json::value{};
            const auto* object = value.if_object();
            const auto* events = object == nullptr ? nullptr : object->if_contains("governance_events");
            if (!text || events == nullptr || !events->is_array()) {
                found->error = text ? Error{"plugin.misbehaving", "no list of governance events", "explain", {}}
                                    : text.error();
                return;
            }
            for (const auto& item : events->as_array()) {
                const auto* event = item.if_object();
                const auto* hex = event == nullptr ? nullptr : event->if_contains("event");
                const auto* number = event == nullptr ? nullptr : event->if_contains("sequence");
                auto raw = hex == nullptr || !hex->is_string() ? std::nullopt : from_hex(std::string(hex->as_string()));
                if (raw && number != nullptr && number->is_number()) {
                    found->events.push_back(synod::Writer().put(number->to_number<std::uint64_t>()).raw(*raw).take());
                }
            }
        },
        [this, found, height = block.view.height, hash = Hash::copy(block.view.hash)] {
            if (found->error) {
                listener_.problem(*found->error);
                return;
            }
            for (const auto& event : found->events) {
                Reader in(event);
                LoggedEvent logged{in.get<std::uint64_t>(), height, hash, {}};
                const auto bytes = in.raw(in.left());
                logged.event.assign(bytes.begin(), bytes.end());
                listener_.keep(event_record(logged));
            }
        });
}

void Governance::follow_head() {
    const auto& weight = keeper_.head_weight();
    if (weight.governance_sequence != buffer_.carried()) {
        buffer_.carried(weight.governance_sequence);
        keep_waiting();
    }
}

void Governance::settle() {
    follow_head();
    if (auto early = buffer_.take_next()) {
        auto next = std::make_shared<Arrived>();
        next->event = std::move(*early);
        take(std::move(next));
    }
    const auto head = keeper_.tree().head().hash;
    const auto state = keeper_.head_state();
    if (buffer_.run().empty() || head == judged_at_ || rejudging_ || !state) {
        return;
    }
    // Time passes for them too: the height that one names may be too near now, or its signers gone. Their
    // signatures were proven when they came.
    rejudging_ = true;
    judged_at_ = head;
    struct Judged {
        std::vector<Bytes> run;
        std::size_t holds = 0;
        std::string why;
    };
    auto judged = std::make_shared<Judged>();
    judged->run = buffer_.run();
    pipeline_.on_consensus(
        [this, state, judged] {
            std::vector<Bytes> before;
            for (const auto& event : judged->run) {
                CheckSet proven_before;
                synod_governance_event what{};
                auto done = pipeline_.consensus().check_event(state, before, event, what, proven_before);
                if (!done) {
                    judged->why = done.error().error.text();
                    return;
                }
                before.push_back(event);
                ++judged->holds;
            }
        },
        [this, judged] {
            rejudging_ = false;
            if (judged->holds == judged->run.size() || buffer_.run() != judged->run) {
                return;
            }
            const auto gone = buffer_.cut(judged->holds);
            refused_ += gone;
            listener_.note(std::to_string(gone) + " waiting governance events can't be carried any more: " +
                           judged->why);
            keep_waiting();
        });
}

GovernanceStatus Governance::status() const {
    GovernanceStatus out;
    out.sequence = buffer_.carried();
    out.known = buffer_.next() - 1;
    out.waiting = buffer_.run().size();
    out.early = buffer_.early();
    out.missing_from = buffer_.gap() || whom_to_ask() ? buffer_.next() : 0;
    out.healthy = out.missing_from == 0 && heard_at_ && now_ - *heard_at_ <= kStreamSilence;
    out.halted = keeper_.info().halted != 0;
    out.accepted = accepted_;
    out.refused = refused_;
    out.overflowed = overflowed_;
    return out;
}

Result<std::vector<LoggedEvent>> Governance::log(std::uint64_t from, std::size_t count) const {
    return read_event_log(keeper_.store(), from, count, [this](std::uint64_t height) { return keeper_.hash_at(height); });
}

void Governance::explain(std::vector<Bytes> events,
                         std::function<void(Result<std::vector<std::string>>)> done) const {
    auto out = std::make_shared<Result<std::vector<std::string>>>(std::vector<std::string>{});
    pipeline_.on_consensus(
        [this, events = std::move(events), out] {
            for (const auto& event : events) {
                auto text = pipeline_.consensus().call({}, "governance.explain",
                                                       R"({"event":")" + to_hex(event) + "\"}");
                if (!text) {
                    *out = std::unexpected(text.error());
                    return;
                }
                (*out)->push_back(std::move(*text));
            }
        },
        [out, done = std::move(done)] { done(std::move(*out)); });
}

void Governance::describe(std::function<void(Result<std::string>)> done) const {
    const auto state = keeper_.head_state();
    if (!state) {
        done(fail("governance.busy", "the chain is being loaded", "node", "ask again"));
        return;
    }
    auto out = std::make_shared<Result<std::string>>();
    pipeline_.on_consensus([this, state, out] { *out = pipeline_.consensus().explain_state(state); },
                           [out, done = std::move(done)] { done(std::move(*out)); });
}

}  // namespace synod::app
