// SPDX-License-Identifier: Apache-2.0
//! A look at a library's bytes before the dynamic linker sees them. Every offset is checked.

#include <elf.h>

#include <cstring>
#include <fstream>

#include "core/base/bytes.hpp"
#include "core/host/loader.hpp"

namespace synod::host {
namespace {

struct Image {
    Bytes bytes;
    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t length) const {
        return offset <= bytes.size() && length <= bytes.size() - offset;
    }
    template <typename T>
    [[nodiscard]] T at(std::uint64_t offset) const {
        T out;
        std::memcpy(&out, bytes.data() + offset, sizeof out);
        return out;
    }
};

std::unexpected<Error> cut(const std::string& file, const char* what) {
    return fail("plugin.truncated", std::string("the library is incomplete: its ") + what +
                " end after the file does", file, "build or copy it again");
}

bool defines_entry(const Image& image, const Elf64_Shdr& symbols, const Elf64_Shdr& names) {
    const std::string_view wanted = SYNOD_ENTRY_SYMBOL;
    for (std::uint64_t i = 0; i < symbols.sh_size / sizeof(Elf64_Sym); ++i) {
        const auto symbol = image.at<Elf64_Sym>(symbols.sh_offset + i * sizeof(Elf64_Sym));
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.sh_size ||
            names.sh_size - symbol.st_name <= wanted.size()) {
            continue;
        }
        const char* name =
            reinterpret_cast<const char*>(image.bytes.data() + names.sh_offset + symbol.st_name);
        if (std::memcmp(name, wanted.data(), wanted.size()) == 0 && name[wanted.size()] == 0) {
            return true;
        }
    }
    return false;
}

Result<void> check_sections(const Image& image, const Elf64_Ehdr& head, const std::string& file) {
    bool found = false;
    const auto section = [&](std::uint64_t i) {
        return image.at<Elf64_Shdr>(head.e_shoff + i * sizeof(Elf64_Shdr));
    };
    for (unsigned i = 0; i < head.e_shnum; ++i) {
        const Elf64_Shdr one = section(i);
        if (one.sh_type != SHT_NOBITS && !image.holds(one.sh_offset, one.sh_size)) {
            return cut(file, "sections");
        }
        if (one.sh_type == SHT_DYNSYM && one.sh_link < head.e_shnum) {
            const Elf64_Shdr names = section(one.sh_link);
            if (names.sh_type == SHT_STRTAB && image.holds(names.sh_offset, names.sh_size)) {
                found = found || defines_entry(image, one, names);
            }
        }
    }
    if (!found) {
        return fail("plugin.no_entry", "the library doesn't define " SYNOD_ENTRY_SYMBOL, file,
                    "is it a Synod plugin of ABI major 1? SYNOD_PLUGIN exports the symbol");
    }
    return {};
}

//! The dynamic linker reserves the room of the first segment's start to the last one's end, and puts each in it by
//! force: one that reaches over a later one, or lies before an earlier one, is put over whatever the host has there.
Result<void> check_segments(const Image& image, const Elf64_Ehdr& head, const std::string& file) {
    std::uint64_t end = 0;  // of the segments before
    for (unsigned i = 0; i < head.e_phnum; ++i) {
        const auto segment = image.at<Elf64_Phdr>(head.e_phoff + i * sizeof(Elf64_Phdr));
        if (!image.holds(segment.p_offset, segment.p_filesz)) {
            return cut(file, "segments");
        }
        if (segment.p_type != PT_LOAD) {
            continue;
        }
        const bool apart = segment.p_vaddr >= end && segment.p_memsz >= segment.p_filesz &&
                           segment.p_memsz <= UINT64_MAX - segment.p_vaddr;
        if (!apart) {
            return fail("plugin.damaged", "the library's segments overlap or are out of order", file,
                        "build or copy it again");
        }
        end = segment.p_vaddr + segment.p_memsz;
    }
    return {};
}

}  // namespace

Result<void> precheck_library(const std::filesystem::path& path) {
    const std::string file = path.string();
    std::error_code error;
    if (path.empty() || !std::filesystem::is_regular_file(path, error)) {
        return fail("plugin.missing", "there is no plugin file", file,
                    "check `plugins` and `plugin_dir` in the manifest");
    }
    const auto size = std::filesystem::file_size(path, error);
    if (error || size > kMaxLibraryBytes) {
        return fail("plugin.not_a_library", "the file is too large or can't be measured", file);
    }
    Image image;
    image.bytes.resize(size);
    std::ifstream in(path, std::ios::binary);
    if (!in.read(reinterpret_cast<char*>(image.bytes.data()),
                 static_cast<std::streamsize>(size))) {
        return fail("plugin.missing", "the plugin file can't be read", file,
                    "check its permissions");
    }
    if (!image.holds(0, SELFMAG) || std::memcmp(image.bytes.data(), ELFMAG, SELFMAG) != 0) {
        return fail("plugin.not_a_library", "the file is not an ELF library", file);
    }
    if (!image.holds(0, sizeof(Elf64_Ehdr))) {
        return cut(file, "first header");
    }
    const auto head = image.at<Elf64_Ehdr>(0);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB ||
        head.e_machine != EM_X86_64 || head.e_type != ET_DYN ||
        head.e_phentsize != sizeof(Elf64_Phdr) || head.e_shentsize != sizeof(Elf64_Shdr)) {
        return fail("plugin.not_a_library", "the file is not a shared object for x86-64", file,
                    "build the plugin for this machine");
    }
    if (!image.holds(head.e_phoff, std::uint64_t{head.e_phnum} * sizeof(Elf64_Phdr)) ||
        !image.holds(head.e_shoff, std::uint64_t{head.e_shnum} * sizeof(Elf64_Shdr))) {
        return cut(file, "headers");
    }
    if (auto apart = check_segments(image, head, file); !apart) {
        return apart;
    }
    return check_sections(image, head, file);
}

}  // namespace synod::host
