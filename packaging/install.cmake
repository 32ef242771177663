# cmake --install: calls packaging/install with CMake's folders, and tells CMake the installed
# files. cmake --install --prefix uses a path relative to the current folder.
execute_process(COMMAND pwd OUTPUT_VARIABLE zelf_prefix OUTPUT_STRIP_TRAILING_WHITESPACE)
get_filename_component(zelf_prefix "${CMAKE_INSTALL_PREFIX}" ABSOLUTE BASE_DIR "${zelf_prefix}")
foreach(folder zelf_libdir zelf_includedir zelf_mandir zelf_docdir)
  get_filename_component(${folder} "${${folder}}" ABSOLUTE BASE_DIR "${zelf_prefix}")
endforeach()
# DESTDIR has the same meaning for both. The other variables are only for make.
function(zelf_call)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env --unset=BUILT --unset=ARCHIVE --unset=LICENCES --unset=PC_PREFIX
      "ZELF_TARGET=${zelf_target}" "PREFIX=${zelf_prefix}" "LIBDIR=${zelf_libdir}" "INCLUDEDIR=${zelf_includedir}"
      "MANDIR=${zelf_mandir}" "DOCDIR=${zelf_docdir}" "${zelf_source}/packaging/install" ${ARGN}
    OUTPUT_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "zelf: packaging/install failed")
  endif()
  set(zelf_output "${output}" PARENT_SCOPE)
endfunction()

message(STATUS "Installing: zelf, in $ENV{DESTDIR}${zelf_prefix}")
zelf_call()
if(zelf_output)
  message("${zelf_output}")
endif()
zelf_call(--list)
string(REGEX REPLACE "\n$" "" zelf_output "${zelf_output}")
string(REPLACE "\n" ";" zelf_output "${zelf_output}")
list(APPEND CMAKE_INSTALL_MANIFEST_FILES ${zelf_output})
