include(CMakeFindDependencyMacro)
find_dependency(zelf 0.1)
include("${CMAKE_CURRENT_LIST_DIR}/middleTargets.cmake")
