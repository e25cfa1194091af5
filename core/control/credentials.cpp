// SPDX-License-Identifier: Apache-2.0
#include "core/control/credentials.hpp"

#include <sodium.h>

#include <algorithm>
#include <cctype>

namespace synod::control {

namespace {

constexpr std::size_t kMaxCredentialBytes = 1024;  // of base64 text

//! What follows the scheme's name and one space.
std::optional<std::string_view> after(std::string_view header, std::string_view scheme) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    if (header.size() <= scheme.size() + 1 || header[scheme.size()] != ' ' ||
        !std::ranges::equal(header.substr(0, scheme.size()), scheme, same)) {
        return std::nullopt;
    }
    return header.substr(scheme.size() + 1);
}

}  // namespace

std::optional<std::string> bearer_secret(std::string_view header) {
    const auto secret = after(header, "Bearer");
    return secret ? std::optional<std::string>(*secret) : std::nullopt;
}

std::optional<std::string> pool_secret(std::string_view header) {
    if (auto secret = bearer_secret(header)) {
        return secret;
    }
    const auto text = after(header, "Basic");
    if (!text || text->size() > kMaxCredentialBytes) {
        return std::nullopt;
    }
    std::string plain(text->size(), '\0');
    std::size_t length = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(plain.data()), plain.size(), text->data(),
                          text->size(), nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
        return std::nullopt;
    }
    plain.resize(length);
    const auto colon = plain.find(':');
    return colon == std::string::npos ? std::nullopt : std::optional(plain.substr(colon + 1));
}

}  // namespace synod::control
