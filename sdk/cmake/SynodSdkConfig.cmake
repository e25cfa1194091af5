# SPDX-License-Identifier: Apache-2.0
# find_package(SynodSdk) gives the target Synod::sdk (headers only) and the function synod_add_plugin.
include("${CMAKE_CURRENT_LIST_DIR}/SynodSdkTargets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/SynodPlugin.cmake")
