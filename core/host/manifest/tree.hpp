// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Strict YAML as a tree in which every node knows its line and column. Pure, any thread. It refuses
//! what YAML makes easy to get wrong: duplicate keys, several documents, anchors and aliases, octal
//! numbers, yes/no/on/off as plain words.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace synod::host {

inline constexpr std::size_t kMaxManifestBytes = 1 << 20;
inline constexpr std::size_t kMaxManifestNodes = 100'000;
inline constexpr int kMaxManifestDepth = 32;
inline constexpr std::size_t kMaxProblems = 20;  // reported at once

struct Node {
    enum class Kind : std::uint8_t { kNull, kBool, kInteger, kNumber, kString, kSequence, kMap };
    Kind kind = Kind::kNull;
    int line = 1, column = 1;    //!< from 1
    std::string text;            //!< a scalar as written
    std::int64_t integer = 0;    //!< kInteger; kBool: 0 or 1
    double number = 0;           //!< kNumber
    std::vector<Node> items;     //!< of a sequence, or the values of a map
    std::vector<Node> keys;      //!< of a map, one an item
    [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Document {
    std::string file;
    std::vector<std::string> lines;
    Node root;
};

struct Problem {
    std::string code;  //!< "config.unknown_key"
    int line = 1, column = 1;
    std::string message, help;
};

//! "file:line:col: error[code]: message", the source line, a caret, the help.
std::string render(const Document& document, const Problem& problem);

//! On failure the Error's message is the rendered problem; its code is the problem's.
Result<Document> parse_yaml(std::string_view text, std::string file);

//! The option closest to `word` by edit distance, or "" when none is close.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& options);

}  // namespace synod::host
