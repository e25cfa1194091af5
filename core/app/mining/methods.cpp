// SPDX-License-Identifier: Apache-2.0
#include "core/app/mining/methods.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "core/control/rpc.hpp"

namespace synod::app {

namespace json = boost::json;

namespace {

constexpr std::size_t kLeastPayoutBytes = 20;

//! The texts of a parameter list, of which there are at most `most`.
Result<std::vector<std::string>> texts(const std::string& params, std::size_t most) {
    boost::system::error_code error;
    const auto value = json::parse(params, error);
    std::vector<std::string> out;
    if (const auto* none = value.if_object(); !error && none != nullptr && none->empty()) {
        return out;
    }
    const auto* list = error ? nullptr : value.if_array();
    if (list == nullptr || list->size() > most) {
        return control::invalid_params("a list of at most " + std::to_string(most) + " texts is expected", "params");
    }
    for (const auto& item : *list) {
        if (!item.is_string()) {
            return control::invalid_params("a text is expected", "params");
        }
        out.emplace_back(item.as_string());
    }
    return out;
}

//! As explorers show it: the bytes in reverse.
std::string shown(const Hash& hash) {
    auto bytes = hash.data;
    std::ranges::reverse(bytes);
    return to_hex(bytes);
}

std::optional<Hash> read_shown(std::string_view text) {
    auto hash = fixed_from_hex<Hash>(text);
    if (hash) {
        std::ranges::reverse(hash->data);
    }
    return hash;
}

std::string work_json(const GivenWork& work) {
    char bits[9];
    std::snprintf(bits, sizeof bits, "%08x", work.bits);
    return json::serialize(json::object{{"hash", shown(work.hash)},
                                        {"chainid", work.chain_id},
                                        {"previousblockhash", shown(work.previous)},
                                        {"coinbasevalue", 0},
                                        {"bits", bits},
                                        {"height", work.number},
                                        {"_target", to_hex(work.target.view())}});
}

class Door : public std::enable_shared_from_this<Door> {
  public:
    explicit Door(MiningDoor door) : door_(std::move(door)) {}

    void create(Bytes payout, const control::Reply& reply) const {
        door_.post([self = shared_from_this(), payout = std::move(payout), reply] {
            if (!self->door_.synced()) {
                reply(fail("mining.not_synced", "the node has not reached the network's tip", "node",
                           "`synod status` shows how far it is"));
                return;
            }
            self->door_.mining().give(payout, [reply](const Result<GivenWork>& work) {
                reply(work ? Result<std::string>(work_json(*work)) : std::unexpected(work.error()));
            });
        });
    }
    void submit(const std::string& hash, const std::string& proof, const control::Reply& reply) const {
        const auto work = read_shown(hash);
        if (!work) {
            reply(control::invalid_params("the hash has 64 hex digits", "hash"));
            return;
        }
        auto bytes = from_hex(proof);
        if (!bytes) {
            reply(fail("mining.record_shape", "the proof is not hexadecimal", "proof"));
            return;
        }
        door_.post([self = shared_from_this(), work = *work, bytes = std::move(*bytes), reply] {
            self->door_.mining().submit(work, bytes, [reply](const Result<void>& done) {
                reply(done ? Result<std::string>("true") : std::unexpected(done.error()));
            });
        });
    }
    [[nodiscard]] const Bytes& payout() const { return door_.payout; }

  private:
    MiningDoor door_;
};

}  // namespace

Result<Bytes> read_payout(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.remove_prefix(2);
    }
    auto bytes = from_hex(text);
    if (!bytes || bytes->size() < kLeastPayoutBytes || bytes->size() > kMaxPayoutBytes) {
        return control::invalid_params("an address is 20 to 32 bytes in hex", "address");
    }
    return std::move(*bytes);
}

control::Handlers mining_methods(MiningDoor door) {
    const auto shared = std::make_shared<const Door>(std::move(door));
    control::Handlers out;
    out.methods["createauxblock"] = [shared](const std::string& params, const control::Reply& reply) {
        auto given = texts(params, 1);
        auto payout = !given          ? std::unexpected(given.error())
                      : given->empty() ? Result<Bytes>(control::invalid_params("the address is missing", "params"))
                                       : read_payout(given->front());
        if (!payout) {
            reply(std::unexpected(payout.error()));
            return;
        }
        shared->create(std::move(*payout), reply);
    };
    const auto submit = [shared](const std::vector<std::string>& given, const control::Reply& reply) {
        if (given.size() != 2) {
            reply(control::invalid_params("the hash of the work and its proof are expected", "params"));
            return;
        }
        shared->submit(given[0], given[1], reply);
    };
    out.methods["submitauxblock"] = [submit](const std::string& params, const control::Reply& reply) {
        if (auto given = texts(params, 2); given) {
            submit(*given, reply);
        } else {
            reply(std::unexpected(given.error()));
        }
    };
    out.methods["getauxblock"] = [shared, submit](const std::string& params, const control::Reply& reply) {
        auto given = texts(params, 2);
        if (!given) {
            reply(std::unexpected(given.error()));
        } else if (given->empty()) {
            shared->create(shared->payout(), reply);
        } else {
            submit(*given, reply);
        }
    };
    return out;
}

}  // namespace synod::app
