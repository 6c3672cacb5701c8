# SPDX-License-Identifier: MIT
# add_unit_test(NAME USES layer... [ROOT] [SOURCES extra.c] [LIBS lib]): build NAME.c in
# the current folder with cmocka; ctest runs it. ROOT: it makes network namespaces of
# its own.
function(add_unit_test name)
	cmake_parse_arguments(ARG "ROOT" "" "USES;SOURCES;LIBS" ${ARGN})
	add_executable(${name} ${name}.c ${ARG_SOURCES})
	target_link_libraries(${name} PRIVATE ${ARG_USES} PkgConfig::CMOCKA ${ARG_LIBS})
	set_target_properties(${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
	add_test(NAME ${name} COMMAND ${MTUSWEEP_TEST_LAUNCHER} $<TARGET_FILE:${name}>)
	set_tests_properties(${name} PROPERTIES TIMEOUT 150)
	if(ARG_ROOT)
		set_tests_properties(${name} PROPERTIES LABELS root)
	endif()
endfunction()
