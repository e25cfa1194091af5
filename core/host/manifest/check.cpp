// SPDX-License-Identifier: Apache-2.0
//! The schema checker: a tree with positions against a subset of JSON Schema.

#include <charconv>
#include <cmath>

#include "core/host/manifest/manifest.hpp"

namespace synod::host {
namespace {

namespace json = boost::json;
using Kind = Node::Kind;

struct Unit {
    std::string_view name;
    double factor;
};
constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
constexpr Unit kSizes[] = {{"B", 1},        {"KiB", 1024.},        {"MiB", 1048576.},
                           {"GiB", 1073741824.}, {"TiB", 1099511627776.}, {"kB", 1e3},
                           {"MB", 1e6},     {"GB", 1e9}};

template <std::size_t N>
bool with_unit(std::string_view text, const Unit (&units)[N], std::int64_t& out) {
    double value = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view rest(at, static_cast<std::size_t>(text.data() + text.size() - at));
    for (const Unit& unit : units) {
        const double scaled = value * unit.factor;
        if (error == std::errc{} && rest == unit.name && scaled >= 0 && scaled < 9e18) {
            out = static_cast<std::int64_t>(std::llround(scaled));
            return true;
        }
    }
    return false;
}

std::string str(const json::object& schema, const char* key) {
    const auto* value = schema.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

double num(const json::value& value) {
    return value.is_int64() ? static_cast<double>(value.as_int64())
           : value.is_uint64() ? static_cast<double>(value.as_uint64())
           : value.is_double() ? value.as_double() : 0.0;
}

struct Checker {
    std::vector<Problem>& problems;

    void report(const Node& node, std::string code, std::string message, std::string help) {
        if (problems.size() < kMaxProblems) {
            problems.push_back({std::move(code), node.line, node.column, std::move(message),
                                std::move(help)});
        }
    }

    json::value map(const Node& node, const json::object& schema, const std::string& path) {
        static const json::object kNone;
        const auto* listed = schema.if_contains("properties");
        const json::object& properties =
            listed != nullptr && listed->is_object() ? listed->as_object() : kNone;
        const auto* extra = schema.if_contains("additionalProperties");
        const bool open = extra == nullptr ? listed == nullptr : !extra->is_bool() || extra->as_bool();
        std::vector<std::string> names;
        for (const auto& entry : properties) {
            names.emplace_back(entry.key());
        }
        json::object out;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            const std::string& key = node.keys[i].text;
            const std::string full = path.empty() ? key : path + "." + key;
            const auto* inner = properties.if_contains(key);
            if (inner == nullptr && !open) {
                unknown(node.keys[i], full, path, names);
                continue;
            }
            out[key] = check_tree(node.items[i],
                                  inner != nullptr ? *inner : json::value(json::object{}), full, problems);
        }
        fill(node, schema, properties, path, out);
        return out;
    }

    void unknown(const Node& key, const std::string& full, const std::string& path,
                 const std::vector<std::string>& names) {
        const std::string near = did_you_mean(key.text, names);
        std::string help = near.empty() ? "" : "did you mean `" + near + "`? ";
        help += (path.empty() ? "the keys here are " : "the keys of `" + path + "` are ");
        for (std::size_t i = 0; i < names.size(); ++i) {
            help += (i == 0 ? "" : ", ") + names[i];
        }
        report(key, "config.unknown_key", "`" + full + "` is not a known key", help);
    }

    void fill(const Node& node, const json::object& schema, const json::object& properties,
              const std::string& path, json::object& out) {
        if (const auto* required = schema.if_contains("required"); required && required->is_array()) {
            for (const auto& name : required->as_array()) {
                if (name.is_string() && node.find(name.as_string()) == nullptr) {
                    report(node, "config.missing_key", "`" + (path.empty() ? "" : path + ".") +
                           std::string(name.as_string()) + "` is missing", "");
                }
            }
        }
        for (const auto& entry : properties) {
            if (out.contains(entry.key()) || node.find(entry.key()) != nullptr ||
                !entry.value().is_object()) {
                continue;
            }
            const json::object& inner = entry.value().as_object();
            if (const auto* value = inner.if_contains("default")) {
                out[entry.key()] = *value;
            } else if (str(inner, "type") == "object" && inner.contains("properties")) {
                Node empty = node;  // an absent section: its defaults, its required keys reported here
                empty.kind = Kind::kMap;
                empty.keys.clear();
                empty.items.clear();
                const std::string full =
                    path.empty() ? std::string(entry.key()) : path + "." + std::string(entry.key());
                out[entry.key()] = map(empty, inner, full);
            }
        }
    }

    //! The value by its own type; null when it doesn't fit, after reporting.
    json::value scalar(const Node& node, const json::object& schema, const std::string& path) {
        const std::string type = str(schema, "type"), format = str(schema, "format");
        const auto wrong = [&](const std::string& wanted) {
            report(node, "config.type", "`" + path + "` must be " + wanted, "");
            return json::value(nullptr);
        };
        if (type == "integer") {
            std::int64_t value = node.integer;
            if (format == "duration" || format == "bytes") {
                const bool time = format == "duration";
                const bool zero = node.kind == Kind::kInteger && (value == 0 || !time);
                const bool ok = zero || (node.kind == Kind::kString &&
                                (time ? with_unit(node.text, kDurations, value)
                                      : with_unit(node.text, kSizes, value)));
                return ok ? json::value(value)
                          : wrong(time ? "a duration such as 500ms, 10s or 5m"
                                       : "a size in bytes such as 65536 or 64MiB");
            }
            return node.kind == Kind::kInteger ? json::value(value) : wrong("a whole number");
        }
        if (type == "number") {
            return node.kind == Kind::kInteger || node.kind == Kind::kNumber
                       ? json::value(node.number) : wrong("a number");
        }
        if (type == "boolean") {
            return node.kind == Kind::kBool ? json::value(node.integer != 0)
                                            : wrong("true or false");
        }
        if (type == "string") {
            return node.kind == Kind::kString ? json::value(node.text) : wrong("text");
        }
        switch (node.kind) {
            case Kind::kBool: return node.integer != 0;
            case Kind::kInteger: return node.integer;
            case Kind::kNumber: return node.number;
            case Kind::kString: return json::value(node.text);
            default: return nullptr;
        }
    }

    void limits(const Node& node, const json::object& schema, const std::string& path,
                const json::value& value) {
        if (const auto* options = schema.if_contains("enum"); options && options->is_array()) {
            std::vector<std::string> names;
            for (const auto& option : options->as_array()) {
                if (option == value) {
                    return;
                }
                names.push_back(option.is_string() ? std::string(option.as_string())
                                                   : json::serialize(option));
            }
            const std::string near = did_you_mean(node.text, names);
            std::string help = near.empty() ? "one of " : "did you mean `" + near + "`? one of ";
            for (std::size_t i = 0; i < names.size(); ++i) {
                help += (i == 0 ? "" : ", ") + names[i];
            }
            report(node, "config.option", "`" + path + "` can't be `" + node.text + "`", help);
            return;
        }
        if (!value.is_int64() && !value.is_double()) {
            return;
        }
        const auto* low = schema.if_contains("minimum");
        const auto* high = schema.if_contains("maximum");
        if ((low && num(value) < num(*low)) || (high && num(value) > num(*high))) {
            report(node, "config.range", "`" + path + "` is out of range: " + node.text,
                   (low ? "at least " + json::serialize(*low) : "") + (low && high ? ", " : "") +
                       (high ? "at most " + json::serialize(*high) : ""));
        }
    }
};

}  // namespace

json::value check_tree(const Node& node, const json::value& schema_value, const std::string& path,
                       std::vector<Problem>& problems) {
    static const json::object kAny;
    const json::object& schema = schema_value.is_object() ? schema_value.as_object() : kAny;
    Checker checker{problems};
    const std::string type = str(schema, "type");
    const std::string name = path.empty() ? "the file" : "`" + path + "`";
    if (node.kind == Kind::kMap) {
        if (!type.empty() && type != "object") {
            checker.report(node, "config.type", name + " must be of type " + type, "");
            return nullptr;
        }
        return checker.map(node, schema, path);
    }
    if (node.kind == Kind::kSequence) {
        if (!type.empty() && type != "array") {
            checker.report(node, "config.type", name + " must be of type " + type, "");
            return nullptr;
        }
        const auto* inner = schema.if_contains("items");
        json::array out;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            out.push_back(check_tree(node.items[i], inner ? *inner : json::value(json::object{}),
                                     path + "[" + std::to_string(i) + "]", problems));
        }
        return out;
    }
    if (type == "object" || type == "array") {
        checker.report(node, "config.type",
                       name + " must be " + (type == "object" ? "a map of keys" : "a list"), "");
        return nullptr;
    }
    const std::size_t before = problems.size();
    json::value value = checker.scalar(node, schema, path);
    if (problems.size() == before) {
        checker.limits(node, schema, path, value);
    }
    return value;
}

}  // namespace synod::host
