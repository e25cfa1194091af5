// SPDX-License-Identifier: Apache-2.0
#pragma once
//! JSON for people. A plain value; any thread.
#include <cstdint>
#include <string>
#include <string_view>

namespace synod::federation {

/// Writes one flat JSON object; texts are our own or hex, except names, which are escaped.
class Json {
public:
    Json& text(std::string_view key, std::string_view value) {
        name(key);
        out_ += '"';
        for (const char c : value) {
            if (c == '"' || c == '\\') {
                out_ += '\\';
            }
            out_ += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
        out_ += '"';
        return *this;
    }
    Json& number(std::string_view key, uint64_t value) { return raw(key, std::to_string(value)); }
    Json& raw(std::string_view key, std::string_view json) {
        name(key);
        out_ += json;
        return *this;
    }
    std::string end() { return out_ + "}"; }

private:
    void name(std::string_view key) {
        out_ += out_.size() > 1 ? ",\"" : "\"";
        out_ += key;
        out_ += "\":";
    }
    std::string out_ = "{";
};

} // namespace synod::federation
