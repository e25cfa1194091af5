// SPDX-License-Identifier: Apache-2.0
#include "core/host/manifest/tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <sstream>

namespace synod::host {
namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

//! Types a plain scalar; throws a Problem for what people and YAML versions read differently.
void type_scalar(Node& node) {
    const std::string& t = node.text;
    if (is_one_of(t, {"", "~", "null"})) {
        node.kind = Node::Kind::kNull;
        return;
    }
    if (t == "true" || t == "false") {
        node.kind = Node::Kind::kBool;
        node.integer = t == "true" ? 1 : 0;
        return;
    }
    std::string lower = t;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (is_one_of(lower, {"yes", "no", "on", "off", "y", "n", "true", "false"})) {
        throw Problem{"config.ambiguous", node.line, node.column,
                      "`" + t + "` is a boolean to some readers and text to others",
                      "write true or false, or put it in quotes"};
    }
    std::string_view digits = t;
    if (digits.front() == '-' || digits.front() == '+') {
        digits.remove_prefix(1);
    }
    const bool all_digits = !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
    const bool based = digits.size() > 2 && digits[0] == '0' && (digits[1] == 'o' || digits[1] == 'x');
    if ((all_digits && digits.size() > 1 && digits[0] == '0') || based) {
        throw Problem{"config.ambiguous", node.line, node.column,
                      "`" + t + "` is octal to some readers and decimal to others",
                      "write the number in decimal, or put it in quotes"};
    }
    const char* begin = t.data() + (t.front() == '+' ? 1 : 0);
    const char* end = t.data() + t.size();
    if (all_digits) {
        const auto [at, error] = std::from_chars(begin, end, node.integer);
        if (error != std::errc{} || at != end) {
            throw Problem{"config.range", node.line, node.column, "`" + t + "` is too large",
                          "whole numbers have 64 bits"};
        }
        node.kind = Node::Kind::kInteger;
        node.number = static_cast<double>(node.integer);
        return;
    }
    const auto [at, error] = std::from_chars(begin, end, node.number);
    const bool numeric = !digits.empty() && (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'));
    node.kind = error == std::errc{} && at == end && numeric ? Node::Kind::kNumber
                                                             : Node::Kind::kString;
}

class Builder final : public YAML::EventHandler {
  public:
    Node root;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(make(mark, anchor, Node::Kind::kNull));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw Problem{"config.alias", mark.line + 1, mark.column + 1, "aliases are not read",
                      "write the value out"};
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        Node node = make(mark, anchor, Node::Kind::kString);
        node.text = value;
        if (tag == "?" || tag.empty()) {
            type_scalar(node);
        } else if (tag != "!") {
            throw Problem{"config.tag", node.line, node.column, "tags are not read", "remove it"};
        }
        add(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(make(mark, anchor, Node::Kind::kSequence));
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(make(mark, anchor, Node::Kind::kMap));
    }
    void OnMapEnd() override { close(); }

  private:
    Node make(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
        Node node;
        node.kind = kind;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        if (anchor != 0) {
            throw Problem{"config.alias", node.line, node.column, "anchors are not read",
                          "write the value out where it is needed"};
        }
        if (++count_ > kMaxManifestNodes) {
            throw Problem{"config.too_large", node.line, node.column, "the file has too many values",
                          "at most " + std::to_string(kMaxManifestNodes)};
        }
        return node;
    }
    void open(Node node) {
        if (stack_.size() >= static_cast<std::size_t>(kMaxManifestDepth)) {
            throw Problem{"config.too_deep", node.line, node.column, "values are nested too deeply",
                          "at most " + std::to_string(kMaxManifestDepth) + " levels"};
        }
        stack_.push_back(std::move(node));
    }
    void close() {
        Node node = std::move(stack_.back());
        stack_.pop_back();
        add(std::move(node));
    }
    void add(Node node) {
        if (stack_.empty()) {
            root = std::move(node);
            return;
        }
        Node& parent = stack_.back();
        if (parent.kind == Node::Kind::kSequence || parent.keys.size() > parent.items.size()) {
            parent.items.push_back(std::move(node));
            return;
        }
        if (node.kind == Node::Kind::kSequence || node.kind == Node::Kind::kMap) {
            throw Problem{"config.bad_key", node.line, node.column, "a key must be a word", ""};
        }
        for (const Node& key : parent.keys) {
            if (key.text == node.text) {
                throw Problem{"config.duplicate_key", node.line, node.column,
                              "`" + node.text + "` is written twice",
                              "it was first given on line " + std::to_string(key.line)};
            }
        }
        parent.keys.push_back(std::move(node));
    }

    std::vector<Node> stack_;
    std::size_t count_ = 0;
};

void build(std::string_view text, Document& document) {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    Builder builder;
    if (!parser.HandleNextDocument(builder)) {
        document.root.kind = Node::Kind::kNull;
        return;
    }
    document.root = std::move(builder.root);
    Builder second;
    if (parser.HandleNextDocument(second)) {
        throw Problem{"config.documents", second.root.line, second.root.column,
                      "the file has more than one document", "remove the `---` lines"};
    }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size() && i < items.size(); ++i) {
        if (keys[i].text == key) {
            return &items[i];
        }
    }
    return nullptr;
}

std::string render(const Document& document, const Problem& problem) {
    const std::string place = document.file + ":" + std::to_string(problem.line) + ":" +
                              std::to_string(problem.column);
    std::string out = place + ": error[" + problem.code + "]: " + problem.message + "\n";
    if (problem.line >= 1 && static_cast<std::size_t>(problem.line) <= document.lines.size()) {
        const std::string& line = document.lines[static_cast<std::size_t>(problem.line - 1)];
        if (line.size() <= 200) {
            const auto column = static_cast<std::size_t>(std::max(1, problem.column));
            out += "    " + line + "\n    " + std::string(column - 1, ' ') + "^\n";
        }
    }
    if (!problem.help.empty()) {
        out += "    help: " + problem.help + "\n";
    }
    return out;
}

Result<Document> parse_yaml(std::string_view text, std::string file) {
    Document document;
    document.file = std::move(file);
    if (text.size() > kMaxManifestBytes) {
        return fail("config.too_large", "the file is larger than " +
                    std::to_string(kMaxManifestBytes) + " bytes", document.file);
    }
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        document.lines.push_back(std::move(line));
    }
    Problem problem;
    try {
        build(text, document);
        return document;
    } catch (const Problem& found) {
        problem = found;
    } catch (const YAML::Exception& error) {
        problem = {"config.syntax", error.mark.line + 1, error.mark.column + 1, error.msg, ""};
    } catch (const std::exception& error) {
        problem = {"config.syntax", 1, 1, error.what(), ""};
    }
    return fail(problem.code, render(document, problem), document.file);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& options) {
    std::string best;
    std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& option : options) {
        std::vector<std::size_t> row(option.size() + 1);
        std::iota(row.begin(), row.end(), 0);
        for (std::size_t i = 1; i <= word.size() && word.size() < 128; ++i) {
            std::size_t corner = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= option.size(); ++j) {
                const std::size_t change = corner + (word[i - 1] == option[j - 1] ? 0 : 1);
                corner = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
            }
        }
        if (row.back() < least) {
            least = row.back();
            best = option;
        }
    }
    return best;
}

}  // namespace synod::host
