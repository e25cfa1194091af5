/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest library with an entry: what the library target starts from. It offers no plugin. */
#include <synod/abi.h>
__attribute__((visibility("default"))) const synod_entry synod_entry_v1 = {
    SYNOD_ENTRY_MAGIC, sizeof(synod_entry), SYNOD_ABI_MAJOR, 0, SYNOD_ABI_MINOR, "fuzz", 0, 0};
