// SPDX-License-Identifier: Apache-2.0
#include "core/sim/miner.hpp"

#include <boost/json.hpp>

namespace synod::sim {

namespace json = boost::json;

namespace {

const Bytes kPayout(20, 0x50);

}  // namespace

Miner::Miner(Events& events, Random random, BlockCheck& check, Duration every, std::function<Host*()> someone,
             std::function<void(const std::string&)> note)
    : events_(events),
      random_(random),
      check_(check),
      every_(every),
      someone_(std::move(someone)),
      note_(std::move(note)) {}

void Miner::begin() {
    events_.after(random_.between(every_ / 2, every_ + every_ / 2), [this] { next(); });
}

void Miner::next() {
    if (auto* host = rests_ ? nullptr : someone_()) {
        ask(*host);
    }
    begin();
}

void Miner::ask(Host& host) {
    host.with_node([this, &host](app::Node& node) {
        if (!node.gives_work()) {
            return;
        }
        node.mining().give(kPayout, [this, &host](const Result<app::GivenWork>& work) {
            if (!work) {
                note_(host.plan().name + " gives no work: " + work.error().text());
                return;
            }
            events_.after(random_.between(kWorkAtLeast, kWorkAtMost),
                          [this, &host, work = *work] { solve(host, work); });
        });
    });
}

void Miner::solve(Host& host, const app::GivenWork& work) {
    if (rests_) {
        return;
    }
    auto made = check_.call("record.mine", json::serialize(json::object{{"bundle", to_hex(work.task)},
                                                                        {"seed", random_.next() >> 40U},
                                                                        {"time", work.given / 1'000}}));
    boost::system::error_code error;
    const auto value = made ? json::parse(*made, error) : json::value();
    const auto* object = value.if_object();
    auto proof = object == nullptr ? std::nullopt : from_hex(std::string(object->at("auxpow").as_string()));
    if (!proof) {
        note_("no proof for the work of " + host.plan().name + ": " + (made ? *made : made.error().text()));
        return;
    }
    host.with_node([this, &host, hash = work.hash, proof = std::move(*proof)](app::Node& node) {
        node.mining().submit(hash, proof, [this, &host](const Result<void>& done) {
            ++(done ? accepted_ : refused_[done.error().code]);
            note_(host.plan().name + (done ? " takes a proof of work" : " refuses a proof: " + done.error().text()));
        });
    });
}

}  // namespace synod::sim
