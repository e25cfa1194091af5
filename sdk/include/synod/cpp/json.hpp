// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A small strict JSON reader (RFC 8259) for the configuration that the host hands over. It checks syntax and bounds,
//! not the schema: the host did that. Values are immutable and remember their path, so that a getter's failure can
//! name the key. Never reads files and keeps nothing of the text.
#include <synod/cpp/error.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace synod {

inline constexpr size_t kJsonMaxBytes = 256u << 10; // bytes of text
inline constexpr size_t kJsonMaxDepth = 32;         // nested containers
inline constexpr size_t kJsonMaxNodes = 16384;      // values in one text
inline constexpr int64_t kQ32One = int64_t{1} << 32; // 1.0 in Q32.32

class Value {
public:
    enum class Type : uint8_t { Null, Boolean, Integer, Number, String, Array, Object };
    using Member = std::pair<std::string, Value>;

    Type type() const noexcept { return type_; }
    const std::string& path() const noexcept { return path_; } ///< "" for the root, then "a.b[2]"

    bool as_bool() const {
        need(Type::Boolean, "a boolean");
        return integer_ != 0;
    }
    /// An integer; 3.0 counts as one, 3.5 does not.
    int64_t as_int() const {
        constexpr double kExact = 9007199254740992.0; // 2^53
        if (type_ == Type::Number && std::nearbyint(number_) == number_ && std::fabs(number_) <= kExact) {
            return static_cast<int64_t>(number_);
        }
        need(Type::Integer, "an integer");
        return integer_;
    }
    uint64_t as_uint() const {
        const int64_t v = as_int();
        if (v < 0) {
            wrong("an integer of 0 or more");
        }
        return static_cast<uint64_t>(v);
    }
    double as_double() const {
        if (type_ == Type::Integer) {
            return static_cast<double>(integer_);
        }
        need(Type::Number, "a number");
        return number_;
    }
    /// The number as Q32.32, rounded to nearest. Scaling by 2^32 is exact, so that every machine gets the same value.
    int64_t as_q32() const {
        const double v = as_double();
        if (!(std::fabs(v) < 1073741824.0)) {
            wrong("a number between -2^30 and 2^30");
        }
        return static_cast<int64_t>(std::llround(v * 4294967296.0));
    }
    const std::string& as_string() const {
        need(Type::String, "a string");
        return text_;
    }
    const std::vector<Value>& items() const {
        need(Type::Array, "an array");
        return items_;
    }
    const std::vector<Member>& members() const {
        need(Type::Object, "an object");
        return members_;
    }

    /// The member, or nullptr when there is none.
    const Value* find(std::string_view key) const {
        for (const Member& m : members()) {
            if (m.first == key) {
                return &m.second;
            }
        }
        return nullptr;
    }
    /// The member; throws SYNOD_E_CONFIG with the path when there is none.
    const Value& at(std::string_view key) const {
        if (const Value* v = find(key)) {
            return *v;
        }
        const std::string where = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
        throw Failure(SYNOD_E_CONFIG, "missing key", "add it, or give the schema a default for it", where);
    }
    bool get_bool(std::string_view key, bool fallback) const {
        const Value* v = find(key);
        return v ? v->as_bool() : fallback;
    }
    int64_t get_int(std::string_view key, int64_t fallback) const {
        const Value* v = find(key);
        return v ? v->as_int() : fallback;
    }
    double get_double(std::string_view key, double fallback) const {
        const Value* v = find(key);
        return v ? v->as_double() : fallback;
    }
    int64_t get_q32(std::string_view key, int64_t fallback) const {
        const Value* v = find(key);
        return v ? v->as_q32() : fallback;
    }
    std::string get_string(std::string_view key, std::string_view fallback) const {
        const Value* v = find(key);
        return v ? v->as_string() : std::string(fallback);
    }

private:
    friend class JsonReader;
    void need(Type type, const char* what) const {
        if (type_ != type) {
            wrong(what);
        }
    }
    [[noreturn]] void wrong(const char* what) const {
        throw Failure(SYNOD_E_CONFIG, std::string("expected ") + what, "correct the value", path_);
    }

    Type type_ = Type::Null;
    int64_t integer_ = 0;
    double number_ = 0;
    std::string text_, path_;
    std::vector<Value> items_;
    std::vector<Member> members_;
};

class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    Value read() {
        if (text_.size() > kJsonMaxBytes) {
            fail("text is larger than 256 KiB");
        }
        Value root;
        value(root, 0);
        space();
        if (at_ != text_.size()) {
            fail("text after the value");
        }
        return root;
    }

private:
    [[noreturn]] void fail(const char* what) const {
        throw Failure(SYNOD_E_CONFIG, std::string("JSON: ") + what, "correct the text",
                      "byte " + std::to_string(at_));
    }
    void space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
            ++at_;
        }
    }
    char peek() {
        space();
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    void expect(char c) {
        if (peek() != c || at_ >= text_.size()) {
            fail("unexpected character or end");
        }
        ++at_;
    }
    bool accept(char c) {
        if (at_ < text_.size() && peek() == c && at_ < text_.size()) {
            ++at_;
            return true;
        }
        return false;
    }
    void word(std::string_view w) {
        if (text_.substr(at_, w.size()) != w) {
            fail("unknown word");
        }
        at_ += w.size();
    }

    void value(Value& out, size_t depth) {
        if (++nodes_ > kJsonMaxNodes) {
            fail("too many values");
        }
        switch (peek()) {
        case '{': object(out, depth); return;
        case '[': array(out, depth); return;
        case '"':
            out.type_ = Value::Type::String;
            out.text_ = string();
            return;
        case 't':
        case 'f':
            out.type_ = Value::Type::Boolean;
            out.integer_ = text_[at_] == 't' ? 1 : 0;
            word(out.integer_ != 0 ? "true" : "false");
            return;
        case 'n': word("null"); return;
        default: number(out);
        }
    }
    void object(Value& out, size_t depth) {
        enter(depth);
        out.type_ = Value::Type::Object;
        expect('{');
        if (accept('}')) {
            return;
        }
        do {
            if (peek() != '"') {
                fail("expected a key");
            }
            std::string key = string();
            expect(':');
            for (const auto& m : out.members_) {
                if (m.first == key) {
                    fail("the same key twice");
                }
            }
            Value v;
            v.path_ = out.path_.empty() ? key : out.path_ + "." + key;
            value(v, depth + 1);
            out.members_.emplace_back(std::move(key), std::move(v));
        } while (accept(','));
        expect('}');
    }
    void array(Value& out, size_t depth) {
        enter(depth);
        out.type_ = Value::Type::Array;
        expect('[');
        if (accept(']')) {
            return;
        }
        do {
            Value v;
            v.path_ = out.path_ + "[" + std::to_string(out.items_.size()) + "]";
            value(v, depth + 1);
            out.items_.push_back(std::move(v));
        } while (accept(','));
        expect(']');
    }
    void enter(size_t depth) const {
        if (depth >= kJsonMaxDepth) {
            fail("nested too deeply");
        }
    }

    uint32_t hex4() {
        uint32_t v = 0;
        if (text_.size() - at_ < 4) {
            fail("cut escape");
        }
        const char* first = text_.data() + at_;
        const auto [end, ec] = std::from_chars(first, first + 4, v, 16);
        if (ec != std::errc{} || end != first + 4) {
            fail("bad \\u escape");
        }
        at_ += 4;
        return v;
    }
    void escape(std::string& out) {
        if (at_ >= text_.size()) {
            fail("cut escape");
        }
        constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
        const char c = text_[at_++];
        if (const size_t i = kFrom.find(c); i != std::string_view::npos) {
            out.push_back(kTo[i]);
            return;
        }
        if (c != 'u') {
            fail("unknown escape");
        }
        uint32_t cp = hex4();
        if (cp >= 0xd800 && cp < 0xdc00) {
            if (text_.substr(at_, 2) != "\\u") {
                fail("lone surrogate");
            }
            at_ += 2;
            const uint32_t low = hex4();
            if (low < 0xdc00 || low > 0xdfff) {
                fail("lone surrogate");
            }
            cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        } else if (cp >= 0xdc00 && cp <= 0xdfff) {
            fail("lone surrogate");
        }
        utf8(out, cp);
    }
    static void utf8(std::string& out, uint32_t cp) {
        const auto put = [&out](uint32_t b) { out.push_back(static_cast<char>(b)); };
        if (cp < 0x80) {
            put(cp);
        } else if (cp < 0x800) {
            put(0xc0 | cp >> 6), put(0x80 | (cp & 63));
        } else if (cp < 0x10000) {
            put(0xe0 | cp >> 12), put(0x80 | (cp >> 6 & 63)), put(0x80 | (cp & 63));
        } else {
            put(0xf0 | cp >> 18), put(0x80 | (cp >> 12 & 63)), put(0x80 | (cp >> 6 & 63)), put(0x80 | (cp & 63));
        }
    }
    std::string string() {
        ++at_; // the opening quote
        std::string out;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '"') {
                return out;
            }
            if (c == '\\') {
                escape(out);
            } else if (static_cast<unsigned char>(c) < 0x20) {
                fail("control character in a string");
            } else {
                out.push_back(c);
            }
        }
        fail("string without an end");
    }

    size_t digits() {
        const size_t from = at_;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
            ++at_;
        }
        if (at_ == from) {
            fail("expected a value");
        }
        return at_ - from;
    }
    void number(Value& out) {
        const size_t from = at_;
        if (at_ < text_.size() && text_[at_] == '-') {
            ++at_;
        }
        const bool zero = at_ < text_.size() && text_[at_] == '0';
        if (digits() > 1 && zero) {
            fail("leading zero");
        }
        bool whole = true;
        if (at_ < text_.size() && text_[at_] == '.') {
            ++at_, whole = false;
            digits();
        }
        if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
            ++at_, whole = false;
            if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) {
                ++at_;
            }
            digits();
        }
        const char *first = text_.data() + from, *last = text_.data() + at_;
        if (whole && std::from_chars(first, last, out.integer_).ec == std::errc{}) {
            out.type_ = Value::Type::Integer;
            return;
        }
        out.type_ = Value::Type::Number;
        if (std::from_chars(first, last, out.number_).ec != std::errc{}) {
            fail("number out of range");
        }
    }

    std::string_view text_;
    size_t at_ = 0, nodes_ = 0;
};

/// A Q32.32 value as decimal text with nine digits after the point, rounded down: what `explain` writes. Exact integer
/// arithmetic, so that every machine writes the same text.
inline std::string q32_text(int64_t q) {
    const bool negative = q < 0;
    const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(q) : static_cast<uint64_t>(q);
    const uint64_t fraction = ((magnitude & 0xffffffffu) * 1000000000u) >> 32;
    const std::string digits = std::to_string(fraction);
    return (negative ? "-" : "") + std::to_string(magnitude >> 32) + "." + std::string(9 - digits.size(), '0') + digits;
}

/// Reads one JSON text. Throws Failure(SYNOD_E_CONFIG) with the byte's number. Any thread.
inline Value parse_json(std::string_view text) { return JsonReader(text).read(); }

} // namespace synod
