// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "core/app/devnet/layout.hpp"

namespace synod::app::devnet {

namespace {

//! A JSON string is a YAML string too, whatever is in it.
std::string quoted(const std::string& text) {
    return boost::json::serialize(boost::json::string(text));
}

}  // namespace

std::string manifest_text(const NodeFiles& self, const std::vector<NodeFiles>& all,
                          const std::filesystem::path& genesis, const std::string& validation) {
    std::string out =
        "# " + self.name +
        " of a devnet on one machine. The federation's keys are public: for tests only\n";
    out += "node:\n";
    out += "  name: " + self.name + "\n";
    out += "  data_dir: data\n";
    out += "  genesis: " + quoted(genesis.lexically_proximate(self.folder).string()) + "\n";
    out += std::string("  ") + (self.authority ? "authority_key" : "identity_key") + ": node.key\n";
    out += "network:\n";
    out += "  listen: \"127.0.0.1:" + std::to_string(self.port) + "\"\n";
    std::string peers;
    for (const auto& other : all) {
        if (other.authority && other.name != self.name) {
            peers += "    - address: \"127.0.0.1:" + std::to_string(other.port) + "\"\n";
            peers += "      identity: \"" + to_hex(other.identity.view()) + "\"\n";
        }
    }
    out += peers.empty() ? std::string("  peers: []\n") : "  peers:\n" + peers;
    out += "control:\n";
    out += "  listen: \"127.0.0.1:0\"   # the port is in data/control.json\n";
    out += "performance:\n";
    out += "  validation_workers: 0    # one a core: all nodes share this machine\n";
    out += "plugins:\n";
    out += "  validation: " + quoted(validation) + "\n";
    return out;
}

}  // namespace synod::app::devnet
