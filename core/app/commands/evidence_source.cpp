// SPDX-License-Identifier: Apache-2.0
#include "core/app/commands/evidence_source.hpp"

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "core/app/commands/asking.hpp"
#include "core/app/commands/shown.hpp"
#include "core/base/bytes.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxEvidenceText = 64u << 10;  // bytes of a file

Result<NamedEvidence> from_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kMaxEvidenceText, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    text.erase(text.find_last_not_of(" \r\n") + 1);
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    NamedEvidence out{text, {}};
    if (const auto* object = error ? nullptr : value.if_object(); object != nullptr) {
        out = {text_member(*object, "bytes"), text_member(*object, "author")};
    }
    if (const auto bytes = from_hex(out.bytes); !bytes || bytes->empty()) {
        return fail("evidence.file", "it holds no evidence", file, "`synod evidence show --json` prints some");
    }
    return out;
}

}  // namespace

Result<NamedEvidence> evidence_from(const std::string& node, const std::string& what) {
    std::error_code none;
    if (std::filesystem::is_regular_file(what, none)) {
        return from_file(what);
    }
    auto shown = ask_node(node, "evidence.show", {{"id", what}});
    if (!shown) {
        return std::unexpected(shown.error());
    }
    const auto* object = shown->if_object();
    return object == nullptr ? NamedEvidence{}
                             : NamedEvidence{text_member(*object, "bytes"), text_member(*object, "author")};
}

}  // namespace synod::app
